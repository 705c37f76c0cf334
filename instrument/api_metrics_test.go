package instrument_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// A call that the caller gave up is no failure of the API; one that was too slow is.
func TestStatusOfACall(t *testing.T) {
	for _, tt := range []struct {
		reason    string
		around    func(context.Context) (context.Context, context.CancelFunc)
		err       error
		status    string
		errorType string // counted in api_errors_total, unless it is empty
	}{
		{"it succeeded", nil, nil, "success", ""},
		{"it failed", nil, rejected, "error", "http_429"},
		{"its context was canceled", canceledNow, fmt.Errorf("post: %w", context.Canceled), "canceled", ""},
		{"its error is only canceled", nil, fmt.Errorf("post: %w", context.Canceled), "canceled", ""},
		{"it was canceled because it failed", nil, errors.Join(context.Canceled, rejected), "error", "http_429"},
		{"its deadline has passed", expiredNow, context.DeadlineExceeded, "error", "timeout"},
		{"its error is a deadline", nil, context.DeadlineExceeded, "error", "timeout"},
		{"its error says that it is none", nil, says("completed"), "success", ""},
		{"its error says later", nil, says("snoozed"), "success", ""},
		{"its error says canceled", nil, says("canceled"), "canceled", ""},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			p, rec := instrumenttest.New(t)
			ctx, job := p.StartJob(t.Context(), "job-1")
			if tt.around != nil {
				var cancel context.CancelFunc
				ctx, cancel = tt.around(ctx)
				defer cancel()
			}
			if err := instrument.RunCall(ctx, "gpt", func(context.Context) error { return tt.err }); err != tt.err {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			job.End(nil)
			for _, status := range []string{"success", "error", "canceled", "refused"} {
				want := 0.0
				if status == tt.status {
					want = 1
				}
				if got := rec.Counter(vp("api_calls_total"), label("api", "gpt"), label("status", status)); got != want {
					t.Errorf("%v calls with status %s, want %v", got, status, want)
				}
			}
			total, ofType := 0.0, 0.0
			if tt.errorType != "" {
				total, ofType = 1, rec.Counter(vp("api_errors_total"), label("api", "gpt"), label("error_type", tt.errorType))
			}
			if got := rec.Counter(vp("api_errors_total")); got != total || ofType != total {
				t.Errorf("%v errors, %v of them %s, want %v", got, ofType, tt.errorType, total)
			}
		})
	}
}

func TestDurationOfACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, rec := instrumenttest.New(t)
		ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(dollar))
		for _, err := range []error{nil, rejected, context.Canceled} {
			_ = instrument.RunCall(ctx, "gpt", func(context.Context) error { time.Sleep(3 * time.Second); return err })
		}
		if err := instrument.RunCall(ctx, "gpt", func(context.Context) error { return nil }, instrument.WithMaxCost(2*dollar)); err == nil {
			t.Fatal("the call was made")
		}
		job.End(nil)
		if got := rec.Histogram(vp("api_call_duration_seconds"), label("api", "gpt")); got.Count != 3 || got.Sum != 9 {
			t.Errorf("%d calls took %v s, want 3 and 9; a refused call took none", got.Count, got.Sum)
		}
	})
}

