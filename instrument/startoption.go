package instrument

import (
	"slices"
	"time"

	"go.opentelemetry.io/otel/propagation"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/semconv"
)

// Options of jobs, stages and calls take and return their configuration by value: one behind a
// pointer would be allocated each time.

// A JobOption sets up one job.
type JobOption interface{ applyJob(jobConfig) jobConfig }

// A StageOption sets up one stage.
type StageOption interface{ applyStage(stageConfig) stageConfig }

// A CallOption sets up one paid call.
type CallOption interface{ applyCall(callConfig) callConfig }

type jobConfig struct {
	budget       USD
	hasBudget    bool
	account      string
	scopes       []budget.Scope
	video        time.Duration
	carrier      propagation.TextMapCarrier
	remoteParent bool
	jobType      string
	labels       []label
	attempt      attempt
	scheduledAt  moment
}

type label struct{ key, value string }

func newJobConfig(opts []JobOption) (c jobConfig) {
	for _, o := range opts {
		if o != nil {
			c = o.applyJob(c)
		}
	}
	return c
}

// dimension returns the dimension that the options ask for.
func (c jobConfig) dimension(p *Pipeline) *dimension {
	if c.jobType == "" && c.labels == nil {
		return plain
	}
	var values []string
	for _, l := range c.labels {
		at := slices.Index(p.dimensions.keys, l.key)
		if at < 0 { // WithLabels did not declare it
			p.badName(semconv.JobsName)
			continue
		}
		if values == nil {
			values = make([]string, len(p.dimensions.keys))
		}
		values[at] = l.value
	}
	d, isNew := p.dimensions.get(c.jobType, values)
	if isNew {
		p.zeroDimension(d)
	}
	return d
}

type stageConfig struct {
	video    time.Duration
	hasVideo bool
}

type callConfig struct {
	maxCost, minCost       USD
	hasMaxCost, hasMinCost bool
	free                   bool
	unknown                string // of WithUnknownCost
	isUnknown              bool
	lease                  time.Duration
}

type jobOption func(jobConfig) jobConfig

func (o jobOption) applyJob(c jobConfig) jobConfig { return o(c) }

// WithBudget bounds what the job's paid calls may cost together. The budget is asked before each
// call. A call that no longer fits is refused with a [*BudgetError] and not made. 0 refuses every
// call that is not [Free]. Without WithBudget, or with [Unlimited], none is refused. A limit that
// cannot be booked (negative, NaN, infinite) counts as invalid and is 0.
//
// Runs of one job id share one budget: the limit that was given last. That holds for runs that live
// at once, and for those that follow one that did not complete, such as the second delivery of a
// message: it goes on with what the first has spent. In memory, that is remembered of the newest
// 10,000 jobs, for 24 hours. [Pipeline.Forget] starts afresh, and [WithAccount] names another
// account.
//
// A job inside of another one spends the budgets of both, its own first.
func WithBudget(limit USD) JobOption {
	return jobOption(func(c jobConfig) jobConfig { c.budget, c.hasBudget = limit, true; return c })
}

// WithAccount names the account whose budget the job spends, if that is not to be the one of its id:
// WithAccount(orderID) has all jobs of an order share the limit of [WithBudget], which it needs. No
// job that completes ends such an account.
func WithAccount(id string) JobOption {
	return jobOption(func(c jobConfig) jobConfig { c.account = id; return c })
}

// WithScopes adds budgets to that of the job: those of a tenant, a day, a month. A call has to fit
// into all of them, and its refusal names the one that it does not fit into. The job's own budget is
// [Unlimited] without [WithBudget]. Limits are as those of WithBudget, and so is the account of a
// scope: the limit that was given last holds, also if one job is given a scope twice.
//
//	instrument.WithScopes(
//		budget.Scope{Kind: budget.Tenant, ID: tenant, Limit: 500 * instrument.Dollar},
//		budget.Scope{Kind: budget.Day, ID: "all", Limit: 40 * instrument.Dollar})
func WithScopes(scopes ...budget.Scope) JobOption {
	return jobOption(func(c jobConfig) jobConfig {
		c.scopes = slices.Clone(c.scopes)
		for _, s := range scopes {
			same := func(t budget.Scope) bool { return t.Kind == s.Kind && t.ID == s.ID }
			if i := slices.IndexFunc(c.scopes, same); i >= 0 {
				c.scopes[i] = s
			} else {
				c.scopes = append(c.scopes, s)
			}
		}
		return c
	})
}

