package editor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/money"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/whisper"
)

const (
	attempts   = 3                      // to transcribe one recording
	firstPause = 500 * time.Millisecond // before the second attempt; doubled before each later one
)

// pay transcribes a recording. A failed attempt may have been charged, so each is a call of its own
// and the budget is asked for it.
func (r *run) pay(ctx context.Context, made recording) (heardPart, error) {
	var got heardPart
	var failed error
	for attempt := range attempts {
		answer, cost, err := r.call(ctx, made)
		got.Text, got.Cost = answer.Text, money.Sum(got.Cost, cost)
		wait, again := whisper.RetryAfter(err)
		switch {
		case err == nil:
			return got, nil
		case failed != nil && errors.Is(err, instrument.ErrBudgetExceeded):
			return heardPart{}, fmt.Errorf("%w; the attempt before it: %w", err, failed)
		case !again || attempt == attempts-1:
			return heardPart{}, err
		}
		failed = err
		select {
		case <-time.After(max(wait, firstPause<<attempt)):
		case <-ctx.Done():
			return heardPart{}, ctx.Err() // and not why the last attempt failed: the job is canceled
		}
	}
	return heardPart{}, failed
}

// call makes one paid call, and returns what it cost, also if it failed. The price follows exactly
// from the length, so the budget is asked for it before the call, and a failed call that was sent
// costs the same. The ledger has the cost, also of a job that is killed in the call or later.
func (r *run) call(ctx context.Context, made recording) (whisper.Transcript, instrument.USD, error) {
	most := whisper.Price(made.length())
	send := func(ctx context.Context) (whisper.Transcript, error) { return r.Transcriber.Transcribe(ctx, made.path) }
	price := func(t whisper.Transcript) instrument.USD { return whisper.Price(r.billed(t, made.length())) }

	job := instrument.JobFromContext(ctx)
	before := job.Cost()
	answer, err := instrument.RunCallValue(ctx, whisper.API, price, send,
		instrument.WithMaxCost(most), instrument.WithMinCost(most), instrument.WithLease(r.Lease))
	cost := job.Cost() - before
	if err := r.spend(ctx, cost); err != nil { // no reason to lose what is paid for
		r.Screen.Printf("%s: %v", r.task.ID, err)
	}
	return answer, cost, err
}

// billed returns the length that a transcript of sound of a length costs: what the service says,
// if it says it. Services may bill a shortest length of a minute at most, or two channels. More is
// a mistake, and no reason to use up the budget.
func (r *run) billed(t whisper.Transcript, length time.Duration) time.Duration {
	begun := whisper.BegunSeconds(length)
	switch {
	case t.Billed <= 0:
		return begun
	case t.Billed > 2*begun+time.Minute:
		r.Screen.Printf("%s: the transcription service says that it bills %v of sound for %v; booked are %v", r.task.ID, t.Billed, length, begun)
		return begun
	case t.Billed > begun:
		r.Screen.Printf("%s: the transcription service bills %v of sound for %v", r.task.ID, t.Billed, length)
	}
	return t.Billed
}

// spend stores what the job has cost after a cost. The ledger has it already.
func (r *run) spend(ctx context.Context, cost instrument.USD) error {
	if cost == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTimeout)
	defer cancel()
	total, err := r.Checkpoints.SaveCost(ctx, r.task.ID)
	if err == nil {
		r.checkpoint.Cost = total
	}
	return err
}
