package instrument

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/semconv"
)

// An Option sets up a [Pipeline]. A nil argument is an error of [New], which then keeps the
// default.
type Option interface{ apply(*config) error }

type config struct {
	implicit   bool // made by Default
	meters     metric.MeterProvider
	tracers    trace.TracerProvider
	propagator propagation.TextMapPropagator
	stages     []string
	stageTimes []StageTimes
	apis       []string
	labels     []string
	nameLimit  int
	liveLimit  int
	jobIDLabel bool
	modelLabel bool
	recover    bool
	classify   func(error) string
	decide     func(error) semconv.Outcome
	ledger     budget.Ledger
	policy     LedgerPolicy

	reserveTimeout, settleTimeout time.Duration
	unpriced                      UnpricedPolicy

	events  events
	details bool
	history int
}

type option func(*config) error

func (o option) apply(c *config) error { return o(c) }

// notNil guards an option against a nil function or interface, or a nil pointer in one, which would
// crash at its first use.
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

// WithPropagators carries trace context with p in [Pipeline.Enqueue] and [WithCarrier]. The default
// is the global propagator and, while that is not set, W3C Trace Context and Baggage.
func WithPropagators(p propagation.TextMapPropagator) Option {
	return notNil("WithPropagators", p, func(c *config, p propagation.TextMapPropagator) { c.propagator = p })
}

// WithStages declares stage names. Their series exist from the start, at 0, so that increase() sees
// a first error, and they do not count against [WithNameLimit]. Stages that are not declared work
// as well. Declare them in the order in which a job runs them: the estimates of [WithDetails] count
// a stage as skipped once a stage that is declared after it has begun.
func WithStages(names ...string) Option {
	return option(func(c *config) error { return declare("WithStages", &c.stages, names) })
}

// WithAPIs declares the names of paid APIs, as [WithStages] declares those of stages.
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

// WithLabels declares labels of your own, such as "tenant". [WithLabel] gives a job their values.
// They are on the series of jobs of three metrics:
//
//	video_processing_jobs_total             5 series for each combination of values
//	video_processing_job_duration_seconds   up to 3, each a histogram (20 series in Prometheus)
//	video_processing_cost_usd_total         1 for each API that the jobs pay
//
// A job without values has the series that it has without this option. Each label has at most as
// many values as [WithNameLimit] says; later ones are recorded as "other", and so are all values
// past ten times as many combinations. So 100 tenants cost 500, 300 and, with 4 APIs, 400 series.
// For more than 400 combinations, those with job types included, raise the SDK's limit of 2,000
// series for an instrument (sdkmetric.WithCardinalityLimit, exporters.WithCardinalityLimit).
//
// A value is shown as a job's id is, and cut at 64 bytes; see [Pipeline.StartJob].
//
// A key is a lower-case word of at most 64 letters, digits and single underscores, and none of the
// labels that the metrics or Prometheus have already. Any other is left out, which is an error of
// New.
func WithLabels(keys ...string) Option {
	return option(func(c *config) error {
		var errs []error
		for _, key := range keys {
			switch {
			case !labelKey(key):
				errs = append(errs, fmt.Errorf("instrument: WithLabels: %.100q is not a lower-case word of at most %d letters, digits and single underscores; it is left out",
					key, maxNameLen))
			case slices.Contains(reserved, key), strings.HasPrefix(key, "otel_"):
				errs = append(errs, fmt.Errorf("instrument: WithLabels: %q is a label of the metrics or of Prometheus already; it is left out", key))
			case !slices.Contains(c.labels, key):
				c.labels = append(c.labels, key)
			}
		}
		return errors.Join(errs...)
	})
}

// reserved are the labels that WithLabels must not add, beside those that begin with otel_.
var reserved = []string{"api", "error_type", "exported_job", "exported_instance", "instance", "job", "job_id", "job_type", "le",
	"outcome", "quantile", "stage", "status"}

