package instrument

import (
	"context"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Enqueue puts a job of the pipeline of ctx, or of [Default], into a queue; see [Pipeline.Enqueue].
func Enqueue(ctx context.Context, id string, carrier propagation.TextMapCarrier, opts ...JobOption) {
	scopeOf(ctx).p.Enqueue(ctx, id, carrier, opts...)
}

// Enqueue counts a job in video_processing_jobs_total{status="queued"} and writes trace context and
// the time into the carrier, which travels with the job in its queue: the headers of a message, the
// metadata of a row. The worker passes it to [WithCarrier]. A span "enqueue job" of kind producer
// stands for the moment. Of the options Enqueue uses [WithJobType], [WithLabel] and
// [WithScheduledAt].
//
// Use Enqueue for a queue that cannot refuse the job, such as a channel. Where the job is inserted
// by a call that may fail, be rolled back or meet a duplicate, use [Pipeline.StartEnqueue].
//
// A second Enqueue with the same carrier replaces what the first has written, and the time to
// publish counts from the second: to retry a job, keep the headers of its message.
//
// With a nil carrier the job is only counted. A carrier that panics, as a nil
// propagation.MapCarrier does, is reported to otel.Handle.
func (p *Pipeline) Enqueue(ctx context.Context, id string, carrier propagation.TextMapCarrier, opts ...JobOption) {
	if p.inert() {
		return
	}
	_, shown := p.jobID(id)
	_, e := p.startEnqueue(ctx, carrier, opts, jobIDKey.String(shown))
	e.count()
	completed.mark(e.span)
	e.span.End()
}

// An Insert is one job on its way into a queue, from [StartEnqueue] to [Insert.End]. Its methods
// are safe for concurrent use. A nil *Insert is inert.
type Insert struct {
	p         *Pipeline
	ctx       context.Context
	span      trace.Span
	dimension *dimension
	committed atomic.Bool
	done      atomic.Bool
}

// StartEnqueue begins to put a job of the pipeline of ctx, or of [Default], into a queue; see
// [Pipeline.StartEnqueue].
func StartEnqueue(ctx context.Context, carrier propagation.TextMapCarrier, opts ...JobOption) (context.Context, *Insert) {
	return scopeOf(ctx).p.StartEnqueue(ctx, carrier, opts...)
}

// StartEnqueue is [Pipeline.Enqueue] for an insert that may fail. It fills the carrier first,
// starts the span "enqueue job", and counts nothing. [Insert.Committed] counts the job, once it is
// in the queue for certain; [Insert.End] ends the span. So a job whose insert failed, was rolled
// back or met a duplicate is never counted:
//
//	carrier := propagation.MapCarrier{}
//	ctx, insert := p.StartEnqueue(ctx, carrier)
//	defer insert.End(&err)
//	id, err := queue.Insert(ctx, task, carrier)
//	if err != nil {
//		return err
//	}
//	insert.Committed(id)
//
// The context that it returns holds the span. With a nil carrier nothing is filled.
func (p *Pipeline) StartEnqueue(ctx context.Context, carrier propagation.TextMapCarrier, opts ...JobOption) (context.Context, *Insert) {
	if p.inert() {
		return orBackground(ctx), nil
	}
	return p.startEnqueue(ctx, carrier, opts)
}

func (p *Pipeline) startEnqueue(ctx context.Context, carrier propagation.TextMapCarrier, opts []JobOption, attrs ...attribute.KeyValue) (context.Context, *Insert) {
	c := newJobConfig(opts)
	e := &Insert{p: p, dimension: c.dimension(p)}
	e.ctx, e.span = p.startSpan(orBackground(ctx), "enqueue job", trace.WithSpanKind(trace.SpanKindProducer),
		trace.WithAttributes(attrs...), trace.WithAttributes(e.dimension.attrs...))
	if carrier != nil {
		p.inject(e.ctx, carrier, c.scheduledAt)
	}
	return e.ctx, e
}

// Committed says that the job is in the queue, and under which id, which may be known only now. Call
// it once the insert is committed: after the end of its transaction, and not for a duplicate that
// the queue has dropped. Only the first Committed counts. It may follow End; the id is then not on
// the span. An empty id is replaced, as [Pipeline.StartJob] does.
func (e *Insert) Committed(id string) {
	if e == nil || e.p.inert() || !e.committed.CompareAndSwap(false, true) {
		return
	}
	_, shown := e.p.jobID(id)
	e.span.SetAttributes(jobIDKey.String(shown))
	e.count()
}

func (e *Insert) count() { e.p.inst.Jobs.Add(e.ctx, 1, e.dimension.queued.add...) }

// End ends the span, with the outcome that *errp has by the rule of [OutcomeOf]; without an error
// and without Committed, as of a duplicate, it has none. The error is not counted in errors_total,
// since it is the error of no job: return it from the stage or job that enqueues, or give it to
// [RecordError]. Defer End directly. A panic passes, or is recovered, as by [Job.End]. Only the
// first End does anything.
func (e *Insert) End(errp *error) {
	if e == nil || e.p.inert() || !e.done.CompareAndSwap(false, true) {
		return
	}
	o := ended(errp, recover())
	as := o.in(e.ctx, e.p)
	if o.err != nil || e.committed.Load() {
		as.mark(e.span)
	}
	o.end(e.span, as)
	o.deliver(e.p, errp)
}
