package instrument

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/semconv"
)

// A Job is one run of one unit of work, from [Pipeline.StartJob] to [Job.End]. It is found through the context that
// StartJob returns, so stages, calls and recordings need no other argument. Its methods are safe for concurrent use;
// a nil *Job is inert.
//
// Two runs of one id that live at once, such as a message that was delivered twice, are two jobs in every total, and
// share one budget and one set of job_id series.
type Job struct {
	scope      scope // the context that StartJob returns
	id, shown  string
	start      time.Time
	video      atomic.Uint64 // length in seconds, as math.Float64bits; 0: unknown
	cost       atomic.Int64  // of this run alone
	rare       lazyRare
	done       atomic.Bool
	live       *liveJob
	own        liveJob      // what live is, unless another run of this id lives already; later ones keep this job for it
	account    *openAccount // that this run has opened
	prev, next *Job         // guarded by live.mu of the pipeline
	label      [1]attribute.KeyValue
	options    [1]trace.SpanStartOption // of the span, which are given as slices
}

// StartJob starts a job: counts it in video_processing_jobs_total{status="processing"}, adds it to
// video_processing_jobs_in_progress, and starts a span named "job" (kind consumer with [WithCarrier], else internal)
// with the id. End it with the function's named error:
//
//	ctx, job := p.StartJob(ctx, id, instrument.WithBudget(2*instrument.Dollar))
//	defer job.End(&err)
//
// The id may be anything; it is put on spans and on series that end with the job. There it is cleaned of what is not
// printable and cut at 256 bytes, and gets a checksum at its end if that changed it. An empty id gets one that is unique
// and counts as invalid.
func (p *Pipeline) StartJob(ctx context.Context, id string, opts ...JobOption) (context.Context, *Job) {
	ctx = orBackground(ctx)
	if p.inert() {
		return ContextWithPipeline(ctx, nil), nil
	}
	var c jobConfig
	for _, o := range opts {
		if o != nil {
			c = o.applyJob(c)
		}
	}
	id, shown := p.jobID(id)
	j := &Job{id: id, shown: shown, scope: scope{p: p}}
	j.scope.job = j
	ctx = j.startSpan(ctx, c)
	if !p.live.add(j) {
		p.inst.JobsUnshown.Add(ctx, 1)
	}
	p.inst.Jobs.Add(ctx, 1, processing.add...)
	j.SetVideoDuration(c.video)
	if c.hasBudget {
		j.openBudget(ctx, c.budget)
	}
	if c.carrier != nil {
		p.recordWait(ctx, c.carrier, j.start)
	}
	return &j.scope, j
}

// startSpan starts the job and its span, and returns the span's context.
func (j *Job) startSpan(ctx context.Context, c jobConfig) context.Context {
	opts := j.options[:0]
	if !j.scope.p.untraced {
		j.label[0] = jobIDKey.String(j.shown)
		opts = append(opts, trace.WithAttributes(j.label[:]...))
	}
	if c.carrier != nil {
		remote := j.scope.p.extract(ctx, c.carrier)
		from := trace.SpanContextFromContext(remote)
		opts = append(opts, trace.WithSpanKind(trace.SpanKindConsumer))
		switch {
		case c.remoteParent:
			ctx = remote
		case from.IsValid() && !from.Equal(trace.SpanContextFromContext(ctx)):
			opts = append(opts, trace.WithLinks(trace.Link{SpanContext: from}))
		}
	}
	j.start = time.Now()
	j.scope.Context, j.scope.span = j.scope.p.startSpan(ctx, "job", opts...)
	return j.scope.Context
}

// Attributes of spans alone: no metric may carry an id.
const (
	jobIDKey     = attribute.Key("video.processing.job.id")
	jobStatusKey = attribute.Key("video.processing.job.status")
	costKey      = attribute.Key("video.processing.cost_usd")
	videoKey     = attribute.Key("video.processing.video.duration_s")
	stageKey     = attribute.Key("video.processing.stage")
)

