package instrument

import (
	"context"

	"go.opentelemetry.io/otel/attribute"

	"github.com/stagemeter/stagemeter/semconv"
)

// attempt is what [WithAttempt] was given. The zero attempt is unknown.
type attempt struct {
	n, most int
	given   bool
}

// validAttempt returns a, or the zero attempt for one that makes no sense, which it counts.
func (p *Pipeline) validAttempt(ctx context.Context, a attempt) attempt {
	if a.given && (a.n < 1 || a.most < 0 || a.most > 0 && a.most < a.n) {
		p.countInvalid(ctx, semconv.AttemptsName, semconv.InvalidReasonOutOfRange)
		return attempt{}
	}
	return a
}

// toCome reports whether more attempts are to come.
func (a attempt) toCome() bool { return a.n < a.most }

// attributes returns those of the job's span, nil if nothing is known.
func (a attempt) attributes() []attribute.KeyValue {
	switch {
	case !a.given:
		return nil
	case a.most == 0:
		return []attribute.KeyValue{attemptKey.Int(a.n)}
	}
	return []attribute.KeyValue{attemptKey.Int(a.n), attemptsKey.Int(a.most)}
}
