package instrument_test

import (
	"context"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

func TestSpendUnpriced(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job-1")
	instrument.SpendUnpriced(ctx, "replicate", "usage")
	instrument.SpendUnpriced(instrument.ContextWithPipeline(context.Background(), p), "replicate", "usage")
	if got := rec.Counter(vp("api_unpriced_total"), label("api", "replicate"), label("reason", "usage")); got != 2 {
		t.Errorf("%v unpriced, want 2: one in the job, one outside", got)
	}
	if live := p.Snapshot(instrument.Query{}).Live; len(live) != 1 || live[0].Unpriced != 1 {
		t.Errorf("live jobs: %+v, want one with one unpriced", live)
	}
	job.End(nil)
	if got := rec.Counter(vp("api_calls_total")) + rec.Counter(vp("cost_usd_total")); got != 0 || job.Cost() != 0 {
		t.Errorf("calls and costs: %v and %s, want none", got, job.Cost())
	}
	instrument.SpendUnpriced(context.Background(), "replicate", "usage") // no pipeline of ours
}

// A request of a call may tell what it cost when the call is over, such as one whose answer is read
// later. No cost is lost, and none is booked twice.
func TestCostThatComesAfterTheCall(t *testing.T) {
	failed := errDecoder
	for _, tt := range []struct {
		reason   string
		opts     []instrument.CallOption
		during   func(*instrument.Call)
		errp     *error
		want     instrument.USD
		unpriced float64
	}{
		{"nothing was told before", nil, func(*instrument.Call) {}, nil, 7 * cent, 2},
		{"other requests have told theirs", nil, func(c *instrument.Call) { c.AddCost(cent) }, nil, 8 * cent, 1},
		{"the call has failed", nil, func(*instrument.Call) {}, &failed, 7 * cent, 2},
		{"the maximum is booked", []instrument.CallOption{instrument.WithMaxCost(9 * cent)}, func(*instrument.Call) {}, nil, 9 * cent, 0},
		{"its cost was set", nil, func(c *instrument.Call) { c.SetCost(3 * cent) }, nil, 3 * cent, 0},
		{"it is free", []instrument.CallOption{instrument.Free()}, func(*instrument.Call) {}, nil, 0, 0},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			p, rec := instrumenttest.New(t)
			ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(dollar))
			_, call, err := instrument.StartCall(ctx, "gpt", tt.opts...)
			if err != nil {
				t.Fatal(err)
			}
			tt.during(call)
			call.End(tt.errp)
			call.AddCost(7 * cent)
			call.AddUnpriced("cut_off")
			if got := job.Cost(); got != tt.want {
				t.Errorf("the job costs %s, want %s", got, tt.want)
			}
			if left, _ := job.BudgetRemaining(); dollar-left != tt.want {
				t.Errorf("the budget has lost %s, want %s", dollar-left, tt.want)
			}
			if got := rec.Counter(vp("cost_usd_total"), label("api", "gpt")); got != tt.want.Float64() {
				t.Errorf("%v counted, want %s", got, tt.want)
			}
			if got := rec.Counter(vp("api_unpriced_total")); got != tt.unpriced {
				t.Errorf("%v unpriced, want %v", got, tt.unpriced)
			}
			if got := rec.Counter(vp("api_calls_total")); got != 1 {
				t.Errorf("%v calls, want 1", got)
			}
			job.End(nil)
		})
	}
}
