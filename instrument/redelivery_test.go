package instrument_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// attemptAt runs a job that makes calls of 30 cents until its budget refuses one, and then ends
// with err.
func attemptAt(t *testing.T, p *instrument.Pipeline, id string, err error, opts ...instrument.JobOption) (spent instrument.USD) {
	t.Helper()
	ctx, job := p.StartJob(t.Context(), id, opts...)
	for range 100 {
		if refused := buy(ctx, "gpt", 30*cent, instrument.WithMaxCost(30*cent)); refused != nil {
			break
		}
	}
	spent = job.Cost()
	job.End(&err)
	return spent
}

// A message that is delivered until its job succeeds must not have its whole budget each time.
func TestAttemptsAtAJobShareItsBudget(t *testing.T) {
	p, rec := instrumenttest.New(t)
	var spent []instrument.USD
	for range 5 {
		spent = append(spent, attemptAt(t, p, "job-1", errDecoder, instrument.WithBudget(dollar)))
	}
	if got, want := fmt.Sprint(spent), fmt.Sprint([]instrument.USD{90 * cent, 0, 0, 0, 0}); got != want {
		t.Errorf("five attempts spent %s, want %s", got, want)
	}
	if got := rec.Counter(vp("cost_usd_total")); instrument.Dollars(got) != 90*cent {
		t.Errorf("cost_usd_total %v, want 0.9: five attempts at a job of $1", got)
	}
	if got := rec.Counter(vp("budget_exceeded_total")); got != 1 {
		t.Errorf("exceeded %v times, want once for the account", got)
	}
	if spent := attemptAt(t, p, "job-2", nil, instrument.WithBudget(dollar)); spent != 90*cent {
		t.Errorf("another job spent %s", spent)
	}
}

// What a job shows as remaining is what its earlier attempts have left.
func TestNextAttemptShowsWhatIsLeft(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, first := p.StartJob(t.Context(), "job-1", instrument.WithBudget(dollar))
	instrument.Spend(ctx, "gpu", 40*cent)
	err := errDecoder
	first.End(&err)
	_, second := p.StartJob(t.Context(), "job-1", instrument.WithBudget(dollar))
	if left, _ := second.BudgetRemaining(); left != 60*cent {
		t.Errorf("%s remain, want $0.60", left)
	}
	if left, _ := rec.Gauge(vp("budget_remaining_usd")); left != 0.6 {
		t.Errorf("the series shows %v, want 0.6", left)
	}
	second.End(nil)
}

func TestWhichAccountsStay(t *testing.T) {
	for _, tt := range []struct {
		reason  string
		id      string
		err     error
		opts    []instrument.JobOption
		between func(p *instrument.Pipeline) error
		want    instrument.USD // what the second run spends
	}{
		{"a job that failed goes on", "job-1", errDecoder, nil, nil, 0},
		{"a job that was canceled goes on", "job-1", context.Canceled, nil, nil, 0},
		{"a job that completed does not come again", "job-1", nil, nil, nil, 90 * cent},
		{"a job without an id never comes again", "", errDecoder, nil, nil, 90 * cent},
		{"Forget starts afresh", "job-1", errDecoder, nil,
			func(p *instrument.Pipeline) error { return p.Forget(context.Background(), "job-1") }, 90 * cent},
		{"to forget another changes nothing", "job-1", errDecoder, nil,
			func(p *instrument.Pipeline) error { return p.Forget(context.Background(), "job-2") }, 0},
		{"another's account outlives a job that completed", "job-1", nil,
			[]instrument.JobOption{instrument.WithAccount("order-1")}, nil, 0},
		{"and is forgotten by its own name", "job-1", nil, []instrument.JobOption{instrument.WithAccount("order-1")},
			func(p *instrument.Pipeline) error { return p.Forget(context.Background(), "order-1") }, 90 * cent},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			p, _ := instrumenttest.New(t)
			opts := append([]instrument.JobOption{instrument.WithBudget(dollar)}, tt.opts...)
			if spent := attemptAt(t, p, tt.id, tt.err, opts...); spent != 90*cent {
				t.Fatalf("the first run spent %s", spent)
			}
			if tt.between != nil {
				if err := tt.between(p); err != nil {
					t.Fatal(err)
				}
			}
			if spent := attemptAt(t, p, tt.id, nil, opts...); spent != tt.want {
				t.Errorf("the second run spent %s, want %s", spent, tt.want)
			}
		})
	}
}

