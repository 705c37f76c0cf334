package instrument_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// A failed job has cost its money too; without it the mean cost per job would lie.
func TestJobCostIsRecordedWhateverTheOutcome(t *testing.T) {
	for _, tt := range []struct {
		status string
		run    func(ctx context.Context, cancel context.CancelFunc) error
	}{
		{"completed", func(context.Context, context.CancelFunc) error { return nil }},
		{"failed", func(context.Context, context.CancelFunc) error { return errDecoder }},
		{"failed", func(context.Context, context.CancelFunc) error { return context.DeadlineExceeded }},
		{"failed", func(ctx context.Context, _ context.CancelFunc) error {
			return buy(ctx, "gpt", cent, instrument.WithMaxCost(10*dollar))
		}},
		{"failed", func(context.Context, context.CancelFunc) error { panic("decoder") }},
		{"canceled", func(ctx context.Context, cancel context.CancelFunc) error { cancel(); return ctx.Err() }},
	} {
		p, rec := instrumenttest.New(t, instrument.WithRecover())
		ctx, cancel := context.WithCancel(t.Context())
		err := p.RunJob(ctx, "job-1", func(ctx context.Context) error {
			instrument.Spend(ctx, "gpu", 150*cent)
			if err := buy(ctx, "whisper", 25*cent); err != nil {
				return err
			}
			return tt.run(ctx, cancel)
		}, instrument.WithBudget(5*dollar))
		cancel()
		if got := rec.Counter(vp("jobs_total"), label("status", tt.status)); got != 1 {
			t.Errorf("error %v: the status is not %s", err, tt.status)
		}
		if got := rec.Histogram(vp("cost_per_job_usd")); got.Count != 1 || got.Sum != 1.75 {
			t.Errorf("%s with %v: cost_per_job_usd has %d values with sum %v, want 1.75 once", tt.status, err, got.Count, got.Sum)
		}
		if got := spanCost(rec.Span("job")); got != 175*cent {
			t.Errorf("%s with %v: cost on the span %s, want $1.75", tt.status, err, got)
		}
	}
}

func TestJobWithoutCostCountsAsFree(t *testing.T) {
	p, rec := instrumenttest.New(t)
	_, job := p.StartJob(t.Context(), "job-1")
	job.End(nil)
	if got := rec.Histogram(vp("cost_per_job_usd")); got.Count != 1 || got.Sum != 0 {
		t.Errorf("%+v, want one value of 0", got)
	}
}

// The sum of as many floats is off by a few money.Nano-dollars.
func TestJobCostOfManyCallsIsExact(t *testing.T) {
	const calls = 100_000
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(10*dollar))
	for range calls {
		instrument.Spend(ctx, "gpt", 10*dollar/calls)
	}
	if got := job.Cost(); got != 10*dollar {
		t.Errorf("cost %s, want $10.00", got)
	}
	if got, _ := job.BudgetRemaining(); got != 0 {
		t.Errorf("%s remain, want $0.00", got)
	}
	if got, _ := rec.Gauge(vp("job_cost_usd"), label("job_id", "job-1"), label("api", "gpt")); got != 10 {
		t.Errorf("job_cost_usd %v, want 10", got)
	}
	// The total over all jobs is a counter of the SDK, which adds floats.
	if got := rec.Counter(vp("cost_usd_total")); math.Abs(got-10) > 1e-6 {
		t.Errorf("cost_usd_total %v, want 10 to a millionth", got)
	}
	job.End(nil)
	if got := rec.Histogram(vp("cost_per_job_usd")).Sum; got != 10 {
		t.Errorf("cost_per_job_usd %v, want 10", got)
	}
	if got := rec.Counter(vp("budget_exceeded_total")); got != 0 {
		t.Errorf("exceeded %v times by what is just within", got)
	}
}

func TestJobCostByAPIWhileItLives(t *testing.T) {
	p, rec := instrumenttest.New(t, instrument.WithAPIs("whisper"))
	ctx, job := p.StartJob(t.Context(), "job-1")
	instrument.Spend(ctx, "whisper", cent)
	instrument.Spend(ctx, "gpu", 2*cent)
	instrument.Spend(ctx, "whisper", cent)
	for api, want := range map[string]float64{"whisper": 0.02, "gpu": 0.02} {
		if got, ok := rec.Gauge(vp("job_cost_usd"), label("job_id", "job-1"), label("api", api)); got != want || !ok {
			t.Errorf("job_cost_usd{api=%q} = %v, %v, want %v", api, got, ok, want)
		}
	}
	job.End(nil)
	if _, ok := rec.Gauge(vp("job_cost_usd")); ok {
		t.Error("the series outlives the job")
	}
}

