package instrument_test

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"go.opentelemetry.io/otel/codes"

	grpccodes "google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/semconv"
)

// says is an error that says how its job ends, as one can without importing this module.
type says string

func (s says) Error() string      { return "as said: " + string(s) }
func (s says) JobOutcome() string { return string(s) }

type panicsInOutcome struct{}

func (panicsInOutcome) Error() string      { return "" }
func (panicsInOutcome) JobOutcome() string { panic("JobOutcome") }

var (
	completed = instrument.Outcome{Attempt: semconv.OutcomeCompleted, Status: semconv.JobStatusCompleted}
	canceled  = instrument.Outcome{Attempt: semconv.OutcomeCanceled, Status: semconv.JobStatusCanceled, ErrorType: "canceled"}
)

func failed(errorType string) instrument.Outcome {
	return instrument.Outcome{Attempt: semconv.OutcomeFailed, Status: semconv.JobStatusFailed, ErrorType: errorType}
}

func retried(errorType string) instrument.Outcome {
	return instrument.Outcome{Attempt: semconv.OutcomeRetried, ErrorType: errorType}
}

func goesOn(o semconv.Outcome) instrument.Outcome { return instrument.Outcome{Attempt: o} }

type parent func(context.Context) (context.Context, context.CancelFunc)

var errCause = &ownType{"codec"}

func causeParent(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	cancel(errCause)
	return ctx, func() {}
}

func liveParent(ctx context.Context) (context.Context, context.CancelFunc) { return ctx, func() {} }