// labelKey reports whether key is the same label on each way to Prometheus. Of two underscores in a
// row some exporters make one.
func labelKey(key string) bool {
	for i := range len(key) {
		c := key[i]
		if (c < 'a' || c > 'z') && (i == 0 || c != '_' && (c < '0' || c > '9')) {
			return false
		}
	}
	// On the way to Prometheus several underscores become one, so that two keys could become one
	// label.
	return key != "" && len(key) <= maxNameLen && !strings.Contains(key, "__") && !strings.HasSuffix(key, "_")
}

// WithNameLimit bounds how many undeclared names each get series of their own: stages, APIs, job
// types, values of a label, error types, and reasons of unpriced calls. Of the combinations of an
// error type with a stage and a job type, of one with an API, and of a reason with an API there are
// at most ten times as many. Later ones are recorded as "other", which is reported once to
// otel.Handle. The default is 100. From 200 on these combinations can pass the SDK's limit of 2,000
// series for an instrument: raise that too (sdkmetric.WithCardinalityLimit,
// exporters.WithCardinalityLimit).
func WithNameLimit(n int) Option {
	return option(func(c *config) error { return positive("WithNameLimit", n, &c.nameLimit) })
}

// WithLiveJobLimit bounds how many live jobs have series of their own
// (video_processing_job_cost_usd and video_processing_budget_remaining_usd) to n, and the series of
// their costs, one for each job and API, to 1,999, or to 2n−1 where that is more. Jobs past either
// limit are counted in video_processing_jobs_unshown_total; all totals stay exact. The default is
// 1,000, which fits the SDK's limit of 2,000 series for an instrument. For more, raise that to 2n
// too (sdkmetric.WithCardinalityLimit, exporters.WithCardinalityLimit).
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

// WithJobIDLabel adds job_id to video_processing_cost_usd_total, for dashboards that already have
// it. The cost: a series for each job and API that does not end before the process does (about 800
// bytes each, for every reader), a scrape that grows with it, and, past the SDK's cardinality limit
// of 2,000, every later job in one overflow series. video_processing_job_cost_usd has the same
// figures for live jobs.
func WithJobIDLabel() Option {
	return option(func(c *config) error { c.jobIDLabel = true; return nil })
}

// WithModelLabel adds model to video_processing_cost_usd_total, for calls that package aihttp meters:
// the model that the request names. There are as many names as [WithNameLimit] says; past it they
// become "other", as does the model of a call whose requests name several. Each booking allocates.
func WithModelLabel() Option {
	return option(func(c *config) error { c.modelLabel = true; return nil })
}

// WithRecover turns a panic in a job, stage or call into a [*PanicError], once it has been counted.
// The Run and Wrap functions return it, and End(&err) stores it in err. Without this option, and
// for an End(nil), which has nowhere to put it, the panic goes on.
func WithRecover() Option {
	return option(func(c *config) error { c.recover = true; return nil })
}

// WithErrorClassifier asks classify for the error_type of an error first. If it returns "",
// [ErrorType] decides. Return few, stable words. It may be called concurrently. A panic or a
// runtime.Goexit in it is reported to otel.Handle, and [ErrorType] decides.
func WithErrorClassifier(classify func(error) string) Option {
	return notNil("WithErrorClassifier", classify, func(c *config, f func(error) string) { c.classify = f })
}

// WithOutcome asks decide first how an attempt ends with an error that is not nil. It is for errors
// of libraries that are no failure, such as a queue's "later" or "enough". decide returns
// completed, failed, canceled, retried, snoozed or interrupted. Any other word, such as "", leaves
// the error to [OutcomeOf]. An error type of your own needs no option, only a method JobOutcome()
// string. decide is also asked about the errors of stages and calls, which count only if they are
// failed or retried. It may be called concurrently. A panic or a runtime.Goexit in it is reported to
// otel.Handle, and leaves the error to [OutcomeOf].
func WithOutcome(decide func(error) semconv.Outcome) Option {
	return notNil("WithOutcome", decide, func(c *config, f func(error) semconv.Outcome) { c.decide = f })
}

// WithLedger keeps budgets in l. The default is a [budget.NewMemoryLedger] of the pipeline's own.
// Any other is asked with a time limit ([WithLedgerTimeout]); while it does not answer,
// [WithLedgerPolicy] says what becomes of paid calls. What it does not take after a call is tried
// again, see [WithLease], and delivered by [Pipeline.Close] at the latest.
func WithLedger(l budget.Ledger) Option {
	return notNil("WithLedger", l, func(c *config, l budget.Ledger) { c.ledger = l })
}

