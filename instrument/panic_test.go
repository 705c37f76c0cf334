package instrument_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// The ways of measuring a function that panics.
var measured = map[string]func(p *instrument.Pipeline, f func()) error{
	"RunJob": func(p *instrument.Pipeline, f func()) error {
		return p.RunJob(context.Background(), "job-1", func(context.Context) error { f(); return nil })
	},
	"Job.End": func(p *instrument.Pipeline, f func()) (err error) {
		_, job := p.StartJob(context.Background(), "job-1")
		defer job.End(&err)
		f()
		return nil
	},
	"RunStage": func(p *instrument.Pipeline, f func()) error {
		_, err := instrument.RunStageValue(instrument.ContextWithPipeline(context.Background(), p), "analysis",
			func(context.Context) (int, error) { f(); return 0, nil })
		return err
	},
	"Stage.End": func(p *instrument.Pipeline, f func()) (err error) {
		_, stage := instrument.StartStage(instrument.ContextWithPipeline(context.Background(), p), "analysis")
		defer stage.End(&err)
		f()
		return nil
	},
	"RunCall": func(p *instrument.Pipeline, f func()) error {
		_, err := instrument.RunCallValue(instrument.ContextWithPipeline(context.Background(), p), "whisper", nil,
			func(context.Context) (int, error) { f(); return 0, nil })
		return err
	},
	"Call.End": func(p *instrument.Pipeline, f func()) (err error) {
		_, call, err := instrument.StartCall(instrument.ContextWithPipeline(context.Background(), p), "whisper")
		defer call.End(&err)
		f()
		return err
	},
	"nested": func(p *instrument.Pipeline, f func()) error {
		return p.RunJob(context.Background(), "job-1", func(ctx context.Context) error {
			_, err := instrument.RunStageValue(ctx, "outer", func(ctx context.Context) (_ int, err error) {
				ctx, stage := instrument.StartStage(ctx, "inner")
				defer stage.End(&err)
				return instrument.RunCallValue(ctx, "whisper", nil, func(context.Context) (int, error) { f(); return 0, nil })
			})
			return err
		})
	},
}

type hasFunc struct{ f func() }

// cyclic is a value that fmt prints for ever.
func cyclic() map[string]any {
	m := make(map[string]any)
	m["self"] = m
	return m
}

// stubborn is a value whose methods panic as well.
type stubborn struct{}

func (stubborn) Error() string  { panic("Error") }
func (stubborn) String() string { panic("String") }

// A panic counted as a success, or not at all, hides the worst failure of all. One that changes on its way breaks the
// recover of whoever waits for it.
func TestPanic(t *testing.T) {
	slice, pointer := []string{"a"}, &video{"x"}
	values := []struct {
		reason string
		panic  func()
		same   func(v any) bool
	}{
		{"text", func() { panic("boom") }, func(v any) bool { return v == "boom" }},
		{"an error", func() { panic(errDecoder) }, func(v any) bool { return v == errDecoder }},
		{"a pointer", func() { panic(pointer) }, func(v any) bool { return v == pointer }},
		{"nil", func() { panic(nil) }, func(v any) bool { _, ok := v.(*runtime.PanicNilError); return ok }},
		{"a runtime error", func() { _ = slice[len(slice)] }, func(v any) bool { _, ok := v.(runtime.Error); return ok }},
		{"a slice, which can't be compared", func() { panic(slice) },
			func(v any) bool { s, ok := v.([]string); return ok && &s[0] == &slice[0] }},
		{"a map, which can't be compared", func() { panic(map[string]int{"a": 1}) },
			func(v any) bool { return reflect.DeepEqual(v, map[string]int{"a": 1}) }},
		{"a struct with a function, which can't be compared", func() { panic(hasFunc{func() {}}) },
			func(v any) bool { s, ok := v.(hasFunc); return ok && s.f != nil }},
		{"an interface in a struct that can't be compared", func() { panic(struct{ v any }{slice}) },
			func(v any) bool { return reflect.TypeOf(v).NumField() == 1 }},
		{"a value that contains itself", func() { panic(cyclic()) },
			func(v any) bool { m, ok := v.(map[string]any); return ok && m["self"] != nil }},
		{"a value whose methods panic", func() { panic(stubborn{}) }, func(v any) bool { _, ok := v.(stubborn); return ok }},
		{"a nil pointer that is an error", func() { panic((*os.PathError)(nil)) },
			func(v any) bool { e, ok := v.(*os.PathError); return ok && e == nil }},
		{"an error that the context has", func() { panic(context.Canceled) }, func(v any) bool { return v == context.Canceled }},
	}
	for how, run := range measured {
		for _, tt := range values {
			t.Run(how+"/"+tt.reason, func(t *testing.T) {
				p, rec := instrumenttest.New(t)
				if v := recovered(func() { _ = run(p, tt.panic) }); v == nil || !tt.same(v) {
					t.Errorf("the panic came out as %T", v)
				}
				expectPanicCounted(t, rec, how)
			})
			t.Run(how+"/recovered/"+tt.reason, func(t *testing.T) {
				p, rec := instrumenttest.New(t, instrument.WithRecover())
				var err error
				if v := recovered(func() { err = run(p, tt.panic) }); v != nil {
					t.Fatalf("panicked with %T in spite of WithRecover", v)
				}
				var pe *instrument.PanicError
				if !errors.As(err, &pe) || !tt.same(pe.Value) {
					t.Fatalf("err is a %T, want a *PanicError of the value", err)
				}
				if pe.ErrorType() != "panic" || !strings.HasPrefix(pe.Error(), "panic: ") {
					t.Errorf("type %q, text %q", pe.ErrorType(), pe.Error())
				}
				if !strings.Contains(string(pe.Stack), "panic_test.go") {
					t.Errorf("the stack does not show where it was:\n%s", pe.Stack)
				}
				expectPanicCounted(t, rec, how)
			})
		}
	}
}

