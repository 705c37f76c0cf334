package instrument

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/semconv"
)

// instruments is every instrument that a pipeline records, as the registry describes it. One that the meter refused
// is a no-op.
type instruments struct {
	semconv.Jobs
	semconv.JobsInProgress
	semconv.JobDuration
	semconv.JobRatio
	semconv.JobsUnshown
	semconv.OldestJobStartTimestamp
	semconv.QueueWait
	semconv.Duration
	semconv.Ratio
	semconv.StagesInProgress
	semconv.Cost
	semconv.JobCost
	semconv.CostPerJob
	semconv.BudgetRemaining
	semconv.BudgetExceeded
	semconv.APICalls
	semconv.AudioLoudnessSpread
	semconv.AudioNormalization
	semconv.SegmentsDetected
	semconv.HighlightScores
	semconv.FfmpegProcesses
	semconv.DatabaseConnections
	semconv.RedisConnections
	semconv.Errors
	semconv.InvalidValues
}

func newInstruments(m metric.Meter) (i instruments, err error) {
	var errs []error
	make1(&errs, m, semconv.NewJobs, &i.Jobs)
	make1(&errs, m, semconv.NewJobsInProgress, &i.JobsInProgress)
	make1(&errs, m, semconv.NewJobDuration, &i.JobDuration)
	make1(&errs, m, semconv.NewJobRatio, &i.JobRatio)
	make1(&errs, m, semconv.NewJobsUnshown, &i.JobsUnshown)
	make1(&errs, m, semconv.NewOldestJobStartTimestamp, &i.OldestJobStartTimestamp)
	make1(&errs, m, semconv.NewQueueWait, &i.QueueWait)
	make1(&errs, m, semconv.NewDuration, &i.Duration)
	make1(&errs, m, semconv.NewRatio, &i.Ratio)
	make1(&errs, m, semconv.NewStagesInProgress, &i.StagesInProgress)
	make1(&errs, m, semconv.NewCost, &i.Cost)
	make1(&errs, m, semconv.NewJobCost, &i.JobCost)
	make1(&errs, m, semconv.NewCostPerJob, &i.CostPerJob)
	make1(&errs, m, semconv.NewBudgetRemaining, &i.BudgetRemaining)
	make1(&errs, m, semconv.NewBudgetExceeded, &i.BudgetExceeded)
	make1(&errs, m, semconv.NewAPICalls, &i.APICalls)
	make1(&errs, m, semconv.NewAudioLoudnessSpread, &i.AudioLoudnessSpread)
	make1(&errs, m, semconv.NewAudioNormalization, &i.AudioNormalization)
	make1(&errs, m, semconv.NewSegmentsDetected, &i.SegmentsDetected)
	make1(&errs, m, semconv.NewHighlightScores, &i.HighlightScores)
	make1(&errs, m, semconv.NewFfmpegProcesses, &i.FfmpegProcesses)
	make1(&errs, m, semconv.NewDatabaseConnections, &i.DatabaseConnections)
	make1(&errs, m, semconv.NewRedisConnections, &i.RedisConnections)
	make1(&errs, m, semconv.NewErrors, &i.Errors)
	make1(&errs, m, semconv.NewInvalidValues, &i.InvalidValues)
	return i, errors.Join(errs...)
}

func make1[I any](errs *[]error, m metric.Meter, create func(metric.Meter) (I, error), dst *I) {
	inst, err := create(m)
	*dst = inst
	*errs = append(*errs, err)
}

// register hooks the one callback that reports every observable instrument. One that the meter refused is left out:
// the SDK takes no instrument of another implementation, and would refuse the callback as a whole.
func (p *Pipeline) register(m metric.Meter) (err error) {
	i := &p.inst
	made := slices.DeleteFunc([]metric.Observable{i.JobsInProgress, i.OldestJobStartTimestamp, i.StagesInProgress,
		i.JobCost, i.BudgetRemaining, i.FfmpegProcesses, i.DatabaseConnections, i.RedisConnections}, refused)
	p.registration, err = m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		p.observe(observer{o})
		return nil
	}, made...)
	return err
}

// observer passes on the observations of the instruments that the meter has made; of others the SDK logs each one.
type observer struct{ metric.Observer }

func (o observer) ObserveInt64(i metric.Int64Observable, v int64, opts ...metric.ObserveOption) {
	if !refused(i) {
		o.Observer.ObserveInt64(i, v, opts...)
	}
}

func (o observer) ObserveFloat64(i metric.Float64Observable, v float64, opts ...metric.ObserveOption) {
	if !refused(i) {
		o.Observer.ObserveFloat64(i, v, opts...)
	}
}

// refused tells that an instrument is the no-op that package semconv gives in place of one that the meter refused.
func refused(i metric.Observable) bool {
	switch i.(type) {
	case noop.Int64ObservableUpDownCounter, noop.Float64ObservableUpDownCounter, noop.Float64ObservableGauge:
		return true
	}
	return false
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
	_          [64]byte                 // a cache line between what every stage reads and what every stage writes
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
	for _, s := range semconv.JobStatusValues() {
		p.inst.Jobs.Add(ctx, 0, newStatusHandle(s).add...)
	}
	p.inst.BudgetExceeded.Add(ctx, 0)
	p.inst.JobsUnshown.Add(ctx, 0)
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
