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
