package event

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/instrument"
)

// call is one call of a paid API in a job, without a budget and with one.
var call = scenario{
	name:  "call",
	title: "A paid call",
	intro: "One call that does nothing and costs a cent, in a job: counted by API and status, in progress until it ends, its duration in a " +
		"histogram, its cost in the total of the API and of the job, and a span of kind client. With a budget it is asked before, and its rest is a metric. By hand " +
		"that is a struct with a mutex, for all rivals.",
	ours: []string{runCall, runCall + withBudget},
	metrics: []string{"video_processing_api_calls_total", "video_processing_api_calls_in_progress",
		"video_processing_api_call_duration_seconds", "video_processing_cost_usd_total", "video_processing_job_cost_usd",
		"video_processing_budget_remaining_usd"},
	rivals: callRivals,
}

// The way that a user can write it.
const runCall = "stagemeter RunCall"

// withBudget ends the names of those that ask a budget.
const withBudget = ", budget"

// Attributes of a call's span.
const (
	spanAPI  = "video.processing.api"
	spanCost = "video.processing.cost_usd"
)

// callSpan is a call's span, built beforehand.
func callSpan() (name string, opts []trace.SpanStartOption) {
	return "call " + apiName, spanOfAPI(apiName)
}

func spanOfAPI(api string) []trace.SpanStartOption {
	return []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attribute.String(spanAPI, api))}
}

func callRivals(tracers trace.TracerProvider) (rivals, error) {
	var rs rivals
	for _, limit := range []float64{0, budget} {
		rs.add(ourCall(tracers, limit))
		rs.add(callByHand(tracers, limit))
		rs.add(callPrebuilt(tracers, limit))
		rs.add(callByLabels(tracers, limit))
		rs.add(callResolved(tracers, limit))
	}
	rs.add(newSpanAlone(tracers, "call "+apiName, trace.SpanKindClient, attribute.String(spanAPI, apiName)), nil)
	return rs, rs.err()
}

// budgeted is the name of a rival with a budget, or without one.
func budgeted(name string, limit float64) string {
	if limit > 0 {
		return name + withBudget
	}
	return name
}

func ourCall(tracers trace.TracerProvider, limit float64) (rival, error) {
	o, err := newOurs(tracers)
	if err != nil {
		return rival{}, err
	}
	var opts []instrument.JobOption
	if limit > 0 {
		opts = append(opts, instrument.WithBudget(instrument.Dollars(limit)))
	}
	cent := func(int) instrument.USD { return instrument.Dollars(price) }
	return rival{name: budgeted(runCall, limit), ctx: o.job(opts...), handler: o.tel.Handler(), close: o.close,
		run: func(ctx context.Context, _ string, do work) (int, error) {
			return instrument.RunCallValue(ctx, apiName, cent, do)
		}}, nil
}
