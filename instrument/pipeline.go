package instrument

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/internal/remote"
	"github.com/stagemeter/stagemeter/instrument/internal/seam"
	"github.com/stagemeter/stagemeter/internal/instruments"
	"github.com/stagemeter/stagemeter/semconv"
)

// ScopeName is the name of this package's meter and tracer.
const ScopeName = "github.com/stagemeter/stagemeter/instrument"

// Version is the version of this package, and of its meter and tracer.
const Version = "0.1.0"

// A Pipeline measures jobs. A program makes one with [New], after it has set up its providers, or
// uses [Default]. Its methods are safe for concurrent use. A nil *Pipeline and the zero Pipeline
// are inert: what they wrap runs unmeasured.
type Pipeline struct {
	ready        bool
	implicit     bool // made by Default
	root         scope
	inst         instruments.Set
	tracer       trace.Tracer
	untraced     bool // the tracer is the API's no-op
	propagator   propagation.TextMapPropagator
	classify     func(error) string
	decide       func(error) semconv.Outcome
	recover      bool
	jobIDLabel   bool
	models       *names[string] // of WithModelLabel; nil without
	near         nearLedger     // the ledger in memory; else
	far          *remote.Ledger // any other
	policy       LedgerPolicy
	earlier      earlierCosts
	ids          ids
	live         live
	stages       *names[stageHandle]
	declared     []*stageHandle // of WithStages, in its order
	earlierRuns  earlierRuns    // of WithStageTimes, by stage; never changed
	apis         *names[apiHandle]
	dimensions   *dimensions
	errors       errorKeys
	apiErrors    *apiWords
	unpriced     UnpricedPolicy
	reasons      *apiWords // of unpriced calls
	pools        pools
	processes    atomic.Int64
	events       events
	details      atomic.Bool // jobs that start have details
	completed    atomic.Bool // a job with details has completed, in this process or an earlier one
	history      history
	prices       atomic.Int64 // Unix time of the oldest price table in use; 0 without one
	lent         seam.Pipeline
	registration metric.Registration
}

// New makes a pipeline. Without options it measures through the global providers, keeps budgets in
// memory, and shows series of up to 1,000 live jobs. It always returns a usable pipeline. The error
// joins what was wrong with the options and which instruments the meter refused; these record
// nothing.
//
// Make one pipeline for a meter provider. If it is to use the global providers, set them first: the
// zeros that New records go to the provider of that moment.
func New(opts ...Option) (*Pipeline, error) {
	c := config{
		meters:    otel.GetMeterProvider(),
		tracers:   otel.GetTracerProvider(),
		nameLimit: 100,
		liveLimit: 1000,
		ledger:    budget.NewMemoryLedger(),

		reserveTimeout: 100 * time.Millisecond,
		settleTimeout:  2 * time.Second,
	}
	var wrong []error
	for _, o := range opts {
		if o == nil {
			wrong = append(wrong, errors.New("instrument: New: a nil Option is ignored"))
			continue
		}
		wrong = append(wrong, o.apply(&c))
	}
	if c.meters == nil { // otel.SetMeterProvider(nil)
		c.meters = metricnoop.NewMeterProvider()
		wrong = append(wrong, errors.New("instrument: New: the global meter provider is nil; nothing is measured"))
	}
	if c.tracers == nil {
		c.tracers = tracenoop.NewTracerProvider()
		wrong = append(wrong, errors.New("instrument: New: the global tracer provider is nil; nothing is traced"))
	}
	meter := c.meters.Meter(ScopeName, metric.WithInstrumentationVersion(Version))
	if meter == nil {
		meter = metricnoop.Meter{}
		wrong = append(wrong, fmt.Errorf("instrument: New: the meter provider %T gave no meter; nothing is measured", c.meters))
	}
	tracer := c.tracers.Tracer(ScopeName, trace.WithInstrumentationVersion(Version))
	if tracer == nil {
		tracer = tracenoop.Tracer{}
		wrong = append(wrong, fmt.Errorf("instrument: New: the tracer provider %T gave no tracer; nothing is traced", c.tracers))
	}
	_, untraced := tracer.(tracenoop.Tracer)
	p := &Pipeline{
		ready:      true,
		implicit:   c.implicit,
		tracer:     tracer,
		untraced:   untraced,
		propagator: c.propagator,
		classify:   c.classify,
		decide:     c.decide,
		recover:    c.recover,
		jobIDLabel: c.jobIDLabel,
		ids:        newIDs(),
		live:       live{limit: c.liveLimit, byID: make(map[string]*liveJob)},
		events:     c.events,
		errors:     errorKeys{limit: c.nameLimit, known: make(map[string]struct{}), opts: make(map[errorKey]addOptions)},
		apiErrors:  newAPIWords(semconv.AttrErrorType, c.nameLimit),
		unpriced:   c.unpriced,
		reasons:    newAPIWords(semconv.AttrReason, c.nameLimit),
	}
	p.root.p = p
	p.details.Store(c.details)
	p.history.keep(c.history)
	p.setLedger(c)
	var err error
	p.inst, err = instruments.New(meter)
	p.lent.Set, p.lent.Limit = &p.inst, c.nameLimit
	wrong = append(wrong, err)
	p.earlierRuns = newEarlierRuns(&c)
	p.completed.Store(len(p.earlierRuns) > 0)
	p.stages = newNames("stage names", c.nameLimit, c.stages, p.earlierRuns.newStage, func() { p.badName(semconv.DurationName) })
	p.declare(&c)
	p.apis = newNames("API names", c.nameLimit, c.apis, p.newAPI, func() { p.badName(semconv.APICallsName) })
	p.dimensions = newDimensions(c.nameLimit, c.labels, func() { p.badName(semconv.JobsName) })
	if c.modelLabel {
		p.models = newNames("names of models", c.nameLimit, nil, func(name string) *string { return &name }, func() { p.badName(semconv.APICallsName) })
	}
	p.zero()
	wrong = append(wrong, p.register(meter))
	p.events.prepare()
	return p, errors.Join(wrong...)
}

