package instrument

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/instrument/internal/remote"
	"github.com/stagemeter/stagemeter/instrument/money"
	"github.com/stagemeter/stagemeter/semconv"
)

// A Job is one run of one unit of work, from [StartJob] to [Job.End]. Stages, calls and recordings
// find it through the context that StartJob returns. Its methods are safe for concurrent use. A nil
// *Job is inert.
//
// Two runs of one id that live at once, such as a message that was delivered twice, are two jobs in
// every total. They share one budget and one set of job_id series. A job inside of another, in the
// context of that, spends the budgets of both; its cost is its own.
type Job struct {
	scope scope // the context that StartJob returns
	liveRun
	dimension *dimension
	video     atomic.Uint64  // length in seconds, as math.Float64bits; 0: unknown
	cost      atomic.Int64   // of this run only
	earlier   atomic.Int64   // what earlier attempts have spent
	outer     *Job           // the job of this pipeline around it
	users     atomic.Int64   // the job itself until its end, and the jobs in it
	accounts  []*openAccount // to close after the last user; set at the end
	closed    atomic.Bool    // accounts are
	calls     atomic.Int64   // under way
	unpriced  atomic.Int64   // calls whose cost is not known
	details   *details       // nil unless asked for
	attempt   attempt
	enqueued  moment        // from the carrier
	ended     atomic.Uint32 // one more than the contextState at the end; 0 before
	done      atomic.Bool
	over      atomic.Bool // done, and no other attempt comes
	label     [1]attribute.KeyValue
	options   [1]trace.SpanStartOption // of the span; arrays, since they are given as slices
}

// StartJob starts a job of the pipeline of ctx, or of [Default]; see [Pipeline.StartJob].
func StartJob(ctx context.Context, id string, opts ...JobOption) (context.Context, *Job) {
	return scopeOf(ctx).p.StartJob(ctx, id, opts...)
}

// StartJob starts a job. It counts it in video_processing_jobs_total{status="processing"}, adds it
// to video_processing_jobs_in_progress, and starts a span named "job" (kind consumer with
// [WithCarrier], else internal) with the id. End the job with the function's named error:
//
//	ctx, job := p.StartJob(ctx, id, instrument.WithBudget(2*instrument.Dollar))
//	defer job.End(&err)
//
// The id may be anything. Spans show it, and series that end with the job: only its visible
// characters, at most 256 bytes, and no password or key of a URL. An id that this changes ends with
// a checksum, and so does one that looks as if it did: no two ids are shown as one. An empty id is
// replaced by a unique one, and counts as invalid.
func (p *Pipeline) StartJob(ctx context.Context, id string, opts ...JobOption) (context.Context, *Job) {
	ctx = orBackground(ctx)
	if p.inert() {
		return unmeasured(ctx), nil
	}
	c := newJobConfig(opts)
	given := id
	id, shown := p.jobID(id)
	j := &Job{scope: scope{p: p}, liveRun: liveRun{id: id, shown: shown}, dimension: c.dimension(p)}
	j.attempt = p.validAttempt(ctx, c.attempt)
	j.scope.job, j.liveRun.job = j, j
	j.generated = id != given
	if s := ownScope(ctx); s != nil && s.p == p {
		j.outer = s.job
	}
	ctx = j.startSpan(ctx, c)
	if p.details.Load() {
		j.details = newDetails(j.start)
	}
	for o := j; o != nil; o = o.outer {
		o.users.Add(1)
	}
	shows := p.live.add(&j.liveRun)
	at := underway
	defer j.run(nil, &at) // nobody else ends the job if a function of the user's ends this goroutine
	if !shows {
		p.inst.JobsUnshown.Add(ctx, 1)
	}
	p.inst.Jobs.Add(ctx, 1, j.dimension.processing.add...)
	j.SetVideoDuration(c.video)
	j.addEarlier(p.earlier.take(id))
	if c.hasBudget || len(c.scopes) > 0 {
		j.openBudget(ctx, c)
	}
	if c.carrier != nil || c.scheduledAt.known {
		j.enqueued = p.recordWait(ctx, c.carrier, j.attempt.n, c.scheduledAt, j.start)
	}
	if len(p.events.jobStarted) > 0 {
		tell(p.events.jobStarted, &j.scope, JobEvent{Job: j.ref(), Start: j.start})
	}
	at = hasEnded
	return &j.scope, j
}

