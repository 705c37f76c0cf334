package instrument

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// news reports that a stage under way has become stalled or overdue.
type news struct {
	of      *scope // of the stage
	state   StageState
	overdue bool
}

// tellNews adds the news about the stages of a job to their spans, and calls the functions of
// [Events].
func tellNews(job JobRef, all []news) {
	for _, n := range all {
		p := n.of.p
		name, heard := "stage stalled", p.events.stageStalled
		attr := stalledKey.Float64(time.Since(n.state.Stalled).Seconds())
		if n.overdue {
			name, heard, attr = "stage overdue", p.events.stageOverdue, usualKey.Float64(n.state.Usual.P50.Seconds())
		}
		if span := n.of.span; span.IsRecording() {
			span.AddEvent(name, trace.WithAttributes(attr))
		}
		if len(heard) > 0 {
			_ = contain("a function of Events", func() error { // tell reports a panic; the collection goes on
				tell(heard, context.Context(n.of), StageWarning{Job: job, Stage: n.state})
				return nil
			})
		}
	}
}
