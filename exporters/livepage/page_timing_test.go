package livepage

import (
	"context"
	"fmt"
	"testing"
	"time"

	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// busyPage returns a page of 1,000 live jobs and as many that have ended, each with five stages, of
// which earlier runs are known, and four calls.
func busyPage(b *testing.B) *Page {
	b.Helper()
	stages := []string{"validation", "analysis", "transcription", "normalization", "rendering"}
	p := newPipeline(b, instrument.WithStages(stages...), instrument.WithTracerProvider(tracenoop.NewTracerProvider()))
	page, err := New(nil, p)
	if err != nil {
		b.Fatal(err)
	}
	for i := range 2000 {
		ctx, job := p.StartJob(b.Context(), fmt.Sprint("interview-", i), instrument.WithBudget(2*instrument.Dollar), instrument.WithVideoDuration(time.Duration(i+1)*time.Second))
		for k, name := range stages {
			ctx, stage := instrument.StartStage(ctx, name)
			if k < 4 {
				_ = instrument.RunCall(ctx, "whisper", func(ctx context.Context) error {
					instrument.CallFromContext(ctx).SetCost(money.Mul(instrument.Dollar/1000, int64(i*k)))
					return nil
				})
			}
			instrument.ReportProgress(ctx, float64(k+1), 10, instrument.WithUnit("s"), instrument.WithSpeed(1.5))
			if i < 1000 || k < 4 {
				stage.End(nil)
			} else {
				b.Cleanup(func() { stage.End(nil) })
			}
		}
		if i < 1000 {
			job.End(nil)
		} else {
			b.Cleanup(func() { job.End(nil) })
		}
	}
	return page
}

// BenchmarkTick times the work of a page in one second while clients are connected. `make bench`
// measures a page without clients, and one with clients over HTTP.
func BenchmarkTick(b *testing.B) {
	page := busyPage(b)
	var e *encoded
	b.ReportAllocs()
	for b.Loop() {
		page.encoder.forget()
		var err error
		if e, err = page.encoder.now(); err != nil {
			b.Fatal(err)
		}
		e.blocks()
	}
	b.ReportMetric(float64(len(e.plain)), "json-B")
	b.ReportMetric(float64(len(e.blocks())), "sent-B")
}