// Outside of a job there is no budget, and no money is lost.
func TestSpendOutsideOfAJob(t *testing.T) {
	p, rec := instrumenttest.New(t)
	defer instrument.SetDefault(p)()
	var none context.Context
	for _, ctx := range []context.Context{t.Context(), instrument.ContextWithPipeline(none, p), none} {
		instrument.Spend(ctx, "gpu", dollar)
		if err := buy(ctx, "gpt", dollar, instrument.WithMaxCost(1000*dollar)); err != nil {
			t.Errorf("refused: %v", err)
		}
	}
	for _, api := range []string{"gpu", "gpt"} {
		if got := rec.Counter(vp("cost_usd_total"), label("api", api)); got != 3 {
			t.Errorf("cost_usd_total{api=%q} = %v, want 3", api, got)
		}
	}
	if _, ok := rec.Gauge(vp("job_cost_usd")); ok {
		t.Error("a job has paid for it")
	}
	if got := len(rec.Spans()); got != 3 {
		t.Errorf("%d spans, want one for each call", got)
	}
}

// What a call spends after its job has ended is in the totals, and in no job's cost: that was recorded at the end.
func TestCallThatOutlivesItsJob(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(dollar))
	_, call, err := instrument.StartCall(ctx, "whisper", instrument.WithMaxCost(10*cent))
	if err != nil {
		t.Fatal(err)
	}
	instrument.Spend(ctx, "gpu", 5*cent)
	job.End(nil)
	call.End(nil)
	instrument.Spend(ctx, "gpu", 3*cent)
	if err := buy(ctx, "gpt", dollar, instrument.WithMaxCost(dollar)); !errors.Is(err, instrument.ErrBudgetExceeded) {
		t.Errorf("error %v: the budget holds after the end", err)
	}
	if got := rec.Counter(vp("cost_usd_total")); instrument.Dollars(got) != 18*cent {
		t.Errorf("cost_usd_total %v, want 0.18", got)
	}
	if got := job.Cost(); got != 5*cent {
		t.Errorf("cost of the job %s, want $0.05", got)
	}
	if got := rec.Histogram(vp("cost_per_job_usd")); got.Count != 1 || got.Sum != 0.05 {
		t.Errorf("cost_per_job_usd %+v, want 0.05 once", got)
	}
	if _, ok := rec.Gauge(vp("job_cost_usd")); ok {
		t.Error("a series of the job has come back")
	}
}

func TestWithJobIDLabel(t *testing.T) {
	p, rec := instrumenttest.New(t, instrument.WithJobIDLabel(), instrument.WithAPIs("whisper"))
	for _, id := range []string{"job-1", "job-2"} {
		ctx, job := p.StartJob(t.Context(), id)
		if err := buy(ctx, "whisper", 25*cent); err != nil {
			t.Fatal(err)
		}
		instrument.Spend(ctx, "gpu", cent)
		job.End(nil)
	}
	instrument.Spend(instrument.ContextWithPipeline(t.Context(), p), "gpu", 2*cent)
	rec.Golden("job_id_label.prom", vp("cost_usd_total"))
	if got := rec.Counter(vp("cost_usd_total"), label("job_id", "job-2"), label("api", "whisper")); got != 0.25 {
		t.Errorf("after the job has ended: %v, want 0.25", got)
	}
}

// The series of the money metrics as Prometheus scrapes them: while a job runs, and after.
func TestMoneyOnTheScrape(t *testing.T) {
	names := []string{vp("api_calls_total"), vp("budget_exceeded_total"), vp("budget_remaining_usd"),
		vp("cost_per_job_usd"), vp("cost_usd_total"), vp("job_cost_usd")}
	p, rec := instrumenttest.New(t, instrument.WithAPIs("whisper", "gpt"))
	rec.Golden("money_start.prom", names...)
	ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(2*dollar))
	audio := 61 * time.Second
	if err := buy(ctx, "whisper", whisper.Of(audio)); err != nil {
		t.Fatal(err)
	}
	_ = buy(ctx, "gpt", cent, instrument.WithMaxCost(3*dollar))
	rec.Golden("money_live.prom", names...)
	job.End(nil)
	rec.Golden("money_ended.prom", names...)
}