// WithUnpricedPolicy sets what budgets do with calls whose price is unknown before they are made.
// It concerns jobs that were given, or are inside of one that was given, a limit that is not
// [Unlimited]; elsewhere such calls pass. The default is [DenyUnpriced]. An amount of [ReserveUnpriced] that cannot be booked (negative, NaN, infinite) is
// an error of [New], which then keeps the default.
func WithUnpricedPolicy(policy UnpricedPolicy) Option {
	return option(func(c *config) error {
		if invalidReason(policy.reserve) != "" {
			return fmt.Errorf("instrument: WithUnpricedPolicy: %s cannot be reserved; the default is used", policy.reserve)
		}
		c.unpriced = policy
		return nil
	})
}

// WithLedgerPolicy says what becomes of a paid call whose ledger cannot be asked. The default is
// [LedgerOpen]. A job whose account could not be opened opens it at its next call.
func WithLedgerPolicy(policy LedgerPolicy) Option {
	return option(func(c *config) error {
		if policy.leased && (invalidReason(policy.slice) != "" || policy.slice == 0) {
			return fmt.Errorf("instrument: WithLedgerPolicy: a slice of %s is none; the default is used", policy.slice)
		}
		c.policy = policy
		return nil
	})
}

// WithLedgerTimeout bounds the operations of the ledger of [WithLedger]: to reserve those before a
// call (open, reserve, release), to settle those after it (settle, close). The defaults are 100 ms
// and 2 s. An operation that takes longer counts as failed, even if the ledger ignores its context.
func WithLedgerTimeout(reserve, settle time.Duration) Option {
	return option(func(c *config) error {
		var wrong []error
		for _, t := range []struct {
			name  string
			given time.Duration
			kept  *time.Duration
		}{{"reserve", reserve, &c.reserveTimeout}, {"settle", settle, &c.settleTimeout}} {
			if t.given <= 0 {
				wrong = append(wrong, fmt.Errorf("instrument: WithLedgerTimeout: %s is %s, which is not above 0; the default of %s is used", t.name, t.given, *t.kept))
				continue
			}
			*t.kept = t.given
		}
		return errors.Join(wrong...)
	})
}

// WithEvents calls the functions of e. Given several times, the functions of all are called, in the
// order of the options.
func WithEvents(e Events) Option {
	return option(func(c *config) error {
		hear(&c.events.jobStarted, e.JobStarted)
		hear(&c.events.jobEnded, e.JobEnded)
		hear(&c.events.stageStarted, e.StageStarted)
		hear(&c.events.stageEnded, e.StageEnded)
		hear(&c.events.callStarted, e.CallStarted)
		hear(&c.events.callEnded, e.CallEnded)
		hear(&c.events.callRefused, e.CallRefused)
		hear(&c.events.progress, e.Progress)
		hear(&c.events.threshold, e.Threshold)
		hear(&c.events.stageStalled, e.StageStalled)
		hear(&c.events.stageOverdue, e.StageOverdue)
		return nil
	})
}

// WithDetails makes [Pipeline.Snapshot] show the stages, calls, errors, processes and quality values
// of each live job: of stages and of calls the newest 64, and up to 1,000 that are all under way; 32
// types of errors, 64 processes and the first 1,000 values of each quality. It costs a lock of the
// job at the start and the end of each stage and call, and some 20 KB for a job with 64 of each.
func WithDetails() Option {
	return option(func(c *config) error { c.details = true; return nil })
}

// WithHistory keeps the last n jobs that ended for [Pipeline.Snapshot], each with its details, as
// [WithDetails] does for live ones, which it includes. One job with 5 stages and 4 calls takes some
// 2 KB. 0, the default, keeps none.
func WithHistory(n int) Option {
	return option(func(c *config) error {
		if n < 0 {
			return fmt.Errorf("instrument: WithHistory(%d): must be at least 0; no history is kept", n)
		}
		c.history, c.details = n, c.details || n > 0
		return nil
	})
}
