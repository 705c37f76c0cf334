package instrument_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/semconv"
)

// diary is Events that write one line each.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) write(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

func (d *diary) events() instrument.Events {
	return instrument.Events{
		JobStarted: func(_ context.Context, e instrument.JobEvent) {
			d.write("%s %d started, attempt %d of %d", e.Job.ID, e.Job.Run, e.Job.Attempt, e.Job.MaxAttempts)
		},
		JobEnded: func(_ context.Context, e instrument.JobEvent) {
			d.write("%s %s %s %q %v, spent %s, took %t", e.Job.ID, e.Outcome.Attempt, e.Outcome.Status, e.Outcome.ErrorType, e.Err, e.Cost, e.Duration > 0)
		},
		StageStarted: func(_ context.Context, e instrument.StageEvent) { d.write("%s/%s started", e.Job.ID, e.Stage) },
		StageEnded: func(_ context.Context, e instrument.StageEvent) {
			d.write("%s/%s ended %q %v, took %t", e.Job.ID, e.Stage, e.ErrorType, e.Err, e.Duration > 0)
		},
		CallStarted: func(_ context.Context, e instrument.CallEvent) {
			d.write("%s/%s/%s started, at most %s", e.Job.ID, e.Stage, e.API, e.MaxCost)
		},
		CallEnded: func(_ context.Context, e instrument.CallEvent) {
			d.write("%s/%s/%s ended %q, %s, unpriced %q, canceled %t, took %t", e.Job.ID, e.Stage, e.API, e.ErrorType, e.Cost, e.Unpriced, e.Canceled, e.Duration > 0)
		},
		CallRefused: func(_ context.Context, e instrument.CallEvent) {
			var refusal *instrument.BudgetError
			d.write("%s/%s/%s refused %q, budget error %t", e.Job.ID, e.Stage, e.API, e.ErrorType, errors.As(e.Err, &refusal))
		},
		Progress: func(_ context.Context, e instrument.ProgressEvent) {
			d.write("%s/%s %g of %g %s", e.Job.ID, e.Progress.Stage, e.Progress.Done, e.Progress.Total, e.Progress.Unit)
		},
		Threshold: func(_ context.Context, e instrument.ThresholdEvent) {
			d.write("%s reached %d %% of %s, spent %s", e.Job.ID, e.Crossing.Percent, e.Crossing.Scope.Limit, e.Crossing.Spent)
		},
	}
}

func (d *diary) expect(t *testing.T, want ...string) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range max(len(want), len(d.lines)) {
		var got, exp string
		if i < len(d.lines) {
			got = d.lines[i]
		}
		if i < len(want) {
			exp = want[i]
		}
		if got != exp {
			t.Errorf("line %d:\n got %s\nwant %s", i, got, exp)
		}
	}
}

func TestEventsOfAJob(t *testing.T) {
	var d diary
	p, _ := instrumenttest.New(t, instrument.WithEvents(d.events()))
	broken := errors.New("broken")
	err := p.RunJob(t.Context(), "job-1", func(ctx context.Context) error {
		return instrument.RunStage(ctx, "analysis", func(ctx context.Context) error {
			instrument.ReportProgress(ctx, 3, 10, instrument.WithUnit("frames"))
			if err := buy(ctx, "gpt", 60*cent, instrument.WithMaxCost(70*cent)); err != nil {
				return err
			}
			if err := buy(ctx, "gpt", 60*cent, instrument.WithMaxCost(70*cent)); !errors.Is(err, instrument.ErrBudgetExceeded) {
				return err
			}
			return broken
		})
	}, instrument.WithBudget(dollar), instrument.WithAttempt(3, 3))
	if err != broken {
		t.Fatal(err)
	}
	d.expect(t,
		"job-1 1 started, attempt 3 of 3",
		"job-1/analysis started",
		"job-1/analysis 3 of 10 frames",
		"job-1/analysis/gpt started, at most $0.70",
		"job-1 reached 50 % of $1.00, spent $0.60",
		`job-1/analysis/gpt ended "", $0.60, unpriced "", canceled false, took true`,
		"job-1 reached 101 % of $1.00, spent $0.60",
		`job-1/analysis/gpt refused "budget_exceeded", budget error true`,
		`job-1/analysis ended "error" broken, took true`,
		`job-1 failed failed "error" broken, spent $0.60, took true`,
	)
}

