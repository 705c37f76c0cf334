package instrument

import (
	"context"
	"errors"
	"runtime/debug"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/instrument/internal/errs"
	"github.com/stagemeter/stagemeter/semconv"
)

// outcome describes how a job, a stage or a call ended.
type outcome struct {
	err      error
	panicked *PanicError
}

// ended returns the outcome that a deferred End sees: the error it was given, and the value of
// recover.
func ended(errp *error, recovered any) outcome {
	if recovered != nil {
		p := &PanicError{Value: recovered, Stack: debug.Stack()}
		return outcome{err: p, panicked: p}
	}
	if errp == nil {
		return outcome{}
	}
	return outcome{err: *errp}
}

// deliver passes a panic on: as an error if [WithRecover] was given and there is a place for it,
// else as the panic that it was. The panic is raised again from the deferred call, below which the
// panicking frames still stand, so the trace that the runtime prints begins where the panic began.
func (o outcome) deliver(p *Pipeline, errp *error) {
	if o.panicked == nil {
		return
	}
	if !p.recover || errp == nil {
		panic(o.panicked.Value)
	}
	*errp = o.panicked
}

// panic reports whether the outcome is a panic: one that goes on, or one that [WithRecover] has
// turned into an error further in.
func (o outcome) panic() bool {
	if o.panicked != nil || o.err == nil || errs.Endless(o.err) {
		return o.panicked != nil
	}
	for err := range errs.Chain(o.err) {
		if _, ok := err.(*PanicError); ok {
			return true
		}
	}
	return false
}

// canceled reports whether the caller gave up, as opposed to a failure.
func (o outcome) canceled(ctx context.Context) bool {
	switch {
	case o.err == nil, o.panic(), errors.Is(ctx.Err(), context.DeadlineExceeded):
		return false
	}
	return errors.Is(ctx.Err(), context.Canceled) || !errs.Endless(o.err) && errs.OnlyCanceled(o.err, false)
}

// errorType returns the error_type of the outcome in a context. Once the context is over, the type
// is timeout or canceled, whatever the interrupted operation returned, unless the user's classifier
// returns one. A panic is always panic.
func (o outcome) errorType(ctx context.Context, p *Pipeline) string {
	switch {
	case o.err == nil:
		return ""
	case o.panic():
		return "panic"
	}
	if t := p.classified(o.err); t != "" {
		return t
	}
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return "timeout"
	case errors.Is(ctx.Err(), context.Canceled):
		return errs.Canceled
	}
	return ErrorType(o.err)
}

// end writes the outcome on a span and ends it.
func (o outcome) end(span trace.Span, errorType string) {
	if o.err != nil && span.IsRecording() {
		var stack []byte
		if o.panicked != nil {
			stack = o.panicked.Stack
		}
		addException(span, o.err, stack)
		span.SetAttributes(semconv.AttrErrorType.String(clean(errorType, maxNameLen)))
		span.SetStatus(codes.Error, clean(errs.Text(o.err), maxTextLen))
	}
	span.End()
}
