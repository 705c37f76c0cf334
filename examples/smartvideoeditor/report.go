package main

import (
	"bytes"
	"fmt"

	"github.com/stagemeter/stagemeter/exporters/livepage"
	"github.com/stagemeter/stagemeter/instrument"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/screen"
	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/summary"
)

// reported is the limit of jobs in a report.
const reported = 1000

// keepForReport makes p keep the jobs for -report. It returns a function that writes the report at
// the end of the program, however the jobs ended, and says where it is.
func keepForReport(c config, p *instrument.Pipeline, view screen.Screen) (close func() error) {
	if c.report == "" {
		return func() error { return nil }
	}
	p.KeepHistory(reported)
	return func() error {
		if err := report(c, p); err != nil {
			return err
		}
		view.Printf("Report: %s", c.report)
		return nil
	}
}

// report writes the jobs of this run to the file of -report, with ids as they are.
func report(c config, p *instrument.Pipeline) error {
	if c.report == "" {
		return nil
	}
	var page bytes.Buffer
	if err := livepage.WriteReport(&page, p); err != nil {
		return fmt.Errorf("-report %s: %w", c.report, err)
	}
	if err := summary.WriteFile(c.report, page.Bytes()); err != nil {
		return fmt.Errorf("-report %s: %w", c.report, err)
	}
	return nil
}