func TestEventsOutsideOfAJob(t *testing.T) {
	var d diary
	p, _ := instrumenttest.New(t, instrument.WithEvents(d.events()))
	ctx := instrument.ContextWithPipeline(t.Context(), p)
	_ = instrument.RunStage(ctx, "analysis", func(ctx context.Context) error {
		instrument.ReportProgress(ctx, 1, 2)
		return buy(ctx, "gpt", cent)
	})
	_ = instrument.RunCall(ctx, "gpt", func(context.Context) error { return nil })
	instrument.ReportProgress(ctx, 1, 2) // of nothing
	d.expect(t,
		"/analysis started",
		"/analysis 1 of 2 ",
		"/analysis/gpt started, at most $0.00",
		`/analysis/gpt ended "", $0.01, unpriced "", canceled false, took true`,
		`/analysis ended "" <nil>, took true`,
		"//gpt started, at most $0.00",
		`//gpt ended "", $0.00, unpriced "no_price", canceled false, took true`,
	)
}

// The functions of several Events are called in their order, and one that panics keeps nothing from
// the others, nor from the program.
func TestEventsComposeAndContainPanics(t *testing.T) {
	errs := captureReports(t)
	var first, last diary
	bad := instrument.Events{
		JobStarted:   func(context.Context, instrument.JobEvent) { panic("job started") },
		JobEnded:     func(context.Context, instrument.JobEvent) { panic("job ended") },
		StageStarted: func(context.Context, instrument.StageEvent) { panic("stage started") },
		StageEnded:   func(context.Context, instrument.StageEvent) { panic("stage ended") },
		CallStarted:  func(context.Context, instrument.CallEvent) { panic("call started") },
		CallEnded:    func(context.Context, instrument.CallEvent) { panic("call ended") },
		CallRefused:  func(context.Context, instrument.CallEvent) { panic("call refused") },
		Progress:     func(context.Context, instrument.ProgressEvent) { panic("progress") },
		Threshold:    func(context.Context, instrument.ThresholdEvent) { panic("threshold") },
	}
	p, rec := instrumenttest.New(t, instrument.WithEvents(first.events()), instrument.WithEvents(bad),
		instrument.WithEvents(instrument.Events{}), instrument.WithEvents(last.events()))
	err := p.RunJob(t.Context(), "job-1", func(ctx context.Context) error {
		return instrument.RunStage(ctx, "analysis", func(ctx context.Context) error {
			instrument.ReportProgress(ctx, 1, 2)
			if err := buy(ctx, "gpt", 10*cent); err != nil {
				return err
			}
			if err := buy(ctx, "gpt", cent); !errors.Is(err, instrument.ErrBudgetExceeded) {
				t.Error(err)
			}
			return nil
		})
	}, instrument.WithBudget(10*cent))
	if err != nil {
		t.Error(err)
	}
	first.mu.Lock()
	lines := append([]string(nil), first.lines...)
	first.mu.Unlock()
	if len(lines) != 12 { // three thresholds and that of the refusal among them
		t.Errorf("%d events: %q", len(lines), lines)
	}
	if got := rec.Counter(vp("jobs_total"), semconv.JobStatusCompleted.Attr()); got != 1 {
		t.Errorf("%v jobs completed, want 1", got)
	}
	if got := len(errs.all()); got != len(lines) {
		t.Errorf("%d panics reported, want %d", got, len(lines))
	}
}

func TestReportProgress(t *testing.T) {
	synctest.Test(t, testReportProgress)
}

