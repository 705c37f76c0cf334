package instrument

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/internal/instruments"
	"github.com/stagemeter/stagemeter/semconv"
)

// register hooks the one callback that reports every observable instrument.
func (p *Pipeline) register(m metric.Meter) (err error) {
	p.registration, err = m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		p.observe(instruments.Observer{Observer: o})
		return nil
	}, p.inst.Observables()...)
	return err
}

// A kept option slice is what makes a recording free of allocations; see the notes of metric.WithAttributeSet.
type (
	addOptions    = []metric.AddOption
	recordOptions = []metric.RecordOption
)

func withAttrs(attrs ...attribute.KeyValue) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(attrs...))
}

// stageHandle is what the recordings of one stage name share.
type stageHandle struct {
	name       string
	spanName   string
	span       []trace.SpanStartOption  // stage
	set        metric.MeasurementOption // stage
	record     recordOptions            // the same, for the histograms
	inProgress atomic.Int64
}

func newStageHandle(name string) *stageHandle {
	set := withAttrs(semconv.AttrStage.String(name))
	return &stageHandle{name: name, spanName: "stage " + name, span: stageSpan(name), set: set, record: recordOptions{set}}
}

func stageSpan(name string) []trace.SpanStartOption {
	return []trace.SpanStartOption{trace.WithAttributes(stageKey.String(name))}
}

// apiHandle is what the recordings of one API name share.
type apiHandle struct {
	name                       string
	spanName                   string
	span                       []trace.SpanStartOption // kind, api
	cost                       addOptions              // api
	succeeded, failed, refused addOptions              // api, status
}

func newAPIHandle(name string) *apiHandle {
	api := semconv.AttrAPI.String(name)
	return &apiHandle{
		name:     name,
		spanName: "call " + name,
		span: []trace.SpanStartOption{
			trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(apiKey.String(name)),
		},
		cost:      addOptions{withAttrs(api)},
		succeeded: addOptions{withAttrs(api, semconv.CallStatusSuccess.Attr())},
		failed:    addOptions{withAttrs(api, semconv.CallStatusError.Attr())},
		refused:   addOptions{withAttrs(api, semconv.CallStatusRefused.Attr())},
	}
}

// statusHandle is what the recordings of one job status share.
type statusHandle struct {
	add    addOptions
	record recordOptions
}

func newStatusHandle(s semconv.JobStatus) statusHandle {
	set := withAttrs(s.Attr())
	return statusHandle{addOptions{set}, recordOptions{set}}
}

var (
	queued     = newStatusHandle(semconv.JobStatusQueued)
	processing = newStatusHandle(semconv.JobStatusProcessing)
	completed  = newStatusHandle(semconv.JobStatusCompleted)
	failed     = newStatusHandle(semconv.JobStatusFailed)
	canceled   = newStatusHandle(semconv.JobStatusCanceled)
)

// errorKeys bounds the series of video_processing_errors_total.
type errorKeys struct {
	mu    sync.RWMutex
	limit int
	full  bool
	types int // how many there are, and
	pairs int // how many pairs with stages, of those that were not declared
	known map[string]struct{}
	opts  map[errorKey]addOptions
}

type errorKey struct{ stage, errorType string }

// options are the attributes of an error of a stage. Past the limit a new type becomes "other"; it tells of the first.
func (k *errorKeys) options(stage, errorType string) (o addOptions, filled bool) {
	errorType, _ = cleanName(errorType)
	key := errorKey{stage, errorType}
	k.mu.RLock()
	o = k.opts[key]
	k.mu.RUnlock()
	if o != nil {
		return o, false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, known := k.known[errorType]; !known && k.types >= k.limit {
		key.errorType = other
	} else if k.pairs >= 10*k.limit { // every stage with every type would be the square
		key.errorType = other
	} else if !known {
		k.types++
		k.known[errorType] = struct{}{}
	}
	if o = k.opts[key]; o == nil {
		if key.errorType != other {
			k.pairs++
		}
		o = k.add(key)
	}
	filled = key.errorType == other && errorType != other && !k.full
	k.full = k.full || filled
	return o, filled
}

// declare makes a pair that the limits do not concern. It is for the time before the pipeline is used.
func (k *errorKeys) declare(stage, errorType string) addOptions {
	k.known[errorType] = struct{}{}
	return k.add(errorKey{stage, errorType})
}

func (k *errorKeys) add(key errorKey) addOptions {
	o := addOptions{withAttrs(semconv.AttrStage.String(key.stage), semconv.AttrErrorType.String(key.errorType))}
	k.opts[key] = o
	return o
}

func (p *Pipeline) countError(ctx context.Context, stage, errorType string) {
	opts, filled := p.errors.options(stage, errorType)
	p.inst.Errors.Add(ctx, 1, opts...)
	if filled {
		handle(fmt.Errorf("instrument: more than %d types of error: %q and all new ones are recorded as %q; "+
			"WithErrorClassifier gives errors types that are few", p.errors.limit, errorType, other))
	}
}

// zero adds 0 to every counter series that can be known at the start. Without it a series would be born at its first
// value, and Prometheus's increase() would not see that value.
func (p *Pipeline) zero() {
	ctx := context.Background()
	p.inst.Zero(ctx)
	for _, add := range invalidHandles {
		p.inst.InvalidValues.Add(ctx, 0, add...)
	}
	for _, h := range p.stages.all() {
		for _, t := range []string{"budget_exceeded", "canceled", "panic", "timeout"} {
			p.inst.Errors.Add(ctx, 0, p.errors.declare(h.name, t)...)
		}
	}
	for _, t := range []string{"budget_exceeded", "panic", "timeout"} { // a canceled job is no error
		p.inst.Errors.Add(ctx, 0, p.errors.declare(jobStage, t)...)
	}
}

// zeroAPI does the same for an API when its name first appears.
func (p *Pipeline) zeroAPI(h *apiHandle) {
	ctx := context.Background()
	if !p.jobIDLabel {
		p.inst.Cost.Add(ctx, 0, h.cost...)
	}
	for _, o := range []addOptions{h.succeeded, h.failed, h.refused} {
		p.inst.APICalls.Add(ctx, 0, o...)
	}
}