// KeepHistory makes p keep the details of jobs that start from now on, as [WithDetails] does, and
// the last n jobs that end, as [WithHistory] does. An n below the current limit does not lower it.
// A live page calls it, so that the pipeline needs neither option. It is safe for concurrent use.
func (p *Pipeline) KeepHistory(n int) {
	if p.inert() {
		return
	}
	p.history.keep(n)
	p.details.Store(true)
}

// closeGrace bounds Close for a context that is over.
const closeGrace = 5 * time.Second

// Close delivers what the ledger of [WithLedger] has not taken yet, until ctx is done, and
// unregisters the pipeline's callback, so that its observed series end. If ctx is over already, as
// after a SIGTERM, Close takes up to 5 seconds all the same. The error says how much could not be
// delivered. Call it before the meter provider is shut down, which pushes a last time:
//
//	err = errors.Join(p.Close(ctx), tel.Shutdown(ctx))
//
// Recordings made afterwards still count, and what they cost is settled at once or not at all. Close
// may be called more than once, also at the same time: all calls return the same error, or that of
// their ctx. No goroutine of the pipeline is left, except for operations of a ledger that ignore
// their context. Of a pipeline with the ledger in memory, a program that shuts its meter provider
// down need not call it.
func (p *Pipeline) Close(ctx context.Context) error {
	if p.inert() {
		return nil
	}
	var delivered, unregistered error
	if p.far != nil {
		ctx = orBackground(ctx)
		if ctx.Err() != nil {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), closeGrace)
			defer cancel()
		}
		if delivered = p.far.Close(ctx); delivered != nil {
			delivered = fmt.Errorf("instrument: %w", delivered)
		}
	}
	if p.registration != nil {
		if err := p.registration.Unregister(); err != nil {
			unregistered = fmt.Errorf("instrument: unregister the pipeline's callback: %w", err)
		}
	}
	return errors.Join(delivered, unregistered)
}

// Forget makes the account of a job id, or of [WithAccount], start afresh: nothing spent, no
// threshold reached. Reservations of calls under way stay. Without it, a job that did not complete
// goes on with what its earlier attempts have spent. The error is the ledger's.
func (p *Pipeline) Forget(ctx context.Context, id string) error {
	if p.inert() {
		return nil
	}
	ctx = orBackground(ctx)
	p.earlier.take(id)
	var err error
	if p.near != nil {
		err = p.near.Forget(ctx, budget.Job, id)
	} else {
		err = p.far.Forget(ctx, budget.Job, id)
	}
	if err != nil {
		return fmt.Errorf("instrument: forget the account %q: %w", id, err)
	}
	p.live.forget(id)
	return nil
}

func (p *Pipeline) inert() bool { return p == nil || !p.ready }

// zero adds 0 to every counter series that can be known at the start. Otherwise a series would be
// born at its first value, and Prometheus's increase() would not see that value.
func (p *Pipeline) zero() {
	ctx := context.Background()
	p.inst.Zero(ctx)
	for _, add := range invalidHandles {
		p.inst.InvalidValues.Add(ctx, 0, add...)
	}
	for _, h := range p.stages.all() {
		p.zeroErrors(h.name)
	}
	for _, h := range p.apis.all() {
		for _, t := range []string{"http_429", "panic", "timeout"} { // a canceled call is no error
			p.inst.APIErrors.Add(ctx, 0, p.apiErrors.declare(h.name, t)...)
		}
	}
	p.zeroErrors(jobStage)
}

// zeroErrors declares the types of errors that every stage may have. A cancellation is no error.
func (p *Pipeline) zeroErrors(stage string) {
	for _, t := range []string{"budget_exceeded", "error", "panic", "timeout"} {
		p.inst.Errors.Add(context.Background(), 0, p.errors.declare(stage, t)...)
	}
}