func TestJobsOfOneAccount(t *testing.T) {
	p, _ := instrumenttest.New(t)
	order := []instrument.JobOption{instrument.WithBudget(dollar), instrument.WithAccount("order-1")}
	if spent := attemptAt(t, p, "video-1", nil, order...); spent != 90*cent {
		t.Errorf("the first video spent %s", spent)
	}
	ctx, job := p.StartJob(t.Context(), "video-2", order...)
	defer job.End(nil)
	var refusal *instrument.BudgetError
	if err := buy(ctx, "gpt", 30*cent, instrument.WithMaxCost(30*cent)); !errors.As(err, &refusal) {
		t.Fatalf("%v, want a refusal", err)
	}
	const message = `budget exceeded: account "order-1", which job "video-2" spends from, may spend $1.00, has spent $0.90 and holds $0.00; a call of gpt for at most $0.30 was not made`
	if refusal.Error() != message {
		t.Errorf("message\n%s, want\n%s", refusal, message)
	}
}

// Forget also takes effect for the run that lives.
func TestForgetWhileARunLives(t *testing.T) {
	p, _ := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(dollar))
	defer job.End(nil)
	instrument.Spend(ctx, "gpu", dollar)
	if err := p.Forget(ctx, "job-1"); err != nil {
		t.Fatal(err)
	}
	if left, _ := job.BudgetRemaining(); left != dollar {
		t.Errorf("%s remain, want $1.00", left)
	}
	if err := buy(ctx, "gpt", cent); err != nil {
		t.Errorf("a call was refused: %v", err)
	}
	if left, _ := job.BudgetRemaining(); left != 99*cent {
		t.Errorf("%s remain, want $0.99", left)
	}
}

// A job whose deadline has passed ends while a call is open. That may still cost what it has
// reserved, so the next attempt must not spend it too.
func TestCallThatOutlivesItsJobKeepsItsReservation(t *testing.T) {
	for _, completed := range []bool{false, true} {
		p, rec := instrumenttest.New(t)
		const price = 150 * cent
		ctx, first := p.StartJob(t.Context(), "m", instrument.WithBudget(2*dollar))
		_, late, err := instrument.StartCall(ctx, "api", instrument.WithMaxCost(price))
		if err != nil {
			t.Fatal(err)
		}
		var timeout error
		if !completed {
			timeout = context.DeadlineExceeded
		}
		first.End(&timeout)
		ctx, second := p.StartJob(t.Context(), "m", instrument.WithBudget(2*dollar))
		_, call, err := instrument.StartCall(ctx, "api", instrument.WithMaxCost(price))
		if !errors.Is(err, instrument.ErrBudgetExceeded) {
			t.Errorf("completed %v: the second call gave %v, want a refusal: $1.50 of $2.00 is held", completed, err)
		}
		for _, c := range []*instrument.Call{late, call} {
			c.SetCost(price)
			c.End(nil)
		}
		if left, _ := second.BudgetRemaining(); !completed && left != 50*cent {
			t.Errorf("%s remain, want $0.50", left)
		}
		second.End(nil)
		if got := rec.Counter(vp("cost_usd_total")); got != 1.5 {
			t.Errorf("completed %v: $%v spent of $2", completed, got)
		}
	}
}

