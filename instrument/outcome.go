package instrument

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/instrument/internal/errs"
	"github.com/stagemeter/stagemeter/semconv"
)

// An Outcome says how an attempt of a job ended, and what that means for the job. See [OutcomeOf].
type Outcome struct {
	// Attempt is completed, failed, canceled, retried, snoozed or interrupted. The words lost and
	// superseded are for a store of attempts: no process can say them of itself.
	Attempt semconv.Outcome

	// Status is the status in which the job has ended: completed, failed or canceled. It is empty if
	// the job goes on: retried, snoozed or interrupted.
	Status semconv.JobStatus

	// ErrorType is the error_type of an attempt that failed or is retried, and canceled for one that
	// was canceled. It is empty for all others: their error is none.
	ErrorType string
}

// outcomes are the words that an attempt can say of itself.
var outcomes = [...]semconv.Outcome{
	semconv.OutcomeCompleted, semconv.OutcomeFailed, semconv.OutcomeCanceled,
	semconv.OutcomeRetried, semconv.OutcomeSnoozed, semconv.OutcomeInterrupted,
}

// contextState is whether a context is over, and why.
type contextState uint32

const (
	contextLive contextState = iota
	contextCanceled
	contextExpired
)

func stateOf(ctx context.Context) contextState {
	switch err := ctx.Err(); {
	case err == nil:
		return contextLive
	case errors.Is(err, context.DeadlineExceeded):
		return contextExpired
	default:
		return contextCanceled
	}
}

// contextEnd is how a context has ended: its state and, once it is over, its cause.
type contextEnd struct {
	state contextState
	cause error
}

func endOf(ctx context.Context, state contextState) contextEnd {
	if state == contextLive {
		return contextEnd{}
	}
	return contextEnd{state, context.Cause(ctx)}
}

// outcome applies the table of [OutcomeOf]: to an attempt, or to a stage or call, whose own context
// is in the place of the job's.
func (p *Pipeline) outcome(own contextEnd, err error, toCome bool) Outcome {
	if err == nil {
		return completed
	}
	said := p.said(err)
	switch said {
	case semconv.OutcomeCompleted:
		return completed
	case semconv.OutcomeCanceled:
		return canceled
	case semconv.OutcomeSnoozed, semconv.OutcomeInterrupted:
		return Outcome{Attempt: said}
	}
	t := p.typeIn(own, err)
	switch {
	case said == "" && (t == errs.Canceled || t == "" && own.state == contextCanceled):
		return canceled
	case t == "" && own.state == contextExpired:
		t = "timeout"
	case t == "": // the error says that it is a failure, whatever the context
		t = p.typeIn(contextEnd{}, err)
	}
	t, _ = cleanName(t)
	if said == semconv.OutcomeRetried || said == "" && toCome {
		return Outcome{Attempt: semconv.OutcomeRetried, ErrorType: t}
	}
	return Outcome{Attempt: semconv.OutcomeFailed, Status: semconv.JobStatusFailed, ErrorType: t}
}

var (
	completed = Outcome{Attempt: semconv.OutcomeCompleted, Status: semconv.JobStatusCompleted}
	canceled  = Outcome{Attempt: semconv.OutcomeCanceled, Status: semconv.JobStatusCanceled, ErrorType: errs.Canceled}
)

// aborted is the error_type of what was canceled by a context inside of it.
const aborted = "aborted"

// said returns what the function of [WithOutcome] says of an error, else the error itself, or "".
func (p *Pipeline) said(err error) semconv.Outcome {
	if p != nil && p.decide != nil {
		if word := answer(p.decide, "the function of WithOutcome", err); slices.Contains(outcomes[:], word) {
			return word
		}
	}
	return semconv.Outcome(errs.Said(err, isPanicError))
}

// typeIn returns the error_type of err under a context of its own: "" if that is over and err has no
// type that beats it.
func (p *Pipeline) typeIn(own contextEnd, err error) string {
	if isPanic(err) {
		return "panic"
	}
	if t := p.classified(err); t != "" {
		return t
	}
	if own.state != contextLive {
		t := errs.Own(err, true)
		if t != "" && errs.Wraps(err, own.cause) && t == errs.Own(own.cause, true) {
			return "" // the error is why the context was canceled, not what happened then
		}
		return t
	}
	if t := errs.Type(err); t != errs.Canceled {
		return t
	}
	return cmp.Or(errs.Own(err, false), aborted)
}

// classified returns what the user's classifier returns, or "" if there is none.
func (p *Pipeline) classified(err error) string {
	if p == nil || p.classify == nil {
		return ""
	}
	return answer(p.classify, "the function of WithErrorClassifier", err)
}

// answer returns what a function of the user's says of an error, or "" if it does not return.
func answer[T ~string](f func(error) T, what string, err error) (said T) {
	if err := contain(what, func() error { said = f(err); return nil }); err != nil {
		handle(err)
	}
	return said
}

// isError reports whether the outcome counts in errors_total and makes a span an error.
func (o Outcome) isError() bool {
	return o.Attempt == semconv.OutcomeFailed || o.Attempt == semconv.OutcomeRetried
}

// mark writes the outcome of a stage or a call with an error on its span.
func (o Outcome) mark(span trace.Span) {
	if span.IsRecording() {
		span.SetAttributes(outcomeKey.String(string(o.Attempt)))
	}
}