// A panic of the user's own functions is reported by what it is, not by what it points to: to print a value that
// contains itself ends the process.
func TestHelperThatPanicsWithACycle(t *testing.T) {
	reports := captureReports(t)
	p, _ := instrumenttest.New(t)
	price := func(int) instrument.USD { panic(cyclic()) }
	_, err := instrument.RunCallValue(instrument.ContextWithPipeline(t.Context(), p), "gpt", price,
		func(context.Context) (int, error) { return 1, nil })
	if err != nil {
		t.Errorf("the call failed for it: %v", err)
	}
	reports.expect(t, "panicked: (map[string]interface {})")
}

func expectPanicCounted(t *testing.T, rec *instrumenttest.Recorder, how string) {
	t.Helper()
	tree, errs := map[string]string{
		"RunJob":  "job error=panic",
		"RunCall": "call whisper (client) error=panic",
		"nested": `
			job error=panic
			  stage outer error=panic
			    stage inner error=panic
			      call whisper (client) error=panic`,
	}, map[string]string{
		"RunJob":   "job/panic=1",
		"RunStage": "analysis/panic=1",
		"nested":   "inner/panic=1", // and not a second one for the outer stage, or a third for the job
	}
	tree["Job.End"], errs["Job.End"] = tree["RunJob"], errs["RunJob"]
	tree["RunStage"], tree["Stage.End"] = "stage analysis error=panic", "stage analysis error=panic"
	errs["Stage.End"] = errs["RunStage"]
	tree["Call.End"] = tree["RunCall"]

	rec.AssertSpanTree(tree[how])
	if got := errorsByStage(rec); got != errs[how] {
		t.Errorf("errors_total is %q, want %q", got, errs[how])
	}
	s := rec.Snapshot()
	for _, gauge := range []string{"jobs_in_progress", "stages_in_progress"} {
		if got, _ := s.Gauge(vp(gauge)); got != 0 {
			t.Errorf("%s = %v, want 0: it never comes back otherwise", gauge, got)
		}
	}
	jobs := strings.Count(tree[how], "job ")
	if got := s.Counter(vp("jobs_total"), label("status", "failed")); got != float64(jobs) {
		t.Errorf("failed jobs = %v, want %d", got, jobs)
	}
	if got := s.Counter(vp("jobs_total"), label("status", "completed")) + s.Counter(vp("jobs_total"), label("status", "canceled")); got != 0 {
		t.Errorf("%v jobs completed or canceled by a panic", got)
	}
	calls := strings.Count(tree[how], "call ")
	if got := s.Counter(vp("api_calls_total"), label("status", "error")); got != float64(calls) {
		t.Errorf("failed calls = %v, want %d", got, calls)
	}
	for _, span := range rec.Spans() {
		if len(span.Events) != 1 {
			t.Fatalf("%s has %d events, want one exception", span.Name, len(span.Events))
		}
		var stack string
		for _, a := range span.Events[0].Attributes {
			if a.Key == "exception.stacktrace" {
				stack = a.Value.AsString()
			}
		}
		// With WithRecover the innermost one has it; further out it is an error like any other.
		innermost := how != "nested" || span.Name == "call whisper"
		if innermost && !strings.Contains(stack, "panic_test.go") {
			t.Errorf("%s has no stack of the panic: %q", span.Name, stack)
		}
	}
}

// With nowhere to put the error, End(nil) must not swallow the panic: the function would go on as if it had returned.
func TestRecoverWithoutAPlaceForTheErrorPanicsOn(t *testing.T) {
	p, _ := instrumenttest.New(t, instrument.WithRecover())
	v := recovered(func() {
		ctx, job := p.StartJob(t.Context(), "job-1")
		defer job.End(nil)
		_, stage := instrument.StartStage(ctx, "analysis")
		defer stage.End(nil)
		panic("boom")
	})
	if v != "boom" {
		t.Errorf("recovered %v, want boom", v)
	}
}