// The reservation of a call that never ends is booked when its lease is over.
func TestLeaseOfACallThatNeverEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := instrumenttest.New(t)
		err := errDecoder
		ctx, first := p.StartJob(t.Context(), "job-1", instrument.WithBudget(dollar))
		for _, lease := range []time.Duration{time.Minute, 0} { // 0: the default
			if _, _, err := instrument.StartCall(ctx, "gpt", instrument.WithMaxCost(30*cent), instrument.WithMinCost(10*cent), instrument.WithLease(lease)); err != nil {
				t.Fatal(err)
			}
		}
		first.End(&err)
		for _, tt := range []struct {
			after time.Duration
			left  instrument.USD
		}{{0, dollar}, {59 * time.Second, dollar}, {time.Second, 90 * cent}, {58 * time.Minute, 90 * cent}, {time.Minute, 80 * cent}} {
			time.Sleep(tt.after)
			_, next := p.StartJob(t.Context(), "job-1", instrument.WithBudget(dollar))
			if left, _ := next.BudgetRemaining(); left != tt.left {
				t.Errorf("%s later %s remain, want %s", tt.after, left, tt.left)
			}
			next.End(&err)
		}
	})
}

// One histogram entry a job, with all that it has cost, is what the mean cost of a job can be
// computed from.
func TestCostPerJobIsThatOfAllAttempts(t *testing.T) {
	budgets := map[string][]instrument.JobOption{
		"with a budget":            {instrument.WithBudget(10 * dollar)},
		"without one":              nil,
		"with another's account":   {instrument.WithBudget(10 * dollar), instrument.WithAccount("order-1")},
		"with scopes but no limit": {instrument.WithScopes()},
	}
	for name, opts := range budgets {
		t.Run(name, func(t *testing.T) {
			p, rec := instrumenttest.New(t)
			run := func(id string, cost instrument.USD, err error) {
				ctx, job := p.StartJob(t.Context(), id, opts...)
				instrument.Spend(ctx, "gpu", cost)
				if job.Cost() != cost {
					t.Errorf("the run cost %s, want its own %s", job.Cost(), cost)
				}
				job.End(&err)
			}
			sum := func() instrument.USD { return instrument.Dollars(rec.Histogram(vp("cost_per_job_usd")).Sum) }
			run("job-1", 30*cent, errDecoder)
			run("job-2", 7*cent, nil)
			before := sum()
			run("job-1", 20*cent, nil)
			if got := sum() - before; got != 50*cent {
				t.Errorf("recorded %s for the attempt that completed, want $0.50 for both", got)
			}
			before = sum()
			run("job-1", 5*cent, nil)
			if got := sum() - before; got != 5*cent {
				t.Errorf("recorded %s for a job that comes anew, want $0.05", got)
			}
			before = sum()
			run("", 5*cent, errDecoder)
			run("", 5*cent, nil)
			if got := sum() - before; got != 10*cent {
				t.Errorf("recorded %s for two jobs without an id, want $0.05 each", got)
			}
		})
	}
}

// What a call has cost that outlived its attempt is in what the job has cost, unless the job had
// completed without it.
func TestCostPerJobHasCallsThatOutlivedTheirAttempt(t *testing.T) {
	for name, opts := range map[string][]instrument.JobOption{
		"with a budget":          {instrument.WithBudget(10 * dollar)},
		"without one":            nil,
		"with another's account": {instrument.WithBudget(10 * dollar), instrument.WithAccount("order-1")},
	} {
		for _, tt := range []struct {
			reason string
			first  error
			within bool // the call ends while the second run lives
			want   instrument.USD
		}{
			{"during the next attempt", errDecoder, true, 50 * cent},
			{"before the next attempt", errDecoder, false, 50 * cent},
			{"during a job that comes anew", nil, true, 20 * cent},
			{"before a job that comes anew", nil, false, 20 * cent},
		} {
			p, rec := instrumenttest.New(t)
			ctx, first := p.StartJob(t.Context(), "job-1", opts...)
			_, call, err := instrument.StartCall(ctx, "gpt", instrument.WithMaxCost(dollar))
			if err != nil {
				t.Fatal(err)
			}
			call.SetCost(30 * cent)
			first.End(&tt.first)
			before := rec.Histogram(vp("cost_per_job_usd")).Sum
			if !tt.within {
				call.End(nil)
			}
			ctx, second := p.StartJob(t.Context(), "job-1", opts...)
			if tt.within {
				call.End(nil)
			}
			instrument.Spend(ctx, "gpu", 20*cent)
			second.End(nil)
			if got := instrument.Dollars(rec.Histogram(vp("cost_per_job_usd")).Sum - before); got != tt.want {
				t.Errorf("%s, the call ended %s: recorded %s, want %s", name, tt.reason, got, tt.want)
			}
		}
	}
}

