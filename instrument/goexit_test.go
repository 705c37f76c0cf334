package instrument_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/instrument/money"
	"github.com/stagemeter/stagemeter/semconv"
)

// A Goexit is one failure, also if a stage that cannot see it lies between those that can.
func TestGoexitCountsOncePastADeferredEnd(t *testing.T) {
	p, rec := instrumenttest.New(t)
	inGoroutine(func() {
		_ = p.RunJob(t.Context(), "job-1", func(ctx context.Context) error {
			return instrument.RunStage(ctx, "outer", func(ctx context.Context) (err error) {
				ctx, stage := instrument.StartStage(ctx, "between")
				defer stage.End(&err)
				return instrument.RunStage(ctx, "inner", func(context.Context) error { runtime.Goexit(); return nil })
			})
		})
	})
	// Another one, in another goroutine, is another failure.
	inGoroutine(func() {
		_ = p.RunJob(t.Context(), "job-2", func(context.Context) error { runtime.Goexit(); return nil })
	})
	for stage, want := range map[string]float64{"inner": 1, "between": 0, "outer": 0, "job": 1} {
		if got := rec.Counter(vp("errors_total"), semconv.AttrStage.String(stage)); got != want {
			t.Errorf("%v errors of %s, want %v", got, stage, want)
		}
	}
}

func inGoroutine(f func()) {
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	<-done
}

// brokenBy is an error each of whose methods calls f.
type brokenBy struct {
	error
	f func()
}

func (e brokenBy) Error() string        { e.f(); return "" }
func (e brokenBy) Is(error) bool        { e.f(); return false }
func (e brokenBy) As(any) bool          { e.f(); return false }
func (e brokenBy) Unwrap() error        { e.f(); return nil }
func (e brokenBy) ErrorType() string    { e.f(); return "" }
func (e brokenBy) JobOutcome() string   { e.f(); return "" }
func (e brokenBy) Timeout() bool        { e.f(); return false }
func (e brokenBy) StatusCode() int      { e.f(); return 0 }
func (e brokenBy) SQLState() string     { e.f(); return "" }
func (e brokenBy) GRPCStatus() brokenBy { e.f(); return e }
func (e brokenBy) Code() uint32         { e.f(); return 0 }

// brokenWord says one thing of itself, by a method that calls f; its other methods return.
type brokenWord struct {
	error
	f func()
}

func (e brokenWord) JobOutcome() string { e.f(); return "" }

// brokenCarrier calls f for each of its methods.
type brokenCarrier struct{ f func() }

func (c brokenCarrier) Get(string) string  { c.f(); return "" }
func (c brokenCarrier) Set(string, string) { c.f() }
func (c brokenCarrier) Keys() []string     { c.f(); return nil }

// ledgerThat fails with an error that is the user's.
type ledgerThat struct {
	budget.Ledger
	err error
}

func (l ledgerThat) Open(ctx context.Context, scopes ...budget.Scope) (budget.Account, budget.Balance, error) {
	a, bal, err := l.Ledger.Open(ctx, scopes...)
	return accountThat{a, l.err}, bal, err
}

type accountThat struct {
	budget.Account
	err error
}

func (a accountThat) Reserve(context.Context, budget.Hold) (budget.Balance, error) {
	return budget.Balance{}, a.err
}

func (a accountThat) Settle(context.Context, budget.Hold, money.USD) (budget.Balance, error) {
	return budget.Balance{}, errors.Join(a.err, budget.ErrInvalid)
}

