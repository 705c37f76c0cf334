package instrument

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// An Option sets up a [Pipeline]. A nil argument keeps the default and is an error of [New].
type Option interface{ apply(*config) error }

// Options of what is started often take and return their configuration by value: one behind a pointer would be
// allocated each time.

// A JobOption sets up one job.
type JobOption interface{ applyJob(jobConfig) jobConfig }

// A StageOption sets up one stage.
type StageOption interface{ applyStage(stageConfig) stageConfig }

// A CallOption sets up one paid call.
type CallOption interface{ applyCall(callConfig) callConfig }

type config struct {
	implicit   bool
	meters     metric.MeterProvider
	tracers    trace.TracerProvider
	propagator propagation.TextMapPropagator
	stages     []string
	apis       []string
	nameLimit  int
	liveLimit  int
	jobIDLabel bool
	recover    bool
	classify   func(error) string
	ledger     Ledger
}

type option func(*config) error

func (o option) apply(c *config) error { return o(c) }

// notNil guards an option against a nil function or interface, or a nil pointer in one, which would crash at its first use.
func notNil[T any](name string, value T, set func(*config, T)) Option {
	return option(func(c *config) error {
		v := reflect.ValueOf(&value).Elem()
		switch v.Kind() {
		case reflect.Interface, reflect.Func:
			if v.IsNil() || v.Kind() == reflect.Interface && v.Elem().Kind() == reflect.Pointer && v.Elem().IsNil() {
				return fmt.Errorf("instrument: %s(nil): a value is needed; the default is used", name)
			}
		}
		set(c, value)
		return nil
	})
}

// WithMeterProvider measures through mp. The default is the global provider.
func WithMeterProvider(mp metric.MeterProvider) Option {
	return notNil("WithMeterProvider", mp, func(c *config, mp metric.MeterProvider) { c.meters = mp })
}

// WithTracerProvider traces through tp. The default is the global provider.
func WithTracerProvider(tp trace.TracerProvider) Option {
	return notNil("WithTracerProvider", tp, func(c *config, tp trace.TracerProvider) { c.tracers = tp })
}

// WithPropagators carries trace context with p in [Pipeline.Enqueue] and [WithCarrier]. The default is the global
// propagator and, while that is not set, W3C Trace Context and Baggage.
func WithPropagators(p propagation.TextMapPropagator) Option {
	return notNil("WithPropagators", p, func(c *config, p propagation.TextMapPropagator) { c.propagator = p })
}

// WithStages declares stage names. Their series exist from the start, at 0, so that a first error is seen by
// increase(); and they do not count against [WithNameLimit]. Stages that are not declared work as well.
func WithStages(names ...string) Option {
	return option(func(c *config) error { return declare("WithStages", &c.stages, names) })
}

// WithAPIs declares the names of paid APIs, as [WithStages] declares stages.
func WithAPIs(names ...string) Option {
	return option(func(c *config) error { return declare("WithAPIs", &c.apis, names) })
}

func declare(option string, dst *[]string, names []string) error {
	var errs []error
	for _, name := range names {
		clean, ok := cleanName(name)
		if !ok {
			errs = append(errs, fmt.Errorf("instrument: %s: %.100q is not 1 to %d printable bytes; it is recorded as %q",
				option, name, maxNameLen, clean))
		}
		*dst = append(*dst, clean)
	}
	return errors.Join(errs...)
}

// WithNameLimit bounds how many names that were not declared each get series of their own: stages, APIs, and
// error types (of which the pairs with stages are bounded by ten times as many). Later ones are recorded as
// "other", which is reported once to otel.Handle. The default is 100. From 200 on these pairs can pass the SDK's limit
// of 2,000 series for an instrument: raise that too (sdkmetric.WithCardinalityLimit, exporters.WithCardinalityLimit).
func WithNameLimit(n int) Option {
	return option(func(c *config) error { return positive("WithNameLimit", n, &c.nameLimit) })
}

// WithLiveJobLimit bounds how many live jobs have series of their own (video_processing_job_cost_usd and
// video_processing_budget_remaining_usd), and the series of their costs, one for each job and API, to 1,999, or
// 2n−1 where that is more. Jobs that are past either are counted in video_processing_jobs_unshown_total; all totals
// stay exact. The default is 1,000, which fits the SDK's limit of 2,000 series for an instrument: raise that too for
// more, to 2n (sdkmetric.WithCardinalityLimit, exporters.WithCardinalityLimit).
func WithLiveJobLimit(n int) Option {
	return option(func(c *config) error { return positive("WithLiveJobLimit", n, &c.liveLimit) })
}

func positive(option string, n int, dst *int) error {
	if n <= 0 {
		return fmt.Errorf("instrument: %s(%d): must be at least 1; the default of %d is used", option, n, *dst)
	}
	*dst = n
	return nil
}

