// Package livepage serves a page for people beside the metrics: which jobs run now, what they cost,
// and when they will be done. The program itself serves the whole page, which fetches nothing from
// elsewhere and changes nothing.
//
//	tel, err := exporters.Start(ctx)
//	…
//	err = livepage.Mount(tel, instrument.Default())
//
// Programs read its JSON, version 1, beside it: live/snapshot.json, live/job.json and the stream
// live/events. docs/livepage.md describes the fields. [WriteReport] writes a finished run to a
// file.
package livepage

//go:generate go run ./internal/wiretypes