// userFunctions are the functions of the user's that this package calls, each as an option of a pipeline or as what
// happens in a job. f is what such a function does.
var userFunctions = []struct {
	name    string
	options func(f func()) []instrument.Option
	job     func(f func()) []instrument.JobOption
	fails   func(f func()) error // what the job's stage fails with
	price   bool                 // the call has the price function that calls f
	ends    bool                 // f is called by the job's own goroutine, which a Goexit ends
}{
	{name: "WithOutcome", options: func(f func()) []instrument.Option {
		return []instrument.Option{instrument.WithOutcome(func(error) semconv.Outcome { f(); return "" })}
	}, fails: func(func()) error { return errDecoder }},
	{name: "WithErrorClassifier", options: func(f func()) []instrument.Option {
		return []instrument.Option{instrument.WithErrorClassifier(func(error) string { f(); return "" })}
	}, fails: func(func()) error { return errDecoder }},
	{name: "methods of an error", fails: func(f func()) error { return brokenBy{errDecoder, f} }},
	{name: "a method of a wrapped error", fails: func(f func()) error { return fmt.Errorf("x: %w", brokenWord{errDecoder, f}) }},
	{name: "methods of a joined error", fails: func(f func()) error { return errors.Join(errDecoder, brokenBy{errDecoder, f}) }},
	{name: "methods of a panic's value", fails: func(f func()) error { panic(brokenBy{errDecoder, f}) }},
	{name: "WithCarrier", job: func(f func()) []instrument.JobOption {
		return []instrument.JobOption{instrument.WithCarrier(brokenCarrier{f})}
	}},
	{name: "errors of a ledger", options: func(f func()) []instrument.Option {
		return []instrument.Option{instrument.WithLedger(ledgerThat{budget.NewMemoryLedger(), brokenBy{errDecoder, f}})}
	}},
	{name: "JobStarted", ends: true, options: event(func(f func()) instrument.Events {
		return instrument.Events{JobStarted: func(context.Context, instrument.JobEvent) { f() }}
	})},
	{name: "JobEnded", ends: true, options: event(func(f func()) instrument.Events {
		return instrument.Events{JobEnded: func(context.Context, instrument.JobEvent) { f() }}
	})},
	{name: "StageStarted", ends: true, options: event(func(f func()) instrument.Events {
		return instrument.Events{StageStarted: func(context.Context, instrument.StageEvent) { f() }}
	})},
	{name: "StageEnded", ends: true, options: event(func(f func()) instrument.Events {
		return instrument.Events{StageEnded: func(context.Context, instrument.StageEvent) { f() }}
	})},
	{name: "CallStarted", ends: true, options: event(func(f func()) instrument.Events {
		return instrument.Events{CallStarted: func(context.Context, instrument.CallEvent) { f() }}
	})},
	{name: "CallEnded", ends: true, options: event(func(f func()) instrument.Events {
		return instrument.Events{CallEnded: func(context.Context, instrument.CallEvent) { f() }}
	})},
	{name: "CallRefused", ends: true, options: event(func(f func()) instrument.Events {
		return instrument.Events{CallRefused: func(context.Context, instrument.CallEvent) { f() }}
	})},
	{name: "Threshold", options: event(func(f func()) instrument.Events {
		return instrument.Events{Threshold: func(context.Context, instrument.ThresholdEvent) { f() }}
	})},
	{name: "Progress", ends: true, options: event(func(f func()) instrument.Events {
		return instrument.Events{Progress: func(context.Context, instrument.ProgressEvent) { f() }}
	})},
	{name: "the price function", ends: true, price: true},
}

func event(of func(f func()) instrument.Events) func(f func()) []instrument.Option {
	return func(f func()) []instrument.Option { return []instrument.Option{instrument.WithEvents(of(f))} }
}