// The outcome of an attempt by its error and the context of its job. Each row is tried with a last
// attempt and with one before it, by OutcomeOf, by RunJob and by RunStage.
func TestOutcome(t *testing.T) {
	exit := func(script string) error { return exec.Command("sh", "-c", script).Run() }
	tests := []struct {
		reason     string
		parent     parent
		err        error
		want       instrument.Outcome
		moreToCome instrument.Outcome
	}{
		{"no error", liveParent, nil, completed, completed},
		{"no error, though the caller had gone", canceledParent, nil, completed, completed},
		{"no error, though it was too late", expiredParent, nil, completed, completed},

		{"says completed", liveParent, says("completed"), completed, completed},
		{"says failed", liveParent, says("failed"), failed("instrument_test.says"), failed("instrument_test.says")},
		{"says canceled", liveParent, says("canceled"), canceled, canceled},
		{"says retried", liveParent, says("retried"), retried("instrument_test.says"), retried("instrument_test.says")},
		{"says snoozed", liveParent, says("snoozed"), goesOn("snoozed"), goesOn("snoozed")},
		{"says interrupted", liveParent, says("interrupted"), goesOn("interrupted"), goesOn("interrupted")},
		{"says it further in", liveParent, fmt.Errorf("x: %w", errors.Join(errDecoder, says("snoozed"))), goesOn("snoozed"), goesOn("snoozed")},
		{"says it under a canceled context", canceledParent, says("interrupted"), goesOn("interrupted"), goesOn("interrupted")},
		{"says failed under a canceled context", canceledParent, says("failed"), failed("instrument_test.says"), failed("instrument_test.says")},
		{"says failed of a cancellation", canceledParent, errors.Join(says("failed"), context.Canceled), failed("instrument_test.says"), failed("instrument_test.says")},
		{"says failed after a deadline", expiredParent, says("failed"), failed("timeout"), failed("timeout")},
		{"of several the gravest", liveParent, errors.Join(says("completed"), says("snoozed"), says("failed"), says("canceled")), failed("instrument_test.says"), failed("instrument_test.says")},
		{"says lost, which no process can", liveParent, says("lost"), failed("instrument_test.says"), retried("instrument_test.says")},
		{"says superseded, which no process can", liveParent, says("superseded"), failed("instrument_test.says"), retried("instrument_test.says")},
		{"says something else", liveParent, says("maybe"), failed("instrument_test.says"), retried("instrument_test.says")},
		{"says nothing", liveParent, says(""), failed("instrument_test.says"), retried("instrument_test.says")},
		{"panics when asked", liveParent, panicsInOutcome{}, failed("instrument_test.panicsInOutcome"), retried("instrument_test.panicsInOutcome")},
		{"wraps itself", liveParent, &wrapsItself{}, failed("instrument_test.wrapsItself"), retried("instrument_test.wrapsItself")},
		{"a panic with what says snoozed", liveParent, &instrument.PanicError{Value: says("snoozed")}, failed("panic"), retried("panic")},
		{"a panic beside what says snoozed", liveParent, errors.Join(says("snoozed"), &instrument.PanicError{Value: "boom"}), failed("panic"), retried("panic")},

		{"any error under a canceled context", canceledParent, errDecoder, canceled, canceled},
		{"the context's own", canceledParent, context.Canceled, canceled, canceled},
		{"an inner deadline under a canceled context", canceledParent, context.DeadlineExceeded, canceled, canceled},
		{"the cause of a canceled context, whatever its type", causeParent, fmt.Errorf("x: %w", errCause), canceled, canceled},
		{"the cause of another context", canceledParent, errCause, failed("codec"), retried("codec")},
		{"any error after a deadline", expiredParent, errDecoder, failed("timeout"), retried("timeout")},
		{"a cancellation after a deadline", expiredParent, context.Canceled, failed("timeout"), retried("timeout")},
		{"a killed process under a canceled context", canceledParent, exit("kill -9 $$"), canceled, canceled},
		{"a killed process after a deadline", expiredParent, exit("kill -9 $$"), failed("timeout"), retried("timeout")},
		{"a process whose shell tells of a signal", canceledParent, exit("exit 143"), canceled, canceled},
		{"57014 under a canceled context", canceledParent, &pgError{"57014"}, canceled, canceled},
		{"57014 after a deadline", expiredParent, &pgError{"57014"}, failed("timeout"), retried("timeout")},

		{"its own word under a canceled context", canceledParent, &ownType{"codec"}, failed("codec"), retried("codec")},
		{"its own word after a deadline", expiredParent, &ownType{"codec"}, failed("codec"), retried("codec")},
		{"an HTTP status under a canceled context", canceledParent, &statusField{503}, failed("http_503"), retried("http_503")},
		{"an HTTP status beside a cancellation", canceledParent, errors.Join(context.Canceled, &statusField{503}), failed("http_503"), retried("http_503")},
		{"a gRPC status under a canceled context", canceledParent, status.Error(grpccodes.NotFound, "x"), failed("grpc_not_found"), retried("grpc_not_found")},
		{"an SQLState under a canceled context", canceledParent, &pgError{"23505"}, failed("sqlstate_23"), retried("sqlstate_23")},
		{"an exit code under a canceled context", canceledParent, exit("exit 3"), failed("exec_exit"), retried("exec_exit")},
		{"a panic under a canceled context", canceledParent, &instrument.PanicError{Value: context.Canceled}, failed("panic"), retried("panic")},

		{"its own word is canceled", liveParent, &ownType{"canceled"}, canceled, canceled},
		{"its own word is canceled, wrapped", liveParent, fmt.Errorf("x: %w", canceledFor{errDecoder}), canceled, canceled},
		{"gRPC's word is canceled", liveParent, fmt.Errorf("x: %w", status.Error(grpccodes.Canceled, "x")), canceled, canceled},
		{"gRPC's word beside a failure", liveParent, errors.Join(status.Error(grpccodes.Canceled, "x"), errDecoder), failed("error"), retried("error")},
		{"gRPC's deadline", liveParent, status.Error(grpccodes.DeadlineExceeded, "x"), failed("timeout"), retried("timeout")},

		{"anything else", liveParent, errDecoder, failed("error"), retried("error")},
		{"an inner cancellation", liveParent, fmt.Errorf("x: %w", context.Canceled), failed("aborted"), retried("aborted")},
		{"an inner deadline", liveParent, context.DeadlineExceeded, failed("timeout"), retried("timeout")},
		{"57014 of a statement's own time limit", liveParent, &pgError{"57014"}, failed("sqlstate_57"), retried("sqlstate_57")},
		{"a process that somebody killed", liveParent, exit("kill -9 $$"), failed("exec_signal"), retried("exec_signal")},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			for _, of := range []struct {
				n, most int
				want    instrument.Outcome
			}{{0, 0, tt.want}, {5, 0, tt.want}, {3, 3, tt.want}, {2, 3, tt.moreToCome}} {
				checkOutcome(t, tt.parent, tt.err, of.n, of.most, of.want)
			}
			checkOutcomeOfStage(t, tt.parent, tt.err, tt.want)
		})
	}
}