// WithJobIDLabel adds job_id to video_processing_cost_usd_total, for dashboards that already have it. What it costs:
// a series for each job and API that never ends before the process does (about 800 bytes each, for every reader), a
// scrape that grows with it, and, past the SDK's cardinality limit of 2,000, every later job in one overflow series.
// video_processing_job_cost_usd has the same figures for the jobs that live.
func WithJobIDLabel() Option {
	return option(func(c *config) error { c.jobIDLabel = true; return nil })
}

// WithRecover turns a panic in a job, stage or call into a [*PanicError], once it has been counted: RunJob, RunStage,
// RunCall and the Wrap functions return it, and End(&err) stores it in err. Without this option, and for an End(nil)
// that has nowhere to put it, the panic goes on.
func WithRecover() Option {
	return option(func(c *config) error { c.recover = true; return nil })
}

// WithErrorClassifier asks classify for the error_type of an error first; an empty answer leaves it to [ErrorType].
// Answer with few, stable words. It may be called concurrently.
func WithErrorClassifier(classify func(error) string) Option {
	return notNil("WithErrorClassifier", classify, func(c *config, f func(error) string) { c.classify = f })
}

// WithLedger keeps budgets in l. The default is a [NewMemoryLedger] of the pipeline's own.
func WithLedger(l Ledger) Option {
	return notNil("WithLedger", l, func(c *config, l Ledger) { c.ledger = l })
}

type jobConfig struct {
	budget       USD
	hasBudget    bool
	video        time.Duration
	carrier      propagation.TextMapCarrier
	remoteParent bool
}

type stageConfig struct {
	video    time.Duration
	hasVideo bool
}

type callConfig struct{ estimate, floor USD }

type jobOption func(jobConfig) jobConfig

func (o jobOption) applyJob(c jobConfig) jobConfig { return o(c) }

// WithBudget bounds what the job's paid calls may cost together. Before each call the budget is asked; a call that
// no longer fits is refused with a [*BudgetError] and not made. 0 refuses every call; no WithBudget, or [Unlimited],
// refuses none. A negative limit counts as invalid and refuses every call.
//
// Runs of one job id that live at once share one budget: the limit that was given last.
func WithBudget(limit USD) JobOption {
	return jobOption(func(c jobConfig) jobConfig { c.budget, c.hasBudget = limit, true; return c })
}

// WithCarrier takes the job's trace context and enqueue time from the message that brought it, as
// [Pipeline.Enqueue] put them there. The job's span links to the span that enqueued it; see [WithRemoteParent]. The
// wait is recorded in video_processing_queue_wait_seconds; one that is negative, because a clock ran backwards,
// counts as 0 and as invalid. A carrier that holds neither is fine.
func WithCarrier(carrier propagation.TextMapCarrier) JobOption {
	return jobOption(func(c jobConfig) jobConfig { c.carrier = carrier; return c })
}

// WithRemoteParent makes the span that enqueued the job its parent instead of a link. Use it when every message is
// worked on once, soon, and by itself: then one trace shows the whole way. It needs [WithCarrier].
func WithRemoteParent() JobOption {
	return jobOption(func(c jobConfig) jobConfig { c.remoteParent = true; return c })
}

// VideoDurationOption is both a [JobOption] and a [StageOption].
type VideoDurationOption struct{ d time.Duration }

// WithVideoDuration gives the length of the video that a job or a stage works on, from which the processing ratio
// follows: time taken by length of video. 0 means unknown: no ratio is recorded. A negative length counts as
// invalid. A stage without it takes its job's, as last told by this option or [Job.SetVideoDuration].
func WithVideoDuration(d time.Duration) VideoDurationOption { return VideoDurationOption{d} }

func (o VideoDurationOption) applyJob(c jobConfig) jobConfig { c.video = o.d; return c }

func (o VideoDurationOption) applyStage(c stageConfig) stageConfig {
	c.video, c.hasVideo = o.d, true
	return c
}

type callOption func(callConfig) callConfig

func (o callOption) applyCall(c callConfig) callConfig { return o(c) }

// WithEstimate says what the call will cost at most. The budget reserves it before the call is made, so that calls
// in parallel never overspend together, and refuses the call when it does not fit, or when the estimate is no amount
// (negative, NaN, infinite; also counted as invalid).
func WithEstimate(cost USD) CallOption {
	return callOption(func(c callConfig) callConfig { c.estimate = cost; return c })
}

// WithFloor says what the call costs once it was sent, such as the price of its input. It is booked when the call
// fails in a way that may have been charged: canceled, timed out, cut off, answered with a 5xx, or panicked. A
// connection that never came up and an answer of 4xx book nothing. A floor that is no amount (negative, NaN, infinite)
// is counted as invalid and is 0.
func WithFloor(cost USD) CallOption {
	return callOption(func(c callConfig) callConfig { c.floor = cost; return c })
}