func testReportProgress(t *testing.T) {
	p, rec := instrumenttest.New(t, instrument.WithDetails())
	ctx, job := p.StartJob(t.Context(), "job-1")
	status := func() instrument.JobState { return p.Snapshot(instrument.Query{}).Live[0] }
	if got := status().Progress; got != nil {
		t.Errorf("progress before any report: %+v", got)
	}
	instrument.ReportProgress(ctx, 0, 0)
	if got := status().Progress; got == nil || got.Stage != "" || got.Done != 0 || got.Total != 0 || got.At.IsZero() || got.Grown != got.At {
		t.Errorf("progress of a job: %+v", got)
	}
	sctx, stage := instrument.StartStage(ctx, "rendering")
	instrument.ReportProgress(sctx, 5, 10, instrument.WithUnit("frames"), instrument.WithSpeed(2), nil)
	one := *status().Stages[0].Progress
	time.Sleep(time.Second)
	instrument.ReportProgress(sctx, 4, 10, instrument.WithSpeed(math.NaN())) // the last report holds, also a lower one, with which the work begins anew
	for _, bad := range []float64{-1, math.NaN(), math.Inf(1)} {
		instrument.ReportProgress(sctx, bad, 10)
		instrument.ReportProgress(sctx, 1, bad)
	}
	two := *status().Stages[0].Progress
	if one.Done != 5 || one.Total != 10 || one.Unit != "frames" || one.Speed != 2 || one.Stage != "rendering" {
		t.Errorf("first report: %+v", one)
	}
	if two.Done != 4 || two.Unit != "" || two.Speed != 0 || two.Grown != two.At || !two.At.After(one.At) {
		t.Errorf("second report: %+v after %+v", two, one)
	}
	if got := *status().Progress; got != two {
		t.Errorf("the job shows %+v, want its stage's %+v", got, two)
	}
	for _, reason := range []semconv.InvalidReason{semconv.InvalidReasonNegative, semconv.InvalidReasonNaN, semconv.InvalidReasonInf} {
		if got := rec.Counter(semconv.InvalidValuesName, semconv.AttrMetric.String(semconv.StageProgressName), reason.Attr()); got != 2 {
			t.Errorf("%v invalid values by %s, want 2", got, reason)
		}
	}
	stage.End(nil)
	instrument.ReportProgress(sctx, 10, 10) // too late for what ended, and harmless
	job.End(nil)
	instrument.ReportProgress(ctx, 1, 1)
	instrument.ReportProgress(context.Background(), 1, 1)
	instrument.ReportProgress(noContext, 1, 1)
}

// An Events that writes an audit log, and a line of progress, with nothing else of the library than
// its Events.
func ExampleWithEvents() {
	t := new(exampleT) // in a test: its *testing.T
	defer t.end()

	audit := instrument.Events{
		JobStarted: func(_ context.Context, e instrument.JobEvent) { fmt.Println("audit:", e.Job.ID, "started") },
		CallEnded: func(_ context.Context, e instrument.CallEvent) {
			fmt.Printf("audit: %s paid %s to %s, unpriced: %q\n", e.Job.ID, e.Cost, e.API, e.Unpriced)
		},
		CallRefused: func(_ context.Context, e instrument.CallEvent) { fmt.Println("audit:", e.Err) },
		JobEnded: func(_ context.Context, e instrument.JobEvent) {
			fmt.Println("audit:", e.Job.ID, e.Outcome.Status, e.Outcome.ErrorType, "for", e.Cost)
		},
	}
	progress := instrument.Events{
		Progress: func(_ context.Context, e instrument.ProgressEvent) {
			fmt.Printf("%s %.0f %%\n", e.Progress.Stage, 100*e.Progress.Done/e.Progress.Total)
		},
	}
	p, _ := instrumenttest.New(t, instrument.WithEvents(audit), instrument.WithEvents(progress))

	_ = p.RunJob(context.Background(), "talk-1", func(ctx context.Context) error {
		_ = instrument.RunCall(ctx, "moderation", func(context.Context) error { return nil }) // nobody knows its price
		return instrument.RunStage(ctx, "transcription", func(ctx context.Context) error {
			for part := range 3 {
				err := instrument.RunCall(ctx, "whisper", func(ctx context.Context) error {
					instrument.CallFromContext(ctx).SetCost(40 * instrument.Cent)
					return nil
				}, instrument.WithMaxCost(40*instrument.Cent))
				if err != nil {
					return err
				}
				instrument.ReportProgress(ctx, float64(part+1), 4)
			}
			return io.ErrUnexpectedEOF
		})
	}, instrument.WithBudget(instrument.Dollar))
	// Output:
	// audit: talk-1 started
	// audit: talk-1 paid $0.00 to moderation, unpriced: "no_price"
	// audit: talk-1 paid $0.40 to whisper, unpriced: ""
	// transcription 25 %
	// audit: talk-1 paid $0.40 to whisper, unpriced: ""
	// transcription 50 %
	// audit: budget exceeded: job "talk-1" may spend $1.00, has spent $0.80 and holds $0.00; a call of whisper for at most $0.40 was not made
	// audit: talk-1 failed budget_exceeded for $0.80
}