// checkOutcome checks what a job says before and after its end, and what it records.
func checkOutcome(t *testing.T, parent parent, err error, n, most int, want instrument.Outcome) {
	t.Helper()
	p, rec := instrumenttest.New(t)
	ctx, cancel := parent(t.Context())
	defer cancel()
	var opts []instrument.JobOption
	if n > 0 {
		opts = append(opts, instrument.WithAttempt(n, most))
	} else if got := instrument.OutcomeOf(instrument.ContextWithPipeline(ctx, p), err); got != want {
		t.Errorf("outside of any job OutcomeOf = %+v, want %+v", got, want)
	}
	var inJob context.Context
	_ = p.RunJob(ctx, "job-1", func(ctx context.Context) error {
		inJob = ctx
		inner, stop := context.WithCancel(ctx)
		stop() // the job's context decides
		if got := instrument.OutcomeOf(inner, err); got != want {
			t.Errorf("attempt %d of %d: OutcomeOf = %+v, want %+v", n, most, got, want)
		}
		return err
	}, opts...)
	cancel()
	if got := instrument.OutcomeOf(inJob, err); got != want {
		t.Errorf("attempt %d of %d: after the end, with a context that was canceled since, OutcomeOf = %+v, want %+v", n, most, got, want)
	}

	s := rec.Snapshot()
	for _, o := range semconv.OutcomeValues()[:6] { // lost and superseded are on no metric of a process
		if got := s.Counter(vp("attempts_total"), label("outcome", string(o))); (got == 1) != (o == want.Attempt) || got > 1 {
			t.Errorf("attempt %d of %d: attempts_total{outcome=%q} = %v, want %s", n, most, o, got, want.Attempt)
		}
	}
	for _, status := range []semconv.JobStatus{semconv.JobStatusCompleted, semconv.JobStatusFailed, semconv.JobStatusCanceled} {
		got := s.Counter(vp("jobs_total"), label("status", string(status)))
		if (got == 1) != (status == want.Status) || got > 1 {
			t.Errorf("attempt %d of %d: jobs_total{status=%q} = %v, want status %q", n, most, status, got, want.Status)
		}
		if h := s.Histogram(vp("job_duration_seconds"), label("status", string(status))); h.Count != uint64(got) {
			t.Errorf("job_duration_seconds{status=%q} has %d values", status, h.Count)
		}
	}
	if h := s.Histogram(vp("cost_per_job_usd")); (h.Count == 1) != (want.Status != "") {
		t.Errorf("cost_per_job_usd has %d values in a job with the status %q", h.Count, want.Status)
	}
	if got := s.Counter(vp("jobs_total"), label("status", "processing")); got != 1 {
		t.Errorf("processing = %v, want 1 for each start", got)
	}
	checkEnd(t, rec, "job", want)
}

func checkOutcomeOfStage(t *testing.T, parent parent, err error, want instrument.Outcome) {
	t.Helper()
	p, rec := instrumenttest.New(t)
	ctx, cancel := parent(instrument.ContextWithPipeline(t.Context(), p))
	defer cancel()
	_ = failIn(ctx, "analysis", err)
	checkEnd(t, rec, "stage analysis", want)
}

// checkEnd checks errors_total, and the span.
func checkEnd(t *testing.T, rec *instrumenttest.Recorder, name string, want instrument.Outcome) {
	t.Helper()
	span := rec.Span(name)
	var outcome, status, errorType string
	for _, a := range span.Attributes {
		switch a.Key {
		case "video.processing.outcome":
			outcome = a.Value.AsString()
		case "video.processing.job.status":
			status = a.Value.AsString()
		case "error.type":
			errorType = a.Value.AsString()
		}
	}
	wantErrors, wantCode, wantType := 0.0, codes.Unset, ""
	if want.Attempt == semconv.OutcomeFailed || want.Attempt == semconv.OutcomeRetried {
		wantErrors, wantCode, wantType = 1, codes.Error, want.ErrorType
	}
	if span.Status.Code != wantCode || errorType != wantType || len(span.Events) != int(wantErrors) {
		t.Errorf("%s: span status %v, error.type %q, %d events, want %v, %q", name, span.Status.Code, errorType, len(span.Events), wantCode, wantType)
	}
	if outcome != string(want.Attempt) && (name == "job" || outcome != "" || want.Attempt != semconv.OutcomeCompleted) {
		t.Errorf("%s: the span's outcome is %q, want %q", name, outcome, want.Attempt)
	}
	if name == "job" && status != string(want.Status) {
		t.Errorf("%s: the span's status is %q, want %q", name, status, want.Status)
	}
	if got := rec.Counter(vp("errors_total")); got != wantErrors {
		t.Errorf("%s: errors_total = %v, want %v", name, got, wantErrors)
	}
}

