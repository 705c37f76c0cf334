package instrument_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/internal/instruments"
	"github.com/stagemeter/stagemeter/semconv"
)

// byHand is a program without this package. Its instruments are made by semconv, so names, units and buckets are the
// same; what this package observes at a collection is an up-down counter or a gauge here, but for the oldest job. That
// decides the ratio of a call: by hand its job's cost is one more counter, without which a call is no faster here.
type byHand struct {
	p       *instrument.Pipeline
	ours    context.Context // in a job of p
	ctx     context.Context // in a span of the rival's
	sampled bool
	readers [2]*sdkmetric.ManualReader // ours, the rival's
	tracer  trace.Tracer
	spans   map[string]func() // each span alone

	stagesInProgress, jobsInProgress               metric.Int64UpDownCounter
	jobs, calls                                    metric.Int64Counter
	cost                                           metric.Float64Counter
	jobCost                                        metric.Float64UpDownCounter
	duration, ratio, jobDuration, jobRatio, perJob metric.Float64Histogram
	remaining                                      metric.Float64Gauge

	mu                  sync.Mutex
	budget, held, spent instrument.USD
	starts              map[string]time.Time // of the live jobs

	stageSpan, callSpan, jobSpan                           []trace.SpanStartOption
	stageAdd, processing, completed, called, paid, jobPaid []metric.AddOption
	stageRecord, jobRecord, idRecord                       []metric.RecordOption
}

func newByHand(b *testing.B, tracer string, budget instrument.USD) *byHand {
	h := &byHand{sampled: tracer == "always", budget: budget, starts: make(map[string]time.Time)}
	providers := map[string]trace.TracerProvider{
		"no tracer": tracenoop.NewTracerProvider(),
		"never":     sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample())),
		"always":    sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.AlwaysSample())),
	}
	var meters [2]*sdkmetric.MeterProvider
	for i := range meters {
		h.readers[i] = sdkmetric.NewManualReader()
		meters[i] = sdkmetric.NewMeterProvider(sdkmetric.WithReader(h.readers[i]))
	}
	h.tracer = providers[tracer].Tracer("rival")
	h.p, _ = instrument.New(instrument.WithMeterProvider(meters[0]), instrument.WithTracerProvider(providers[tracer]),
		instrument.WithStages("analysis"), instrument.WithAPIs("whisper"))
	jobOptions := []instrument.JobOption{instrument.WithVideoDuration(time.Minute)}
	if budget > 0 {
		jobOptions = append(jobOptions, instrument.WithBudget(budget))
	}
	h.ours, _ = h.p.StartJob(context.Background(), "job-1", jobOptions...)
	h.ctx, _ = h.tracer.Start(context.Background(), "job")

	m := meters[1].Meter("rival")
	h.stagesInProgress, _ = m.Int64UpDownCounter(semconv.StagesInProgressName)
	h.jobsInProgress, _ = m.Int64UpDownCounter(semconv.JobsInProgressName)
	h.jobs, _ = instruments.NewJobs(m)
	h.calls, _ = instruments.NewAPICalls(m)
	h.cost, _ = instruments.NewCost(m)
	h.jobCost, _ = m.Float64UpDownCounter(semconv.JobCostName)
	h.duration, _ = instruments.NewDuration(m)
	h.ratio, _ = instruments.NewRatio(m)
	h.jobDuration, _ = instruments.NewJobDuration(m)
	h.jobRatio, _ = instruments.NewJobRatio(m)
	h.perJob, _ = instruments.NewCostPerJob(m)
	h.remaining, _ = m.Float64Gauge(semconv.BudgetRemainingName)
	h.keep()
	return h
}

// keep prebuilds every option.
func (h *byHand) keep() {
	set := func(kv ...attribute.KeyValue) metric.MeasurementOption {
		return metric.WithAttributeSet(attribute.NewSet(kv...))
	}
	stage, api, id := attribute.String("stage", "analysis"), attribute.String("api", "whisper"), attribute.String("job_id", "job-1")
	completed := set(attribute.String("status", "completed"))
	h.stageAdd, h.stageRecord = []metric.AddOption{set(stage)}, []metric.RecordOption{set(stage)}
	h.processing = []metric.AddOption{set(attribute.String("status", "processing"))}
	h.completed, h.jobRecord = []metric.AddOption{completed}, []metric.RecordOption{completed}
	h.called = []metric.AddOption{set(api, attribute.String("status", "success"))}
	h.paid, h.jobPaid = []metric.AddOption{set(api)}, []metric.AddOption{set(api, id)}
	h.idRecord = []metric.RecordOption{set(id)}
	h.stageSpan = []trace.SpanStartOption{trace.WithAttributes(stage)}
	h.callSpan = []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(api)}
	h.jobSpan = []trace.SpanStartOption{trace.WithAttributes(attribute.String("job.id", "job-2"))}
	alone := func(ctx context.Context, name string, opts []trace.SpanStartOption) func() {
		return func() { _, span := h.tracer.Start(ctx, name, opts...); span.End() }
	}
	h.spans = map[string]func(){
		"stage analysis": alone(h.ctx, "stage analysis", h.stageSpan),
		"call whisper":   alone(h.ctx, "call whisper", h.callSpan),
		"job":            alone(context.Background(), "job", h.jobSpan),
	}
}

