package instrument_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// A password of a URL in the text of an error reaches no span and no report.
func TestNoPasswordIsShown(t *testing.T) {
	reports := captureReports(t)
	err := errors.New("dial postgres://user:hunter2@db/jobs?key=hunter2: refused")
	p, rec := instrumenttest.New(t, instrument.WithLedger(ledgerThat{budget.NewMemoryLedger(), err}))
	_ = p.RunJob(t.Context(), "https://user:hunter2@host/a.mp4", func(ctx context.Context) error {
		instrument.RecordError(ctx, fmt.Errorf("once: %w", err))
		_, _ = instrument.RunStageValue(ctx, "analysis", func(context.Context) (int, error) { return 0, err })
		_ = recovered(func() {
			_ = instrument.RunCall(ctx, "whisper", func(context.Context) error { panic(err) }, instrument.WithMaxCost(cent))
		})
		return err
	}, instrument.WithBudget(instrument.Dollar))
	var said strings.Builder
	for _, span := range rec.Spans() {
		fmt.Fprintf(&said, "%v %v %v\n", span.Attributes, span.Events, span.Status)
	}
	fmt.Fprintln(&said, reports.all(), rec.Exposition(), p.Snapshot(instrument.Query{}))
	if text := said.String(); strings.Contains(text, "hunter2") || !strings.Contains(text, "dial") || len(reports.all()) == 0 {
		t.Errorf("shown:\n%s", text)
	}
}