// startSpan starts the job and its span, and returns the span's context.
func (j *Job) startSpan(ctx context.Context, c jobConfig) context.Context {
	opts := j.options[:0]
	if !j.scope.p.untraced {
		j.label[0] = jobIDKey.String(j.shown)
		opts = append(opts, trace.WithAttributes(j.label[:]...))
		if len(j.dimension.attrs) > 0 {
			opts = append(opts, trace.WithAttributes(j.dimension.attrs...))
		}
		if attrs := j.attempt.attributes(); attrs != nil {
			opts = append(opts, trace.WithAttributes(attrs...))
		}
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

// End ends the job, or this attempt at it, and records how: attempts_total{outcome},
// jobs_in_progress, and the span's status. Defer it directly, with the address of the function's
// named error:
//
//	defer job.End(&err)
//
// The outcome follows *errp as [OutcomeOf] says. If the job has ended with it, as completed, failed
// or canceled, End also records jobs_total{status}, job_duration_seconds, job_ratio and
// cost_per_job_usd; and for a job that completed, time_to_publish_seconds, if its carrier has the
// time of its enqueueing.
//
// A panic counts as failed, or retried, with error_type panic and goes on; see [WithRecover]. End
// sees it only if it is deferred directly. End cannot see a runtime.Goexit, and then the outcome
// follows *errp; [RunJob] sees it.
//
// The error of an attempt that failed or is retried is counted in errors_total{stage="job"}, unless
// a stage or a job in it has counted it. Only the first End of a job does anything.
//
// Stages and calls that outlive their job still record. What they then spend is in the totals and in
// the budget, and in the cost_per_job_usd of another attempt that ends later, but not in this job's
// cost. The number of calls that have not ended is on the job's span, as
// video.processing.calls_open; the span of each says so when it ends, as video.processing.after_job.
func (j *Job) End(errp *error) {
	if j == nil || j.scope.p.inert() || !j.done.CompareAndSwap(false, true) {
		return
	}
	o := ended(errp, recover())
	j.finish(o)
	o.deliver(j.scope.p, errp)
}

func (j *Job) returned(err error) {
	if j != nil && j.done.CompareAndSwap(false, true) {
		j.finish(ending{err: err})
	}
}

func (j *Job) run(errp *error, at *progress) {
	if j == nil || *at == hasEnded || !j.done.CompareAndSwap(false, true) {
		return
	}
	o := ran(errp, recover(), *at)
	j.finish(o)
	o.deliver(j.scope.p, errp)
}

// finish ends the job. Each part is done also if a function of the user's ends the goroutine in the
// one before: an exemplar filter, a span processor, a function of Events.
func (j *Job) finish(o ending) {
	took := time.Since(j.start)
	j.ended.Store(1 + uint32(stateOf(j.scope.Context)))
	as := j.outcome(o.err)
	defer j.tellEnd(o, as, took)
	defer o.end(j.scope.span, as)
	defer j.leaveAs(as, took)
	if o.err != nil || j.scope.rare.used() {
		j.scope.countEnd(o.err, as, jobStage)
	}
}

// leaveAs takes the job out of the live ones, records how it ended, and closes its accounts.
func (j *Job) leaveAs(as Outcome, took time.Duration) {
	p := j.scope.p
	if p.history.limit.Load() > 0 { // before the job leaves the live ones, so that a snapshot never misses it
		s, _ := j.state()
		s.end(j.start.Add(took), as)
		p.history.add(s)
	} else {
		p.history.forget(j.start.Add(took))
	}
	if as.Attempt == semconv.OutcomeCompleted && j.details != nil {
		p.completed.Store(true)
	}
	j.leave(as.Attempt == semconv.OutcomeCompleted)
	j.accounts = p.live.remove(&j.liveRun)
	defer j.closeUnusedAll()
	p.inst.Attempts.Add(&j.scope, 1, j.dimension.attempt(as.Attempt)...)
	if as.Status != "" {
		j.record(as, took)
	}
	if j.scope.span.IsRecording() { // else the attributes are allocated for nothing
		j.describe(as)
	}
}

func (j *Job) tellEnd(o ending, as Outcome, took time.Duration) {
	if p := j.scope.p; len(p.events.jobEnded) > 0 {
		tell(p.events.jobEnded, &j.scope, JobEvent{Job: j.ref(), Start: j.start, Duration: took, Outcome: as, Err: o.err, Cost: j.Cost()})
	}
}

// leave says what is to become of the job's account, and remembers what the job has spent if no
// account does and it may come again.
func (j *Job) leave(completed bool) {
	j.addEarlier(USD(j.live.late.Swap(0)))
	j.over.Store(completed || j.generated)
	if j.account != nil {
		j.account.final.Store(completed || j.generated)
	}
	switch {
	case completed:
		j.scope.p.earlier.take(j.id)
	case j.generated:
	case j.account == nil || j.account.kept:
		j.scope.p.earlier.add(j.id, j.totalCost())
	}
}

// closeUnusedAll ends the uses that the job makes of its own accounts, and of those of the jobs
// around it.
func (j *Job) closeUnusedAll() {
	for o := j; o != nil; o = o.outer {
		o.closeUnused()
	}
}

// closeUnused ends one use of the accounts that the job leaves, and closes them after the last. Jobs
// in this one spend them too, and may outlive it, while a ledger may forget a job that is completed
// as soon as it is closed.
func (j *Job) closeUnused() {
	if j.users.Add(-1) > 0 || !j.closed.CompareAndSwap(false, true) {
		return
	}
	for _, a := range j.accounts {
		if err := a.close(context.WithoutCancel(&j.scope)); err != nil && !remote.Unasked(err) {
			handle(fmt.Errorf("instrument: the account of job %q: %w", j.shown, err))
		}
	}
}

// outcome returns how the attempt ends, or has ended, with err.
func (j *Job) outcome(err error) Outcome {
	var state contextState
	if at := j.ended.Load(); at != 0 {
		state = contextState(at - 1)
	} else {
		state = stateOf(j.scope.Context)
	}
	return j.scope.p.outcome(endOf(j.scope.Context, state), err, j.attempt.toCome())
}

// record records what is recorded once for a job, in the status that it has ended in.
func (j *Job) record(as Outcome, took time.Duration) {
	p, handles := j.scope.p, j.dimension.status(as.Status)
	p.inst.Jobs.Add(&j.scope, 1, handles.add...)
	p.inst.JobDuration.Record(&j.scope, took.Seconds(), handles.duration...)
	if video := j.videoSeconds(); video > 0 {
		p.inst.JobRatio.Record(&j.scope, took.Seconds()/video, handles.ratio...)
	}
	p.inst.CostPerJob.Record(&j.scope, j.totalCost().Float64())
	if as.Status == semconv.JobStatusCompleted && j.enqueued.known {
		p.inst.TimeToPublish.Record(&j.scope, (j.start.Sub(j.enqueued.Time) + took).Seconds())
	}
}

// describe writes on the span what is known at the end.
func (j *Job) describe(as Outcome) {
	attrs := append(make([]attribute.KeyValue, 0, 5), outcomeKey.String(string(as.Attempt)), costKey.Float64(j.Cost().Float64()))
	if as.Status != "" {
		attrs = append(attrs, jobStatusKey.String(string(as.Status)))
	}
	if video := j.videoSeconds(); video > 0 {
		attrs = append(attrs, videoKey.Float64(video))
	}
	if open := j.calls.Load(); open > 0 {
		attrs = append(attrs, callsOpenKey.Int64(open))
	}
	j.scope.span.SetAttributes(attrs...)
}

func (j *Job) videoSeconds() float64 { return math.Float64frombits(j.video.Load()) }

// ID returns the id that StartJob was given.
func (j *Job) ID() string {
	if j == nil {
		return ""
	}
	return j.id
}

// Cost returns what this run has spent so far, exact to the nano-dollar. Calls that are unpriced
// are not in it; see [Call.SetUnpriced].
func (j *Job) Cost() USD {
	if j == nil {
		return 0
	}
	return USD(j.cost.Load())
}

// addEarlier adds to what earlier attempts at the job have spent.
func (j *Job) addEarlier(cost USD) { add(&j.earlier, cost) }

// totalCost returns what the job has spent over all its attempts.
func (j *Job) totalCost() USD { return money.Sum(USD(j.earlier.Load()), j.Cost()) }

// budgetAccount returns the account that the job's calls are held in: its own, or else that of
// another run of its id, or nil.
func (j *Job) budgetAccount() *openAccount {
	if j.account != nil {
		return j.account
	}
	return j.live.budget.account.Load()
}

// addCost adds to the cost and stops at the end of the range.
func (j *Job) addCost(amount USD) { add(&j.cost, amount) }

// SetVideoDuration sets the length of the job's video, once it is known; see [WithVideoDuration].
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

// ref returns the names of a run.
func (j *Job) ref() JobRef {
	if j == nil {
		return JobRef{}
	}
	return JobRef{ID: j.shown, Run: j.number, Type: j.dimension.jobType, Attempt: j.attempt.n, MaxAttempts: j.attempt.most}
}

// detailsOf returns what is kept of the innermost job of ctx, or nil.
func detailsOf(ctx context.Context) *details {
	if s := ownScope(ctx); s != nil && s.job != nil {
		return s.job.details
	}
	return nil
}

// state returns the state of a live run, without its estimate, and what is new about its stages.
func (j *Job) state() (JobState, []news) {
	s := JobState{
		JobRef: j.ref(), TraceID: traceID(j.scope.span), Start: j.start, Cost: j.Cost(),
		Video: seconds(j.videoSeconds()),
		Costs: j.live.apiCosts(),
	}
	s.Unpriced = int(j.unpriced.Load())
	s.Budget = j.live.budget.state(&j.scope.p.ids)
	s.Progress = j.scope.rare.newest().copied()
	news := j.details.copyTo(&s, time.Now())
	return s, news
}