// WithCarrier takes the job's trace context and its times from the message that brought it, where
// [Pipeline.Enqueue] put them. The job's span links to the span that enqueued it; see
// [WithRemoteParent]. The wait is recorded in video_processing_queue_wait_seconds, and, once the job
// has completed, the time since it was enqueued in video_processing_time_to_publish_seconds. A
// negative wait, because a clock ran backwards, counts as 0 and as invalid. A carrier that holds
// nothing of this is fine.
//
// A queue delivers the same carrier to each attempt. Tell them apart by [WithAttempt].
func WithCarrier(carrier propagation.TextMapCarrier) JobOption {
	return jobOption(func(c jobConfig) jobConfig { c.carrier = carrier; return c })
}

// WithAttempt says that the job is run for the nth time, of most times in all; most 0 is unknown.
// Both are on the span. While n < most an attempt that fails is retried, not failed, and the job
// goes on; see [OutcomeOf]. For a later attempt (n > 1) the wait is recorded only with
// [WithScheduledAt]. A number below 1, or above a most that is not 0, and a negative most count as
// invalid and say nothing.
//
// Without WithAttempt each failed attempt ends the job: it counts as failed, and
// video_processing_cost_per_job_usd records once more all that the attempts have spent so far.
func WithAttempt(n, most int) JobOption {
	return jobOption(func(c jobConfig) jobConfig { c.attempt = attempt{n, most, true}; return c })
}

// WithScheduledAt says since when this attempt of the job could be worked on: the time of its row
// or message in the queue. video_processing_queue_wait_seconds counts from it, whatever the carrier
// says. Given to [Pipeline.Enqueue] or [Pipeline.StartEnqueue], it is the time before which the job
// is not to be worked on, and goes with the carrier to the first attempt: a job for tomorrow does
// not wait until then. The zero time says nothing.
func WithScheduledAt(t time.Time) JobOption {
	return jobOption(func(c jobConfig) jobConfig { c.scheduledAt = moment{t, !t.IsZero()}; return c })
}

// WithRemoteParent makes the span that enqueued the job its parent instead of a link. Use it when
// every message is worked on once, soon, and by itself: then one trace shows the whole way. It
// needs [WithCarrier].
func WithRemoteParent() JobOption {
	return jobOption(func(c jobConfig) jobConfig { c.remoteParent = true; return c })
}

// WithJobType sets the kind of the job ("highlights", "dubbing"), as the attribute job_type of
// jobs_total, attempts_total, job_duration_seconds, job_ratio, cost_usd_total and errors_total. It
// is a word from your code and bounded as stage names are: past [WithNameLimit] types become
// "other". A job without a type, or with the empty one, has the series that it has without this
// option.
//
// A type costs 5 series of jobs_total, 6 of attempts_total and up to 6 histograms, one series of
// cost_usd_total for each API that its jobs pay, and one of errors_total for each stage and error
// type that they see.
func WithJobType(name string) JobOption {
	return jobOption(func(c jobConfig) jobConfig { c.jobType = name; return c })
}

// WithLabel gives the job a value of a label that [WithLabels] has declared, such as
// WithLabel("tenant", name). The last value of a key holds; "" is none. A key that was not declared
// counts as invalid.
func WithLabel(key, value string) JobOption {
	return jobOption(func(c jobConfig) jobConfig {
		c.labels = append(slices.Clip(c.labels), label{key, value})
		return c
	})
}

type videoDuration time.Duration

// WithVideoDuration sets the length of the video that a job or a stage works on. The processing
// ratio is the time taken divided by this length. 0 means unknown: no ratio is recorded. A negative
// length counts as invalid. A stage without it uses its job's length, as last set by this option or
// [Job.SetVideoDuration].
func WithVideoDuration(d time.Duration) interface {
	JobOption
	StageOption
} {
	return videoDuration(d)
}