// End ends the job and records its outcome: jobs_total{status}, jobs_in_progress, job_duration_seconds, job_ratio,
// cost_per_job_usd, and the span's status. Defer it directly, with the address of the function's named error:
//
//	defer job.End(&err)
//
// The status is completed if the error is nil (or errp is), canceled if the job's context was canceled or the
// error is context.Canceled and joins nothing else, else failed, with error_type timeout if the context's deadline
// has passed. A panic counts as failed with error_type panic and goes on, see [WithRecover]; deferred directly is what
// lets End see it. A runtime.Goexit can't be seen by a deferred call: the job ends as the error says.
// [Pipeline.RunJob] sees it.
//
// An error that no stage of the job has counted is counted in errors_total{stage="job"}. Only the first End of a job
// does anything. Stages and calls that outlive their job still record what is theirs; what they then spend is in the
// totals but not in this job's cost.
func (j *Job) End(errp *error) {
	if j == nil || j.scope.p.inert() || !j.done.CompareAndSwap(false, true) {
		return
	}
	o := ended(errp, recover())
	j.finish(o)
	o.deliver(j.scope.p, errp)
}

func (j *Job) finish(o outcome) {
	took := time.Since(j.start)
	accounts := j.scope.p.live.remove(j)
	status, counter := semconv.JobStatusCompleted, &completed
	errorType := o.errorType(&j.scope, j.scope.p)
	switch {
	case o.canceled(&j.scope):
		status, counter = semconv.JobStatusCanceled, &canceled
	case o.err != nil:
		status, counter = semconv.JobStatusFailed, &failed
		if !j.rare.counted(o.err) {
			j.scope.p.countError(&j.scope, jobStage, errorType)
		}
	}
	j.scope.p.inst.Jobs.Add(&j.scope, 1, counter.add...)
	j.scope.p.inst.JobDuration.Record(&j.scope, took.Seconds(), counter.record...)
	video, cost := math.Float64frombits(j.video.Load()), j.Cost().Float64()
	if video > 0 {
		j.scope.p.inst.JobRatio.Record(&j.scope, took.Seconds()/video, counter.record...)
	}
	j.scope.p.inst.CostPerJob.Record(&j.scope, cost)
	if j.scope.span.IsRecording() { // else the attributes are allocated for nothing
		j.scope.span.SetAttributes(jobStatusKey.String(string(status)), costKey.Float64(cost))
		if video > 0 {
			j.scope.span.SetAttributes(videoKey.Float64(video))
		}
	}
	for _, a := range accounts {
		if err := contain("Account.Close", func() error { return a.Close(context.WithoutCancel(&j.scope)) }); err != nil {
			handle(fmt.Errorf("instrument: the account of job %q: %w", j.shown, err))
		}
	}
	o.end(j.scope.span, errorType)
}

// jobStage is the stage attribute of an error that happened in a job but in none of its stages.
const jobStage = "job"

// ID is the id as it was given to StartJob.
func (j *Job) ID() string {
	if j == nil {
		return ""
	}
	return j.id
}

// Cost is what this run has spent so far.
func (j *Job) Cost() USD {
	if j == nil {
		return 0
	}
	return USD(j.cost.Load())
}

// addCost adds to the cost and stops at the end of the range.
func (j *Job) addCost(amount USD) {
	for {
		old := j.cost.Load()
		if j.cost.CompareAndSwap(old, int64(USD(old).plus(amount))) {
			return
		}
	}
}

// SetVideoDuration tells the length of the job's video once it is known; see [WithVideoDuration].
func (j *Job) SetVideoDuration(d time.Duration) {
	if j == nil || j.scope.p.inert() {
		return
	}
	if d < 0 {
		j.scope.p.countInvalid(&j.scope, semconv.JobRatioName, semconv.InvalidReasonNegative)
		return
	}
	j.video.Store(math.Float64bits(d.Seconds()))
}

// SetBudgetRemaining shows an amount that the program has computed itself in
// video_processing_budget_remaining_usd{job_id}, in place of what [WithBudget] would show. It refuses nothing. The
// first negative amount counts as budget exceeded, also after End.
func (j *Job) SetBudgetRemaining(remaining USD) {
	if j == nil || j.scope.p.inert() {
		return
	}
	if remaining == notANumber || remaining == infinite || remaining == Unlimited {
		reason := semconv.InvalidReasonInf
		if remaining == notANumber {
			reason = semconv.InvalidReasonNaN
		}
		j.scope.p.countInvalid(&j.scope, semconv.BudgetRemainingName, reason)
		return
	}
	j.live.budget.computed.Store(&remaining)
	if remaining < 0 {
		j.exceed(&j.scope)
	}
}

// BudgetRemaining is the limit less what was spent, as video_processing_budget_remaining_usd shows it, and whether
// the job has a budget. It is negative when the job has overspent, and [Unlimited], which has no series, when nothing
// bounds it.
func (j *Job) BudgetRemaining() (USD, bool) {
	if j == nil || j.scope.p.inert() {
		return 0, false
	}
	return j.live.budget.remaining()
}
