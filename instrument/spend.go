package instrument

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/stagemeter/stagemeter/semconv"
)

// Spend books a cost that has no call, such as the rent of a GPU, in
// video_processing_cost_usd_total{api} and on the job of ctx. It is never refused, even beyond the
// budget: the money is gone. An amount that cannot be booked counts as invalid.
//
// The job and the budget add it up exactly. OpenTelemetry's counter adds 64-bit floats: each
// addition is rounded, so that after 3,000,000 additions video_processing_cost_usd_total is off by
// about 0.000014 dollars. The exact figures are [Job.Cost] and those of the ledger.
func Spend(ctx context.Context, api string, amount USD) { spend(ctx, scopeOf(ctx), api, amount) }

// Spend is the function [Spend] for this pipeline: on the job of ctx if that is a job of p, else
// outside of any job.
func (p *Pipeline) Spend(ctx context.Context, api string, amount USD) {
	spend(ctx, p.scopeIn(ctx), api, amount)
}

// SpendUnpriced counts a cost that has no call and that nobody knows, in
// video_processing_api_unpriced_total{api, reason} and on the job of ctx. It is [Spend] for an
// unknown amount; [Call.SetUnpriced] tells which reasons there are.
func SpendUnpriced(ctx context.Context, api, reason string) {
	ctx = orBackground(ctx)
	s := scopeOf(ctx)
	if s.p.inert() {
		return
	}
	s.p.countUnpriced(ctx, s.p.apis.get(api), reason)
	if s.job != nil {
		s.job.unpriced.Add(1)
	}
}

func spend(ctx context.Context, s *scope, api string, amount USD) {
	if s.p.inert() {
		return
	}
	ctx = orBackground(ctx)
	if reason := invalidReason(amount); reason != "" {
		s.p.countInvalid(ctx, semconv.CostName, reason)
		return
	}
	h := s.p.apis.get(api)
	if s.job != nil {
		defer s.job.book(ctx, api, amount)
	}
	s.p.spend(ctx, s.job, h, nil, amount)
}

// spend books an amount on the job and in the totals. A model that is not nil is on the total.
func (p *Pipeline) spend(ctx context.Context, j *Job, api *apiHandle, model *string, amount USD) {
	hidden := false
	api.seen.spend(amount)
	switch {
	case j == nil:
	case j.done.Load():
		j.spentLate(amount)
	default:
		j.addCost(amount)
		hidden = p.live.spend(j.live, api, amount)
	}
	switch {
	case model != nil || j != nil && p.jobIDLabel:
		p.inst.Cost.Add(ctx, amount.Float64(), p.costLabels(j, api, model))
	case j == nil:
		p.inst.Cost.Add(ctx, amount.Float64(), api.cost...)
	default:
		p.inst.Cost.Add(ctx, amount.Float64(), j.dimension.cost(api)...)
	}
	if hidden {
		p.inst.JobsUnshown.Add(ctx, 1)
	}
}

// costLabels returns the attributes of a cost that has some by an option. They are not kept.
func (p *Pipeline) costLabels(j *Job, api *apiHandle, model *string) metric.MeasurementOption {
	attrs := []attribute.KeyValue{semconv.AttrAPI.String(api.name)}
	if model != nil {
		attrs = append(attrs, semconv.AttrModel.String(*model))
	}
	if j != nil {
		if p.jobIDLabel {
			attrs = append(attrs, j.live.label())
		}
		attrs = append(attrs, j.dimension.attrs...)
	}
	return withAttrs(attrs...)
}

// spentLate adds what a call has spent that outlived this run to what the next attempt goes on with.
// If none lives, an account of the job's own has it.
func (j *Job) spentLate(amount USD) {
	switch p := j.scope.p; {
	case j.over.Load():
	case p.live.spendLate(j.id, amount):
	case j.account == nil || j.account.kept:
		p.earlier.add(j.id, amount)
	}
}

// bookable reports whether an amount can be booked, and counts one that cannot.
func (p *Pipeline) bookable(ctx context.Context, amount USD) bool {
	reason := invalidReason(amount)
	if reason != "" {
		p.countInvalid(ctx, semconv.CostName, reason)
	}
	return reason == ""
}