// A Goexit ends the attempt as any failure does.
func TestOutcomeOfAGoexit(t *testing.T) {
	for most, want := range map[int]string{1: "failed", 2: "retried"} {
		p, rec := instrumenttest.New(t)
		apart(func() {
			_ = p.RunJob(context.Background(), "job-1", func(context.Context) error { runtime.Goexit(); return nil },
				instrument.WithAttempt(1, most))
		})
		if got := rec.Counter(vp("attempts_total"), label("outcome", want)); got != 1 {
			t.Errorf("attempt 1 of %d: %v %s, want 1", most, got, want)
		}
		if got := errorsByStage(rec); got != "job/goexit=1" {
			t.Errorf("errors_total is %q", got)
		}
	}
}

// The user can say what a library's error means. That comes before the word of the error itself.
func TestWithOutcome(t *testing.T) {
	reports := captureReports(t)
	errLater := errors.New("library: later")
	decide := func(err error) semconv.Outcome {
		switch {
		case errors.Is(err, errLater):
			return semconv.OutcomeSnoozed
		case errors.Is(err, errFirst):
			return semconv.OutcomeLost // no word of a process
		case errors.Is(err, errSecond):
			panic("decide")
		}
		return ""
	}
	for _, tt := range []struct {
		err  error
		want instrument.Outcome
	}{
		{fmt.Errorf("x: %w", errLater), goesOn("snoozed")},
		{errors.Join(says("failed"), errLater), goesOn("snoozed")},
		{says("interrupted"), goesOn("interrupted")},
		{errFirst, failed("error")},
		{errSecond, failed("error")},
		{nil, completed},
	} {
		checked := 0
		p, _ := instrumenttest.New(t, instrument.WithOutcome(func(err error) semconv.Outcome {
			if checked++; err == nil {
				t.Error("asked about no error")
			}
			return decide(err)
		}))
		if got := instrument.OutcomeOf(instrument.ContextWithPipeline(t.Context(), p), tt.err); got != tt.want {
			t.Errorf("%v: %+v, want %+v", tt.err, got, tt.want)
		}
	}
	reports.expect(t, "the function of WithOutcome panicked: decide")
}

// The classifier's word is a type of its own, and its canceled a cancellation.
func TestOutcomeByTheClassifier(t *testing.T) {
	for _, tt := range []struct {
		word   string
		parent parent
		want   instrument.Outcome
	}{
		{"codec", liveParent, failed("codec")},
		{"codec", canceledParent, failed("codec")},
		{"codec", expiredParent, failed("codec")},
		{"canceled", liveParent, canceled},
		{"", canceledParent, canceled},
	} {
		p, _ := instrumenttest.New(t, instrument.WithErrorClassifier(func(error) string { return tt.word }))
		ctx, cancel := tt.parent(instrument.ContextWithPipeline(t.Context(), p))
		if got := instrument.OutcomeOf(ctx, errDecoder); got != tt.want {
			t.Errorf("classified %q: %+v, want %+v", tt.word, got, tt.want)
		}
		cancel()
	}
}

// Outside of any pipeline the rule is the same.
func TestOutcomeWithoutAPipeline(t *testing.T) {
	ctx, cancel := context.WithDeadline(instrument.ContextWithPipeline(context.Background(), nil), time.Unix(1, 0))
	defer cancel()
	if got := instrument.OutcomeOf(ctx, errDecoder); got != failed("timeout") {
		t.Errorf("%+v", got)
	}
}
