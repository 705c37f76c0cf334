package instrument

import (
	"context"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"

	"github.com/stagemeter/stagemeter/instrument/internal/errs"
	"github.com/stagemeter/stagemeter/semconv"
)

// The carrier's keys for the time a job was enqueued, and for the time before which it is not to be
// worked on ([WithScheduledAt]), in RFC 3339 with nanoseconds. They stand beside the keys of the
// propagator, such as traceparent, and are valid headers of HTTP, NATS and Kafka.
const (
	EnqueuedAtKey  = "stagemeter-enqueued-at"
	ScheduledAtKey = "stagemeter-scheduled-at"
)

// w3c is used if the program has set no propagator.
var w3c = propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})

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

// inject fills a carrier with the trace context of ctx, the time, and the schedule if there is one.
func (p *Pipeline) inject(ctx context.Context, carrier propagation.TextMapCarrier, scheduled moment) {
	if err := contain("the carrier of Enqueue", func() error {
		p.propagation().Inject(ctx, carrier)
		carrier.Set(EnqueuedAtKey, time.Now().UTC().Format(time.RFC3339Nano))
		if scheduled.known {
			carrier.Set(ScheduledAtKey, scheduled.UTC().Format(time.RFC3339Nano))
		} else if carrier.Get(ScheduledAtKey) != "" { // of an earlier Enqueue
			carrier.Set(ScheduledAtKey, "")
		}
		return nil
	}); err != nil {
		handle(err)
	}
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

// times returns the times that a carrier holds, and counts those that cannot be read.
func (p *Pipeline) times(ctx context.Context, carrier propagation.TextMapCarrier) (enqueued, scheduled moment) {
	var texts [2]string
	if err := contain("the carrier of WithCarrier", func() error {
		texts = [2]string{carrier.Get(EnqueuedAtKey), carrier.Get(ScheduledAtKey)}
		return nil
	}); err != nil {
		handle(err)
	}
	return p.parseTime(ctx, texts[0]), p.parseTime(ctx, texts[1])
}

func (p *Pipeline) parseTime(ctx context.Context, text string) moment {
	if text == "" {
		return moment{}
	}
	if len(text) <= len(time.RFC3339Nano)+10 {
		if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
			return moment{at, true}
		}
	}
	p.countInvalid(ctx, semconv.QueueWaitName, semconv.InvalidReasonBadFormat)
	return moment{}
}

// moment is a time that may be unknown.
type moment struct {
	time.Time
	known bool
}

// maxWait is the longest time in a queue that is recorded.
const maxWait = 365 * 24 * time.Hour

// recordWait records how long the attempt that starts could have been worked on, if that is known:
// since its schedule, else, if it is the first one, since the job was enqueued, or was first to be
// worked on. It returns the time at which the job was enqueued.
func (p *Pipeline) recordWait(ctx context.Context, carrier propagation.TextMapCarrier, attempt int, scheduled moment, start time.Time) (enqueued moment) {
	since := p.past(ctx, scheduled, start)
	if carrier != nil {
		var first moment
		enqueued, first = p.times(ctx, carrier)
		enqueued = p.past(ctx, enqueued, start)
		if !scheduled.known && attempt <= 1 {
			since = later(enqueued, p.past(ctx, first, start))
		}
	}
	if since.known {
		p.inst.QueueWait.Record(ctx, start.Sub(since.Time).Seconds())
	}
	return enqueued
}

// past returns at, if it is a time before the start of a job. A later one, of a clock that ran
// backwards, counts as invalid and becomes the start. One of more than maxWait ago counts as invalid
// and becomes unknown.
func (p *Pipeline) past(ctx context.Context, at moment, start time.Time) moment {
	if !at.known {
		return at
	}
	switch wait := start.Sub(at.Time); {
	case wait < 0:
		p.countInvalid(ctx, semconv.QueueWaitName, semconv.InvalidReasonClockSkew)
		return moment{start, true}
	case wait > maxWait:
		p.countInvalid(ctx, semconv.QueueWaitName, semconv.InvalidReasonOutOfRange)
		return moment{}
	}
	return at
}

// later returns the later of two moments.
func later(a, b moment) moment {
	if !a.known || b.known && b.After(a.Time) {
		return b
	}
	return a
}