// A function of the user's that panics or ends its goroutine leaves nothing under way: every job has an outcome, every
// span ends, and the budget holds nothing.
func TestUserFunctionsThatDoNotReturn(t *testing.T) {
	for _, tt := range userFunctions {
		for how, f := range map[string]func(){"panic": func() { panic("broken") }, "goexit": runtime.Goexit} {
			t.Run(tt.name+"/"+how, func(t *testing.T) {
				captureReports(t)
				var called atomic.Bool
				broken := func() { called.Store(true); f() }
				var opts []instrument.Option
				if tt.options != nil {
					opts = tt.options(broken)
				}
				p, rec := instrumenttest.New(t, append(opts, instrument.WithHistory(9))...)
				var jobOpts []instrument.JobOption
				if tt.job != nil {
					jobOpts = tt.job(broken)
				}
				returned := false
				inGoroutine(func() {
					_ = recovered(func() {
						_ = p.RunJob(context.Background(), "job-1", func(ctx context.Context) error {
							return breakInStage(ctx, broken, tt.fails, tt.price)
						}, append(jobOpts, instrument.WithBudget(2*cent))...)
					})
					returned = true
				})
				if !called.Load() {
					t.Fatal("the function is not called")
				}
				if want := how == "panic" || !tt.ends; returned != want {
					t.Errorf("the goroutine lives: %t, want %t", returned, want)
				}
				expectNothingUnderWay(t, p, rec)
				jobs, calls := rec.Counter(vp("attempts_total")), rec.Counter(vp("api_calls_total"))
				if got := len(rec.Spans()); float64(got) < jobs+calls { // and those of stages
					t.Errorf("%d spans have ended, of %v jobs and %v calls", got, jobs, calls)
				}
			})
		}
	}
}

func breakInStage(ctx context.Context, broken func(), fails func(func()) error, priced bool) error {
	return instrument.RunStage(ctx, "analysis", func(ctx context.Context) error {
		instrument.ReportProgress(ctx, 1, 2)
		price := func(int) instrument.USD { return cent }
		if priced {
			price = func(int) instrument.USD { broken(); return cent }
		}
		_, _ = instrument.RunCallValue(ctx, "whisper", price, func(context.Context) (int, error) { return 1, nil }, instrument.WithMaxCost(cent))
		_, _ = instrument.RunCallValue(ctx, "whisper", nil, func(context.Context) (int, error) { return 1, nil }, instrument.WithMaxCost(9*cent))
		if fails == nil {
			return nil
		}
		err := recoveredError(func() error { return fails(broken) })
		instrument.RecordError(ctx, err)
		return instrument.RunCall(ctx, "whisper", func(context.Context) error { return err }, instrument.WithMaxCost(cent))
	})
}

func recoveredError(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &instrument.PanicError{Value: v}
		}
	}()
	return f()
}

func expectNothingUnderWay(t *testing.T, p *instrument.Pipeline, rec *instrumenttest.Recorder) {
	t.Helper()
	s := rec.Snapshot()
	for _, gauge := range []string{"jobs_in_progress", "stages_in_progress", "api_calls_in_progress"} {
		if got, _ := s.Gauge(vp(gauge)); got != 0 {
			t.Errorf("%s = %v, want 0", gauge, got)
		}
	}
	started := s.Counter(vp("jobs_total"), label("status", "processing"))
	if got := s.Counter(vp("attempts_total")); got != started || started == 0 {
		t.Errorf("%v outcomes of %v jobs", got, started)
	}
	state := p.Snapshot(instrument.Query{})
	if len(state.Live) != 0 || len(state.Ended) != int(started) {
		t.Errorf("%d jobs live and %d have ended, of %v", len(state.Live), len(state.Ended), started)
	}
	for _, j := range state.Ended {
		if j.Outcome.Attempt == "" || j.Budget != nil && j.Budget.Held != 0 {
			t.Errorf("job %s: outcome %q, budget %+v", j.ID, j.Outcome.Attempt, j.Budget)
		}
	}
}