// While more attempts are to come, nothing is recorded for the job; then all that it has cost, once.
func TestCostPerJobIsRecordedWithTheLastAttempt(t *testing.T) {
	for _, opts := range [][]instrument.JobOption{nil, {instrument.WithBudget(dollar)}} {
		p, rec := instrumenttest.New(t)
		for n := range 5 {
			ctx, job := p.StartJob(t.Context(), "job-1", append(opts, instrument.WithAttempt(n+1, 5))...)
			instrument.Spend(ctx, "gpu", 10*cent)
			err := errDecoder
			job.End(&err)
		}
		if got := rec.Histogram(vp("cost_per_job_usd")); got.Count != 1 || got.Sum != 0.5 {
			t.Errorf("%d values with sum %v, want one of 0.5", got.Count, got.Sum)
		}
	}
}

// Of two runs that live at once, one has what came before.
func TestEarlierCostIsRecordedByOneOfTwoRuns(t *testing.T) {
	for _, opts := range [][]instrument.JobOption{nil, {instrument.WithBudget(10 * dollar)}} {
		p, rec := instrumenttest.New(t)
		err := errDecoder
		ctx, job := p.StartJob(t.Context(), "job-1", opts...)
		instrument.Spend(ctx, "gpu", dollar)
		job.End(&err)
		before := rec.Histogram(vp("cost_per_job_usd")).Sum
		one, first := p.StartJob(t.Context(), "job-1", opts...)
		two, second := p.StartJob(t.Context(), "job-1", opts...)
		instrument.Spend(one, "gpu", 10*cent)
		instrument.Spend(two, "gpu", 20*cent)
		first.End(nil)
		second.End(nil)
		if got := instrument.Dollars(rec.Histogram(vp("cost_per_job_usd")).Sum - before); got != 130*cent {
			t.Errorf("recorded %s, want $1.30", got)
		}
	}
}

// What is remembered of jobs without an account is bounded, in number and in time.
func TestEarlierCostsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, rec := instrumenttest.New(t)
		run := func(id string, err error) (recorded instrument.USD) {
			before := rec.Histogram(vp("cost_per_job_usd")).Sum
			ctx, job := p.StartJob(t.Context(), id)
			instrument.Spend(ctx, "gpu", cent)
			job.End(&err)
			return instrument.Dollars(rec.Histogram(vp("cost_per_job_usd")).Sum - before)
		}
		run("old", errDecoder)
		time.Sleep(23 * time.Hour)
		run("young", errDecoder)
		time.Sleep(time.Hour)
		if got := run("old", nil); got != cent {
			t.Errorf("after 24 hours %s is recorded, want $0.01", got)
		}
		if got := run("young", errDecoder); got != 2*cent {
			t.Errorf("after an hour %s is recorded, want $0.02", got)
		}
		for i := range 10_000 {
			_, job := p.StartJob(t.Context(), fmt.Sprint("job-", i))
			job.ReportBudgetRemaining(0)
			instrument.Spend(instrument.ContextWithPipeline(t.Context(), p), "gpu", 0)
			err := errDecoder
			job.End(&err)
		}
		if got := run("young", errDecoder); got != 3*cent {
			t.Errorf("10,000 jobs that cost nothing later %s is recorded, want $0.03", got)
		}
		for i := range 10_000 {
			ctx, job := p.StartJob(t.Context(), fmt.Sprint("job-", i))
			instrument.Spend(ctx, "gpu", cent)
			err := errDecoder
			job.End(&err)
		}
		if got := run("young", nil); got != cent {
			t.Errorf("10,000 jobs later %s is recorded, want $0.01", got)
		}
	})
}
