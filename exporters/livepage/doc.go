// Package livepage serves a page for people beside the metrics: which jobs run now, what they cost,
// and when they will be done. The page is served whole by the program itself: it fetches nothing
// from elsewhere, and changes nothing.
//
//	tel, err := exporters.Start(ctx)
//	…
//	err = livepage.Mount(tel, instrument.Default())
//
// Beside the page is its JSON, version 1, for programs: live/snapshot.json, live/job.json and the
// stream live/events. docs/livepage.md has its fields. [WriteReport] writes a finished run to a file.
package livepage

//go:generate go run ./internal/wiretypes