// Go gives a panic to the function that is deferred itself. An End within a deferred closure can't see it, and counts
// what its error says; the panic passes, and the gauges go back.
func TestEndInADeferredClosure(t *testing.T) {
	for _, opts := range [][]instrument.Option{nil, {instrument.WithRecover()}} {
		p, rec := instrumenttest.New(t, opts...)
		v := recovered(func() {
			err := errDecoder
			_, job := p.StartJob(t.Context(), "job-1")
			defer func() { job.End(&err) }()
			panic("boom")
		})
		if v != "boom" {
			t.Errorf("recovered %v, want boom", v)
		}
		if got, _ := rec.Gauge(vp("jobs_in_progress")); got != 0 {
			t.Errorf("jobs_in_progress = %v, want 0", got)
		}
		if got := rec.Counter(vp("jobs_total"), label("status", "failed")); got != 1 {
			t.Errorf("failed = %v, want 1", got)
		}
	}
}

// A panic under a context that is over is still a panic: "canceled" would hide it from every alert.
func TestPanicUnderACanceledContext(t *testing.T) {
	for _, opts := range [][]instrument.Option{nil, {instrument.WithRecover()}} {
		p, rec := instrumenttest.New(t, opts...)
		ctx, cancel := canceledParent(t.Context())
		_ = recovered(func() {
			_ = p.RunJob(ctx, "job-1", func(ctx context.Context) error {
				_, err := instrument.RunStageValue(ctx, "analysis", func(ctx context.Context) (int, error) { panic(ctx.Err()) })
				return err
			})
		})
		cancel()
		rec.AssertSpanTree(`
			job error=panic
			  stage analysis error=panic
		`)
		if got := rec.Counter(vp("jobs_total"), label("status", "failed")); got != 1 {
			t.Errorf("failed = %v, want 1", got)
		}
	}
}

// http.ErrAbortHandler asks net/http to drop the connection: turned into an error it would be an
// answer instead. It passes, and is counted as any panic. An error that only wraps it, or reads
// like it, is another one for net/http too.
func TestErrAbortHandlerPassesWithRecover(t *testing.T) {
	for _, tt := range []struct {
		value  any
		passes bool
	}{
		{http.ErrAbortHandler, true},
		{fmt.Errorf("x: %w", http.ErrAbortHandler), false},
		{http.ErrAbortHandler.Error(), false},
		{sentinel(http.ErrAbortHandler.Error()), false},
		{errDecoder, false},
	} {
		for how, run := range measured {
			p, rec := instrumenttest.New(t, instrument.WithRecover())
			var err error
			v := recovered(func() { err = run(p, func() { panic(tt.value) }) })
			if tt.passes != (v == tt.value) || tt.passes != (err == nil) {
				t.Errorf("%s: %T %v: panic %v, error %v", how, tt.value, tt.value, v, err)
			}
			expectPanicCounted(t, rec, how)
		}
	}
}

// PanicError.Unwrap lets errors.Is find the error that a library panicked with.
func TestPanicErrorUnwraps(t *testing.T) {
	if err := (&instrument.PanicError{Value: fmt.Errorf("x: %w", errDecoder)}); !errors.Is(err, errDecoder) {
		t.Errorf("%v does not wrap its value", err)
	}
	if err := (&instrument.PanicError{Value: "text"}); errors.Unwrap(err) != nil {
		t.Errorf("%v wraps %v", err, errors.Unwrap(err))
	}
}

// What a panic points to still belongs to the goroutines that use it: to print it would be a race, which only the
// race detector sees, and which can crash the process that just survived.
func TestPanicValueIsNotRead(t *testing.T) {
	p, _ := instrumenttest.New(t, instrument.WithRecover())
	shared := &struct{ n int }{}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				shared.n++
			}
		}
	})
	for range 100 {
		err := p.RunJob(t.Context(), "job-1", func(ctx context.Context) error {
			_, err := instrument.RunStageValue(ctx, "analysis", func(context.Context) (int, error) { panic(shared) })
			return err
		})
		if !strings.Contains(err.Error(), "struct") {
			t.Errorf("text = %q, want the type", err)
			break
		}
	}
	close(stop)
	wg.Wait()
}

// The programs that crash, played by this test binary; see TestMain.
const crashVariable = "STAGEMETER_TEST_CRASH"

var crashes = func() map[string]func() {
	m := make(map[string]func())
	for how, run := range measured {
		m[how] = func() {
			p, err := instrument.New()
			if err != nil {
				panic(err)
			}
			_ = run(p, whereItBegan)
		}
	}
	return m
}()

//go:noinline
func whereItBegan() {
	var frames []int
	_ = frames[len(os.Args)]
}

// A crash report that begins in a library's recover sends everybody looking in the wrong place. The trace of a real
// crashing process has to show the function that panicked.
func TestCrashShowsWhereThePanicBegan(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for how := range measured {
		t.Run(how, func(t *testing.T) {
			cmd := exec.Command(exe)
			cmd.Env = append(os.Environ(), crashVariable+"="+how, "GOTRACEBACK=single")
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 2 {
				t.Fatalf("the process ended with %v, want a crash:\n%s", err, out)
			}
			for _, want := range []string{"panic: runtime error: index out of range [1] with length 0", "instrument_test.whereItBegan", "panic_test.go"} {
				if !strings.Contains(string(out), want) {
					t.Errorf("no %q in the crash report:\n%s", want, out)
				}
			}
		})
	}
}