func (o videoDuration) applyJob(c jobConfig) jobConfig { c.video = time.Duration(o); return c }

func (o videoDuration) applyStage(c stageConfig) stageConfig {
	c.video, c.hasVideo = time.Duration(o), true
	return c
}

type callOption func(callConfig) callConfig

func (o callOption) applyCall(c callConfig) callConfig { return o(c) }

// WithMaxCost sets the most that the call can cost. The budget reserves it before the call is made,
// so that calls in parallel never overspend together, and refuses a call that does not fit. It is
// booked when the call succeeds without another price; the table at [Call.End] has every case. An
// amount that cannot be booked (negative, NaN, infinite) is counted as invalid, and makes the price
// unknown, as [WithUnknownCost] with the reason "invalid" does.
func WithMaxCost(cost USD) CallOption {
	return callOption(func(c callConfig) callConfig { c.maxCost, c.hasMaxCost = cost, true; return c })
}

// WithMinCost sets what the call costs as soon as it was sent, such as the price of its input. It
// is the least that a call books that failed and may have been charged. With it alone, a call that
// succeeds is unpriced (no_price), and a budget lets the call pass while anything is left, however
// little: give [WithMaxCost] too.
//
// Every failed call may have been charged, unless
//
//   - its request never left this machine. The HTTP clients of net/http tell, by the call's
//     context, which requests they have sent. A connection that does not come up, a proxy that
//     refuses, a handshake that fails, a canceled wait for a connection: nothing has left. Of other
//     clients the error tells: *net.DNSError, *net.OpError of dial, errors of crypto/tls and
//     crypto/x509, a file that cannot be opened or read, a program that is not there, a URL or a
//     JSON text that cannot be made, a nil function, a refusal by a budget. If the call's context
//     was over before StartCall, nothing has left either, unless a request was seen to leave or the
//     error is that of an answer.
//   - its request was refused unprocessed: an answer of 3xx or 4xx, except 408 and 499; the gRPC
//     codes InvalidArgument, NotFound, AlreadyExists, PermissionDenied, Unauthenticated,
//     ResourceExhausted, FailedPrecondition, OutOfRange and Unimplemented (not Unavailable); a
//     handshake that the server ended. If the call sent several requests and one was never
//     answered, that one may have been charged, whatever the last answer was. The error must carry
//     the status as [ErrorType] finds it, such as in a method or an exported field StatusCode: to
//     fmt.Errorf("status %d", code) it is only a text.
//
// Of errors that are joined, each must say so. Panics say nothing. A call is best one attempt: what
// was answered before the last attempt of a call is not known. An amount that cannot be booked
// (negative, NaN, infinite) is counted as invalid and ignored.
func WithMinCost(cost USD) CallOption {
	return callOption(func(c callConfig) callConfig { c.minCost, c.hasMinCost = cost, true; return c })
}

// Free says that the call costs nothing, whether it succeeds or fails. It passes a budget that is
// used up, and a limit of 0. [WithMaxCost], [WithMinCost] and [WithUnknownCost] beside it have no
// effect. If [Call.SetCost] or a price function says something else, that is booked.
func Free() CallOption {
	return callOption(func(c callConfig) callConfig { c.free = true; return c })
}

// WithUnknownCost says that nobody knows what the call costs, and why, in one word, such as
// "unknown_model". If the job's budget is limited, the policy of [WithUnpricedPolicy] decides
// whether the call is made; by default it is refused. If it is made and ends without a price, it is
// counted with the reason; see [Call.SetUnpriced]. A [WithMaxCost] beside it makes the cost known:
// it is reserved and booked.
func WithUnknownCost(reason string) CallOption {
	return callOption(func(c callConfig) callConfig { c.unknown, c.isUnknown = reason, true; return c })
}

// WithLease says how long the call may take at most; the default is one hour. When the lease is over
// and the call has not ended, as its process died, the ledger books the amount of [WithMinCost], or
// without one that of [WithMaxCost], as unconfirmed. A call that ends later still corrects that. A
// settle that the ledger does not take is tried again for as long. A lease of 0 or less is the
// default.
func WithLease(lease time.Duration) CallOption {
	return callOption(func(c callConfig) callConfig { c.lease = lease; return c })
}
