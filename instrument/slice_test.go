package instrument_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// A slice whose lease is half over is spent while a ledger that hangs does not give another.
func TestOldSliceIsSpentWhileTheLedgerHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		captureReports(t)
		w := newWire()
		p, rec := instrumenttest.New(t, instrument.WithLedger(w), instrument.WithLedgerPolicy(instrument.LedgerLease(50*cent)))
		ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(dollar))
		if err := buy(ctx, "gpt", 10*cent, instrument.WithMaxCost(10*cent)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(40 * time.Minute)
		hang := make(chan struct{})
		w.set(func(context.Context, string) error { <-hang; return errStore })
		for n := range 4 {
			if err := buy(ctx, "gpt", 10*cent, instrument.WithMaxCost(10*cent)); err != nil {
				t.Errorf("call %d: %v", n, err)
			}
		}
		w.set(nil)
		close(hang)
		time.Sleep(time.Minute)
		job.End(nil)
		if err := p.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if bal := w.balance("job-1", dollar); bal.Held != 0 {
			t.Errorf("%+v, want nothing held", bal)
		}
		if got := rec.Counter(vp("ledger_errors_total"), label("op", "reserve")); got == 0 {
			t.Error("no failure of the ledger was counted")
		}
	})
}
