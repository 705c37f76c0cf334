package editor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/price"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/paid"
)

const (
	attempts   = 3                      // to make one paid call
	firstPause = 500 * time.Millisecond // before the second attempt; doubled before each later one
)

// pay makes a paid call. A failed attempt may have been charged, so each is a call of its own and the
// budget is asked for it.
func pay[T any](ctx context.Context, call func(context.Context) (T, error)) (none T, err error) {
	var failed error
	for attempt := range attempts {
		answer, err := call(ctx)
		wait, again := paid.RetryAfter(err)
		switch {
		case err == nil:
			return answer, nil
		case failed != nil && errors.Is(err, instrument.ErrBudgetExceeded):
			return none, fmt.Errorf("%w; the attempt before it: %w", err, failed)
		case !again || attempt == attempts-1:
			return none, err
		}
		failed = err
		select {
		case <-time.After(max(wait, firstPause<<attempt)):
		case <-ctx.Done():
			return none, ctx.Err() // and not why the last attempt failed: the job is canceled
		}
	}
	return none, failed
}

// listen makes one paid call for a recording. The most that it costs follows from the length, so the
// budget is asked for that before the call. What it does cost, the client's transport reads from the
// answer. The ledger has the cost, also of a job that is killed in the call or later.
func (r *run) listen(ctx context.Context, made recording) (paid.Transcript, error) {
	most, unknown := r.Prices.Cost(paid.Usage(made.length()))
	bound := []instrument.CallOption{instrument.WithLease(r.Lease)}
	switch {
	case unknown != nil:
		bound = append(bound, instrument.WithUnknownCost(reason(unknown)))
	case most == 0:
		bound = append(bound, instrument.Free())
	default:
		bound = append(bound, instrument.WithMaxCost(most), instrument.WithMinCost(most))
	}
	defer r.spent(ctx)
	return instrument.RunCallValue(ctx, paid.Whisper, nil, func(ctx context.Context) (paid.Transcript, error) {
		answer, err := r.Transcriber.Transcribe(ctx, made.path, made.length())
		if unknown == nil && (paid.Answered(err) || err == nil && !r.believes(answer.Billed, made.length())) {
			instrument.CallFromContext(ctx).SetCost(most)
		}
		return answer, err
	}, bound...)
}

// reason returns why a price is unknown, in one word.
func reason(err error) string {
	var unknown *price.UnknownError
	if errors.As(err, &unknown) {
		return string(unknown.Reason)
	}
	return string(price.UnknownUsage)
}

// believes reports whether a service can mean the length that it bills for sound of a length.
// Services may bill a shortest length of a minute at most, or two channels. More is a mistake, and no
// reason to use up the budget.
func (r *run) believes(billed, length time.Duration) bool {
	begun := paid.BegunSeconds(length)
	switch {
	case billed <= 0:
		return false
	case billed > 2*begun+time.Minute:
		r.Screen.Printf("%s: the transcription service says that it bills %v of sound for %v; booked are %v", r.task.ID, billed, length, begun)
		return false
	case billed > begun:
		r.Screen.Printf("%s: the transcription service bills %v of sound for %v", r.task.ID, billed, length)
	}
	return true
}

// spent stores what the job has cost after a paid call. The ledger has it already, or will in a
// moment. Not to store it is no reason to lose what is paid for.
func (r *run) spent(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTimeout)
	defer cancel()
	total, err := r.Checkpoints.SaveCost(ctx, r.task.ID)
	if err != nil {
		r.Screen.Printf("%s: %v", r.task.ID, err)
		return
	}
	r.checkpoint.Cost = total
}
