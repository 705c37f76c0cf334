package instrument_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/semconv"
)

// However many stages run, the series of their progress stay below the SDK's limit, beyond which it
// adds up unrelated series.
func TestProgressSeriesAreBounded(t *testing.T) {
	p, rec := instrumenttest.New(t, instrument.WithDetails())
	for i := range 1000 {
		ctx, job := p.StartJob(t.Context(), fmt.Sprint("job-", i))
		defer job.End(nil)
		for k := range 10 {
			ctx, stage := instrument.StartStage(ctx, fmt.Sprint("stage-", k))
			defer stage.End(nil)
			instrument.ReportProgress(ctx, 1, 1000)
		}
	}
	got, ok := rec.Gauge(semconv.StageProgressName)
	if n := got * 1000; !ok || n < 1990 || n > 1999.5 {
		t.Errorf("%v series, want 1999", n)
	}
	if _, ok := rec.Gauge(semconv.StageProgressName, semconv.AttrJobID.String("job-0"), semconv.AttrStage.String("stage-8")); ok {
		t.Error("a job has series of a ninth stage")
	}
}

// Two runs of one id have one series, of the one that is less far.
func TestProgressOfTwoRuns(t *testing.T) {
	p, rec := instrumenttest.New(t, instrument.WithDetails())
	for _, done := range []float64{30, 10, 20} {
		ctx, job := p.StartJob(t.Context(), "job-1")
		defer job.End(nil)
		ctx, stage := instrument.StartStage(ctx, "encoding")
		defer stage.End(nil)
		instrument.ReportProgress(ctx, done, 100)
	}
	if got, _ := rec.Gauge(semconv.StageProgressName, semconv.AttrJobID.String("job-1")); got != 0.1 {
		t.Errorf("progress %v, want 0.1", got)
	}
}

// A function of Events that panics, exits its goroutine or is the first to record elsewhere harms
// neither the collection of metrics nor the snapshot that calls it.
func TestFunctionsOfEventsInACollection(t *testing.T) {
	errs := captureReports(t)
	for name, f := range map[string]func(){
		"panics": func() { panic("no") },
		"exits":  runtime.Goexit,
		"records": func() {
			instrument.RecordSegments(context.Background(), 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				defer instrument.SetDefault(nil)()
				told := 0
				_, rec := instrumenttest.New(t)
				old := otel.GetMeterProvider()
				otel.SetMeterProvider(rec.MeterProvider())
				defer otel.SetMeterProvider(old)
				p, err := instrument.New(instrument.WithDetails(), instrument.WithEvents(instrument.Events{
					StageStalled: func(context.Context, instrument.StageWarning) { told++; f() },
				}))
				if err != nil {
					t.Fatal(err)
				}
				ctx, job := p.StartJob(t.Context(), "job-1")
				defer job.End(nil)
				ctx, stage := instrument.StartStage(ctx, "encoding")
				defer stage.End(nil)
				instrument.ReportProgress(ctx, 1, 3)
				time.Sleep(11 * time.Second)
				if n, ok := rec.Gauge(semconv.StagesStalledName, semconv.AttrStage.String("encoding")); !ok || n != 1 || told != 1 {
					t.Errorf("%v stalled, %v, told %d times", n, ok, told)
				}
				instrument.ReportProgress(ctx, 2, 3)
				time.Sleep(60 * time.Second)
				if onlyJob(t, p).Stages[0].Stalled.IsZero() || told != 2 {
					t.Errorf("told %d times", told)
				}
			})
		})
	}
	if got := len(errs.all()); got != 4 {
		t.Errorf("%d errors reported, want 4: %v", got, errs.all())
	}
}
