package instrument

import (
	"context"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/instrument/internal/errs"
	"github.com/stagemeter/stagemeter/semconv"
)

// EnqueuedAtKey is the carrier's key for the time a job was enqueued, in RFC 3339 with nanoseconds.
// It stands beside the keys of the propagator, such as traceparent, and is a valid header of HTTP,
// NATS and Kafka.
const EnqueuedAtKey = "stagemeter-enqueued-at"

// maxWait is the longest queue wait that is recorded.
const maxWait = 365 * 24 * time.Hour

// w3c is used if the program has set no propagator.
var w3c = propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})

// Enqueue puts a job of the pipeline of ctx, or of [Default], into a queue; see [Pipeline.Enqueue].
func Enqueue(ctx context.Context, id string, carrier propagation.TextMapCarrier, opts ...JobOption) {
	scopeOf(ctx).p.Enqueue(ctx, id, carrier, opts...)
}

// Enqueue counts a job in video_processing_jobs_total{status="queued"} and writes trace context and
// the time into the carrier, which travels with the job in its queue: the headers of a message, the
// metadata of a row. The worker passes it to [WithCarrier]. A span "enqueue job" of kind producer
// stands for the moment. Of the options Enqueue uses [WithJobType] and [WithLabel].
//
// With a nil carrier the job is only counted. A carrier that panics, as a nil
// propagation.MapCarrier does, is reported to otel.Handle.
func (p *Pipeline) Enqueue(ctx context.Context, id string, carrier propagation.TextMapCarrier, opts ...JobOption) {
	if p.inert() {
		return
	}
	_, shown := p.jobID(id)
	d := newJobConfig(opts).dimension(p)
	ctx, span := p.startSpan(orBackground(ctx), "enqueue job", trace.WithSpanKind(trace.SpanKindProducer),
		trace.WithAttributes(jobIDKey.String(shown)), trace.WithAttributes(d.attrs...))
	defer span.End()
	p.inst.Jobs.Add(ctx, 1, d.queued.add...)
	if carrier == nil {
		return
	}
	if err := contain("the carrier of Enqueue", func() error {
		p.propagation().Inject(ctx, carrier)
		carrier.Set(EnqueuedAtKey, time.Now().UTC().Format(time.RFC3339Nano))
		return nil
	}); err != nil {
		handle(err)
	}
}

// startPropagator is the propagator that package otel starts with.
var startPropagator = otel.GetTextMapPropagator()

// propagation returns the propagator that was given, or the global one if there is one, or W3C.
func (p *Pipeline) propagation() propagation.TextMapPropagator {
	if p.propagator != nil {
		return p.propagator
	}
	if global := otel.GetTextMapPropagator(); !errs.Identical(global, startPropagator) || len(global.Fields()) > 0 {
		return global
	}
	return w3c
}

// extract returns ctx with the remote span context of the carrier, if that holds one.
func (p *Pipeline) extract(ctx context.Context, carrier propagation.TextMapCarrier) (remote context.Context) {
	remote = ctx
	if err := contain("the carrier of WithCarrier", func() error {
		remote = p.propagation().Extract(ctx, carrier)
		return nil
	}); err != nil {
		handle(err)
	}
	if remote == nil {
		return ctx
	}
	return remote
}

// recordWait records how long the job was queued, if the carrier has the time of its enqueueing.
func (p *Pipeline) recordWait(ctx context.Context, carrier propagation.TextMapCarrier, now time.Time) {
	var text string
	if err := contain("the carrier of WithCarrier", func() error { text = carrier.Get(EnqueuedAtKey); return nil }); err != nil {
		handle(err)
	}
	if text == "" {
		return
	}
	wait, reason := queueWait(text, now)
	if reason != "" {
		p.countInvalid(ctx, semconv.QueueWaitName, reason)
	}
	if reason == "" || reason == semconv.InvalidReasonClockSkew {
		p.inst.QueueWait.Record(ctx, wait.Seconds())
	}
}

// queueWait returns the wait since an enqueue time. A time after now, of a clock that ran
// backwards, is a wait of 0.
func queueWait(text string, now time.Time) (time.Duration, semconv.InvalidReason) {
	if len(text) > len(time.RFC3339Nano)+10 {
		return 0, semconv.InvalidReasonBadFormat
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return 0, semconv.InvalidReasonBadFormat
	}
	switch wait := now.Sub(at); {
	case wait < 0:
		return 0, semconv.InvalidReasonClockSkew
	case wait > maxWait:
		return 0, semconv.InvalidReasonOutOfRange
	default:
		return wait, ""
	}
}