// zeroDimension adds 0 to the counters of jobs and attempts when a job type, or a combination of
// labels, first appears.
func (p *Pipeline) zeroDimension(d *dimension) {
	for _, s := range d.statuses() {
		p.inst.Jobs.Add(context.Background(), 0, s.add...)
	}
	for _, add := range d.attempts {
		p.inst.Attempts.Add(context.Background(), 0, add...)
	}
}

// newAPI does the same for the counters of an API when its name first appears.
func (p *Pipeline) newAPI(name string) *apiHandle {
	ctx, h := context.Background(), newAPIHandle(name)
	if !p.jobIDLabel {
		p.inst.Cost.Add(ctx, 0, h.cost...)
	}
	for _, o := range []addOptions{h.succeeded, h.failed, h.canceled, h.refused} {
		p.inst.APICalls.Add(ctx, 0, o...)
	}
	for _, reason := range semconv.UnpricedReasonValues() {
		p.inst.APIUnpriced.Add(ctx, 0, p.reasons.declare(name, string(reason))...)
	}
	return h
}

// countError counts an error of a stage, in a job of dimension d.
func (p *Pipeline) countError(ctx context.Context, d *dimension, stage, errorType string) {
	opts, filled := p.errors.options(errorKey{stage, errorType, d.jobType})
	p.inst.Errors.Add(ctx, 1, opts...)
	if filled {
		handle(fmt.Errorf("instrument: more than %d types of error: %q and all new ones are recorded as %q; "+
			"return few, stable words from the function of WithErrorClassifier", p.errors.limit, errorType, other))
	}
}

// countUnpriced counts a call of an API whose cost is unknown, and returns the reason as telemetry
// shows it.
func (p *Pipeline) countUnpriced(ctx context.Context, api *apiHandle, raw string) (reason string) {
	api.seen.unpriced.Add(1)
	reason, ok := cleanName(raw)
	if !ok {
		p.badName(semconv.APIUnpricedName)
	}
	opts, filled := p.reasons.options(api.name, reason)
	p.inst.APIUnpriced.Add(ctx, 1, opts...)
	if filled {
		handle(fmt.Errorf("instrument: more than %d reasons of unpriced calls: %q and all new ones are recorded as %q; "+
			"a reason is a word from your code, never an id or an error's text", p.reasons.limit, reason, other))
	}
	return reason
}

// countAPIError counts a call of an API that failed.
func (p *Pipeline) countAPIError(ctx context.Context, api, errorType string) {
	errorType, _ = cleanName(errorType)
	opts, filled := p.apiErrors.options(api, errorType)
	p.inst.APIErrors.Add(ctx, 1, opts...)
	if filled {
		handle(fmt.Errorf("instrument: more than %d types of errors of APIs: %q and all new ones are recorded as %q; "+
			"return few, stable words from the function of WithErrorClassifier", p.apiErrors.limit, errorType, other))
	}
}

// countInvalid counts a value that the metric of this OpenTelemetry name could not record.
func (p *Pipeline) countInvalid(ctx context.Context, metric string, reason semconv.InvalidReason) {
	p.inst.InvalidValues.Add(orBackground(ctx), 1, invalidHandles[invalidValue{metric, reason}]...)
}

func (p *Pipeline) badName(metric string) {
	p.countInvalid(context.Background(), metric, semconv.InvalidReasonBadName)
}

// jobID returns the key of a job's budget, and its id as series and spans show it.
func (p *Pipeline) jobID(id string) (key, shown string) {
	if shown = p.ids.shown(id); shown != "" {
		return id, shown
	}
	p.badName(semconv.JobsName)
	key = p.ids.job()
	return key, p.ids.shown(key)
}

// setLedger takes the ledger of the configuration into use.
func (p *Pipeline) setLedger(c config) {
	p.policy = c.policy
	if near, ok := c.ledger.(nearLedger); ok {
		p.near = near
		return
	}
	asked := remote.Config{
		Reserve: c.reserveTimeout,
		Settle:  c.settleTimeout,
		Count:   p.countLedger,
		Report:  func(err error) { handle(fmt.Errorf("instrument: %w", err)) },
	}
	if c.policy.leased {
		c.ledger, asked = remote.Guard(c.ledger, asked)
		c.ledger = budget.Sliced(c.ledger, c.policy.slice, defaultLease)
	}
	p.far = remote.New(c.ledger, asked)
}

// countLedger counts an operation of the ledger that failed.
func (p *Pipeline) countLedger(op remote.Op) {
	p.inst.LedgerErrors.Add(context.Background(), 1, p.inst.LedgerErrors.With(semconv.LedgerOp(op)))
}

// declare sets the declared stages.
func (p *Pipeline) declare(c *config) {
	for _, name := range c.stages {
		if h := p.stages.get(name); !slices.Contains(p.declared, h) {
			p.declared = append(p.declared, h)
		}
	}
}