func (h *byHand) stageKept() error {
	start := time.Now()
	h.stagesInProgress.Add(h.ctx, 1, h.stageAdd...)
	ctx, span := h.tracer.Start(h.ctx, "stage analysis", h.stageSpan...)
	_, err := freeStage(ctx)
	took := time.Since(start)
	h.stagesInProgress.Add(ctx, -1, h.stageAdd...)
	h.duration.Record(ctx, took.Seconds(), h.stageRecord...)
	h.ratio.Record(ctx, took.Minutes(), h.stageRecord...)
	span.End()
	return err
}

func (h *byHand) stageWritten() error {
	stage := attribute.String("stage", "analysis")
	start := time.Now()
	h.stagesInProgress.Add(h.ctx, 1, metric.WithAttributes(stage))
	ctx, span := h.tracer.Start(h.ctx, "stage "+stage.Value.AsString(), trace.WithAttributes(stage))
	defer span.End()
	_, err := freeStage(ctx)
	took := time.Since(start)
	h.stagesInProgress.Add(ctx, -1, metric.WithAttributes(stage))
	h.duration.Record(ctx, took.Seconds(), metric.WithAttributes(stage))
	h.ratio.Record(ctx, took.Minutes(), metric.WithAttributes(stage))
	return err
}

// reserve and settle are the budget, with none of a ledger's duties.
func (h *byHand) reserve() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.budget > 0 && h.spent+h.held >= h.budget {
		return instrument.ErrBudgetExceeded
	}
	return nil
}

func (h *byHand) settle(cost instrument.USD) (remaining instrument.USD) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.spent += cost
	return h.budget - h.spent
}

func (h *byHand) callKept() error {
	ctx, span := h.tracer.Start(h.ctx, "call whisper", h.callSpan...)
	if err := h.reserve(); err != nil {
		return err
	}
	out, err := freeCall(ctx)
	cost := freePrice(out)
	h.calls.Add(ctx, 1, h.called...)
	h.cost.Add(ctx, cost.Float64(), h.paid...)
	h.jobCost.Add(ctx, cost.Float64(), h.jobPaid...)
	if span.IsRecording() {
		span.SetAttributes(attribute.Float64("cost_usd", cost.Float64()))
	}
	if left := h.settle(cost); h.budget > 0 {
		h.remaining.Record(ctx, left.Float64(), h.idRecord...)
	}
	span.End()
	return err
}

func (h *byHand) callWritten() error {
	api, id := attribute.String("api", "whisper"), attribute.String("job_id", "job-1")
	ctx, span := h.tracer.Start(h.ctx, "call "+api.Value.AsString(), trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(api))
	defer span.End()
	if err := h.reserve(); err != nil {
		return err
	}
	out, err := freeCall(ctx)
	cost := freePrice(out)
	h.calls.Add(ctx, 1, metric.WithAttributes(api, attribute.String("status", "success")))
	h.cost.Add(ctx, cost.Float64(), metric.WithAttributes(api))
	h.jobCost.Add(ctx, cost.Float64(), metric.WithAttributes(api, id))
	span.SetAttributes(attribute.Float64("cost_usd", cost.Float64()))
	if left := h.settle(cost); h.budget > 0 {
		h.remaining.Record(ctx, left.Float64(), metric.WithAttributes(id))
	}
	return err
}

// started and ended keep the live jobs, for the start of the oldest.
func (h *byHand) started(id string, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.starts[id] = at
}

func (h *byHand) ended(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.starts, id)
}

func (h *byHand) jobKept() error {
	start := time.Now()
	ctx, span := h.tracer.Start(context.Background(), "job", h.jobSpan...)
	h.started("job-2", start)
	h.jobsInProgress.Add(ctx, 1)
	h.jobs.Add(ctx, 1, h.processing...)
	err := freeJob(ctx)
	took := time.Since(start)
	h.ended("job-2")
	h.jobsInProgress.Add(ctx, -1)
	h.jobs.Add(ctx, 1, h.completed...)
	h.jobDuration.Record(ctx, took.Seconds(), h.jobRecord...)
	h.jobRatio.Record(ctx, took.Minutes(), h.jobRecord...)
	h.perJob.Record(ctx, 0)
	if span.IsRecording() {
		span.SetAttributes(attribute.String("status", "completed"), attribute.Float64("cost_usd", 0), attribute.Float64("video", 60))
	}
	span.End()
	return err
}

func (h *byHand) jobWritten() error {
	status := func(s string) metric.MeasurementOption { return metric.WithAttributes(attribute.String("status", s)) }
	start := time.Now()
	ctx, span := h.tracer.Start(context.Background(), "job", trace.WithAttributes(attribute.String("job.id", "job-2")))
	defer span.End()
	h.started("job-2", start)
	h.jobsInProgress.Add(ctx, 1)
	h.jobs.Add(ctx, 1, status("processing"))
	err := freeJob(ctx)
	took := time.Since(start)
	h.ended("job-2")
	h.jobsInProgress.Add(ctx, -1)
	h.jobs.Add(ctx, 1, status("completed"))
	h.jobDuration.Record(ctx, took.Seconds(), status("completed"))
	h.jobRatio.Record(ctx, took.Minutes(), status("completed"))
	h.perJob.Record(ctx, 0)
	span.SetAttributes(attribute.String("status", "completed"), attribute.Float64("cost_usd", 0), attribute.Float64("video", 60))
	return err
}