func TestErrorsOfAPIsAreBounded(t *testing.T) {
	reports := captureReports(t)
	var apis []string
	for i := range 12 {
		apis = append(apis, fmt.Sprint("api-", i))
	}
	p, rec := instrumenttest.New(t, instrument.WithNameLimit(2), instrument.WithAPIs("gpt", "whisper"), instrument.WithAPIs(apis...),
		instrument.WithErrorClassifier(func(err error) string { return err.Error() }))
	fail := func(api, errorType string) {
		_ = instrument.RunCall(instrument.ContextWithPipeline(t.Context(), p), api, func(context.Context) error { return errors.New(errorType) })
	}
	for i := range 5 {
		fail("gpt", fmt.Sprint("type-", i))
	}
	fail("gpt", "timeout")
	fail("whisper", "type-1")
	for errorType, want := range map[string]float64{"type-0": 1, "type-1": 2, "type-2": 0, "other": 3, "timeout": 1} {
		if got := rec.Counter(vp("api_errors_total"), label("error_type", errorType)); got != want {
			t.Errorf("%v errors of type %s, want %v", got, errorType, want)
		}
	}
	for _, api := range apis { // 3 combinations are there; more than ten times the limit become other
		fail(api, "type-0")
		fail(api, "type-1")
	}
	if got := rec.Counter(vp("api_errors_total"), label("error_type", "other")); got != 3+7 {
		t.Errorf("%v errors of type other, want 10", got)
	}
	if got := rec.Counter(vp("api_errors_total")); got != 31 {
		t.Errorf("%v errors, want 31", got)
	}
	reports.expect(t, `more than 2 types of errors of APIs: "type-2"`)
}

// A call that never ends is seen: while its job lives, on the job's span, and afterwards.
func TestCallsInProgress(t *testing.T) {
	p, rec := instrumenttest.New(t, instrument.WithAPIs("gpt", "whisper"))
	inProgress := func(api string) float64 {
		v, ok := rec.Gauge(vp("api_calls_in_progress"), label("api", api))
		if !ok {
			t.Errorf("no series of %s", api)
		}
		return v
	}
	ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(dollar))
	_, refused, err := instrument.StartCall(ctx, "gpt", instrument.WithMaxCost(2*dollar))
	if err == nil {
		t.Fatal("not refused")
	}
	_, ended, _ := instrument.StartCall(ctx, "gpt")
	ended.End(nil)
	_, open, err := instrument.StartCall(ctx, "gpt", instrument.WithMaxCost(40*cent))
	if err != nil {
		t.Fatal(err)
	}
	_, other, _ := instrument.StartCall(ctx, "whisper", instrument.WithMaxCost(10*cent))
	outside, _ := p.StartJob(t.Context(), "job-2")
	_, _, _ = instrument.StartCall(outside, "whisper") // never ends, in another job
	if inProgress("gpt") != 1 || inProgress("whisper") != 2 {
		t.Errorf("%v and %v calls are in progress, want 1 and 2", inProgress("gpt"), inProgress("whisper"))
	}
	job.End(nil)
	if got := spanNumber(rec.Span("job"), "video.processing.calls_open"); got != 2 {
		t.Errorf("%d calls open on the job's span, want 2", got)
	}
	refused.End(nil)
	open.SetCost(30 * cent)
	open.End(nil)
	other.End(nil)
	if inProgress("gpt") != 0 || inProgress("whisper") != 1 {
		t.Errorf("%v and %v calls are in progress, want 0 and 1", inProgress("gpt"), inProgress("whisper"))
	}
	if got := instrument.Dollars(rec.Counter(vp("cost_usd_total"))); got != 40*cent {
		t.Errorf("cost %s, want the $0.40 of the calls that ended late", got)
	}
	if job.Cost() != 0 {
		t.Errorf("the job cost %s, want $0.00: it had ended", job.Cost())
	}
	late := 0
	for _, span := range rec.Spans() {
		for _, a := range span.Attributes {
			if a.Key == "video.processing.after_job" && a.Value.AsBool() {
				late++
			}
		}
	}
	if late != 2 {
		t.Errorf("%d spans say that they ended after their job, want 2", late)
	}
}

// A job whose calls have all ended does not speak of calls.
func TestNoCallsOpen(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job-1")
	_ = buy(ctx, "gpt", cent)
	job.End(nil)
	if got := spanNumber(rec.Span("job"), "video.processing.calls_open"); got != -1 {
		t.Errorf("calls_open %d on the span, want none", got)
	}
}

// spanNumber is an attribute of a span, or -1.
func spanNumber(span tracetest.SpanStub, key string) int64 {
	for _, a := range span.Attributes {
		if string(a.Key) == key {
			return a.Value.AsInt64()
		}
	}
	return -1
}
