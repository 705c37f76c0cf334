package instrument

import (
	"context"
	"errors"
	"reflect"
	"runtime/debug"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/semconv"
)

// ending is what a job, a stage or a call ended with. Its Outcome is what that counts as.
type ending struct {
	err      error
	panicked *PanicError
}

// ended returns the ending that a deferred End sees: the error it was given, and the value of
// recover.
func ended(errp *error, recovered any) ending {
	if recovered != nil {
		p := &PanicError{Value: recovered, Stack: debug.Stack()}
		return ending{err: p, panicked: p}
	}
	if errp == nil {
		return ending{}
	}
	return ending{err: *errp}
}

// progress is how far a function has come that ends what it has started.
//
// A Run function does so with the method returned, once its function has returned. It defers the
// method run directly, which ends it if the function has panicked or ended its goroutine. So a
// function that returns does not pay for a recover.
type progress int

const (
	underway progress = iota
	hasReturned
	hasEnded
)

// ran is ended for a function that has come so far.
func ran(errp *error, recovered any, at progress) ending {
	if recovered == nil && at == underway {
		return ending{err: errGoexit}
	}
	return ended(errp, recovered)
}

// deliver passes a panic on: as an error if [WithRecover] was given and there is a place for it,
// else as the panic that it was. The panic is raised again from the deferred call, below which the
// panicking frames still stand, so the trace that the runtime prints begins where the panic began.
func (o ending) deliver(p *Pipeline, errp *error) {
	if o.panicked == nil {
		return
	}
	if !p.recover || errp == nil || abortsHandler(o.panicked.Value) {
		panic(o.panicked.Value)
	}
	*errp = o.panicked
}

// abortsHandler reports whether a panic is http.ErrAbortHandler, by which a handler asks net/http to
// drop the connection. That package is not imported, so the error is known by its type, that of
// errors.New, and its text. An error that wraps it is not meant, as it is not by net/http.
func abortsHandler(v any) bool {
	err, ok := v.(error)
	return ok && reflect.TypeOf(err) == newError && err.Error() == "net/http: abort Handler"
}

var newError = reflect.TypeOf(errors.New(""))

// panic reports whether the ending is a panic: one that goes on, or one that [WithRecover] has
// turned into an error further in.
func (o ending) panic() bool { return o.panicked != nil || isPanic(o.err) }

// in returns how a stage or a call ended, whose own context is ctx.
func (o ending) in(ctx context.Context, p *Pipeline) Outcome {
	return p.outcome(endOf(ctx, stateOf(ctx)), o.err, false)
}

// end writes the error on a span, if the outcome is one, and ends the span.
func (o ending) end(span trace.Span, as Outcome) {
	defer span.End()
	if as.isError() && span.IsRecording() {
		var stack []byte
		if o.panicked != nil {
			stack = o.panicked.Stack
		}
		addException(span, o.err, stack)
		span.SetAttributes(semconv.AttrErrorType.String(clean(as.ErrorType, maxNameLen)))
		span.SetStatus(codes.Error, text(o.err))
	}
}

// countEnd counts the error that a stage or a job ends with, unless it or one of its parts has
// counted it. A call, which counts no error itself, has the stage "". The scope around it then
// remembers the error, so that it counts once on its way up.
func (s *scope) countEnd(err error, as Outcome, stage string) {
	counted := err != nil && s.rare.counted(err)
	if !counted && stage != "" && as.isError() {
		s.p.countError(s.Context, s.dimension(), stage, as.ErrorType)
		detailsOf(s).addError(stage, as.ErrorType)
		counted = true
	}
	around := s.around()
	if around == nil {
		return
	}
	switch {
	case counted && err == errGoexit: // a deferred End around does not see it, and ends without an error
		around.rare.get().counted.AddRecorded(err)
	case counted:
		around.rare.get().counted.Add(err)
	}
	if r := s.rare.p.Load(); r != nil {
		r.counted.HandTo(&around.rare.get().counted)
	}
}