// The same outside of jobs that run: what a scrape calls, and what puts jobs into a queue.
func TestUserFunctionsThatDoNotReturnElsewhere(t *testing.T) {
	for how, f := range map[string]func(){"panic": func() { panic("broken") }, "goexit": runtime.Goexit} {
		t.Run("pool/"+how, func(t *testing.T) {
			captureReports(t)
			p, rec := instrumenttest.New(t)
			for name, stats := range map[string]func() instrument.PoolStats{
				"broken": func() instrument.PoolStats { f(); return instrument.PoolStats{} },
				"whole":  func() instrument.PoolStats { return instrument.PoolStats{Used: 3} },
			} {
				if _, err := p.ObservePool(instrument.PoolRedis, name, stats); err != nil {
					t.Fatal(err)
				}
			}
			var used float64
			inGoroutine(func() { used, _ = rec.Gauge(vp("redis_connections"), label("pool", "whole"), label("state", "used")) })
			if used != 3 {
				t.Errorf("the other pool uses %v, want 3", used)
			}
		})
		t.Run("enqueue/"+how, func(t *testing.T) {
			captureReports(t)
			p, rec := instrumenttest.New(t)
			inGoroutine(func() { p.Enqueue(t.Context(), "job-1", brokenCarrier{f}) })
			if got := rec.Counter(vp("jobs_total"), label("status", "queued")); got != 1 || len(rec.Spans()) != 1 {
				t.Errorf("%v jobs are queued, %d spans have ended, want 1", got, len(rec.Spans()))
			}
		})
		t.Run("insert/"+how, func(t *testing.T) {
			captureReports(t)
			p, rec := instrumenttest.New(t)
			inGoroutine(func() {
				_, insert := p.StartEnqueue(t.Context(), propagation.MapCarrier{})
				var err error = brokenBy{errDecoder, f}
				insert.End(&err)
			})
			if len(rec.Spans()) != 1 {
				t.Error("the span has not ended")
			}
		})
		t.Run("error handler/"+how, func(t *testing.T) {
			captureReports(t)
			otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) { f() }))
			p, rec := instrumenttest.New(t, instrument.WithNameLimit(1))
			inGoroutine(func() {
				_ = p.RunJob(context.Background(), "job-1", func(ctx context.Context) error {
					for i := range 3 {
						_, stage := instrument.StartStage(ctx, fmt.Sprint("stage-", i))
						stage.End(nil)
					}
					return nil
				})
			})
			if got := rec.Counter(vp("jobs_total"), label("status", "completed")); got != 1 {
				t.Errorf("%v jobs completed, want 1", got)
			}
		})
		t.Run("two that hear/"+how, func(t *testing.T) {
			captureReports(t)
			heard := 0
			p, _ := instrumenttest.New(t,
				instrument.WithEvents(instrument.Events{JobEnded: func(context.Context, instrument.JobEvent) { f() }}),
				instrument.WithEvents(instrument.Events{JobEnded: func(context.Context, instrument.JobEvent) { heard++ }}))
			inGoroutine(func() { _, job := p.StartJob(context.Background(), "job-1"); job.End(nil) })
			if heard != 1 {
				t.Errorf("the second heard %d times of the end, want once", heard)
			}
		})
	}
}

// spanThat calls f when a span of this name starts, or when it ends.
type spanThat struct {
	sdktrace.SpanProcessor
	start, end string
	f          func()
}

func (s spanThat) OnStart(_ context.Context, span sdktrace.ReadWriteSpan) {
	if span.Name() == s.start {
		s.f()
	}
}

func (s spanThat) OnEnd(span sdktrace.ReadOnlySpan) {
	if span.Name() == s.end {
		s.f()
	}
}

// Nor does a processor of spans, or a sampler, which is called at the same place.
func TestSpanProcessorsThatDoNotReturn(t *testing.T) {
	for how, f := range map[string]func(){"panic": func() { panic("broken") }, "goexit": runtime.Goexit} {
		for _, span := range []string{"job", "stage analysis", "call whisper"} {
			for _, processor := range []spanThat{{start: span, f: f}, {end: span, f: f}} {
				t.Run(fmt.Sprintf("%s/%s/starts=%t", how, span, processor.start != ""), func(t *testing.T) {
					captureReports(t)
					tp := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(processor))
					p, rec := instrumenttest.New(t, instrument.WithHistory(9), instrument.WithTracerProvider(tp))
					inGoroutine(func() {
						_ = recovered(func() {
							_ = p.RunJob(context.Background(), "job-1", func(ctx context.Context) error {
								return breakInStage(ctx, nil, nil, false)
							}, instrument.WithBudget(2*cent))
						})
					})
					if processor.start == "job" { // then there is none
						if live := p.Snapshot(instrument.Query{}).LiveJobs; live != 0 {
							t.Errorf("%d jobs live", live)
						}
						return
					}
					expectNothingUnderWay(t, p, rec)
				})
			}
		}
	}
}
