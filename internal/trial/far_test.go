package trial

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// A shakyLedger is a ledger elsewhere, whose answers do not always arrive.
type shakyLedger struct {
	budget.Ledger
	mu     sync.Mutex
	rnd    *rand.Rand
	away   bool
	failed map[string]float64 // answers that did not arrive, by operation
}

var errAway = errors.New("the store is away")

// do runs an operation, unless the ledger is shaky just then: it fails before, loses the answer after the
// commit, or hangs until nobody waits any more.
func (l *shakyLedger) do(ctx context.Context, op string, operation func() error) error {
	l.mu.Lock()
	how := 9
	if l.away {
		how = l.rnd.IntN(6)
	}
	if how < 3 {
		l.failed[op]++
	}
	l.mu.Unlock()
	switch how {
	case 0:
		return errAway
	case 1:
		_ = operation()
		return errAway
	case 2:
		<-ctx.Done()
		return ctx.Err()
	}
	return operation()
}

func (l *shakyLedger) set(away bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.away = away
}

func (l *shakyLedger) Open(ctx context.Context, scopes ...budget.Scope) (a budget.Account, bal budget.Balance, err error) {
	err = l.do(ctx, "open", func() (err error) { a, bal, err = l.Ledger.Open(ctx, scopes...); return err })
	if err != nil {
		return nil, budget.Balance{}, err
	}
	return shakyAccount{l, a}, bal, nil
}

type shakyAccount struct {
	l *shakyLedger
	budget.Account
}

func (a shakyAccount) Reserve(ctx context.Context, h budget.Hold) (bal budget.Balance, err error) {
	err = a.l.do(ctx, "reserve", func() (err error) { bal, err = a.Account.Reserve(ctx, h); return err })
	return bal, err
}

func (a shakyAccount) Settle(ctx context.Context, h budget.Hold, cost money.USD) (bal budget.Balance, err error) {
	err = a.l.do(ctx, "settle", func() (err error) { bal, err = a.Account.Settle(ctx, h, cost); return err })
	return bal, err
}

func (a shakyAccount) Release(ctx context.Context, h budget.Hold) (bal budget.Balance, err error) {
	err = a.l.do(ctx, "release", func() (err error) { bal, err = a.Account.Release(ctx, h); return err })
	return bal, err
}

func (a shakyAccount) Close(ctx context.Context, final bool) error {
	return a.l.do(ctx, "close", func() error { return a.Account.Close(ctx, final) })
}

// Whatever a far ledger loses meanwhile: once Close has returned, it has exactly what was spent, nothing is
// held, and each of its failures was counted.
func TestShakyLedgers(t *testing.T) {
	for seed := range uint64(60) {
		for name, policy := range map[string]instrument.LedgerPolicy{"open": instrument.LedgerOpen(), "closed": instrument.LedgerClosed()} {
			t.Run(fmt.Sprint(name, " ", seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { shakyTrial(t, seed, policy, name == "closed") })
			})
		}
	}
}

func shakyTrial(t *testing.T, seed uint64, policy instrument.LedgerPolicy, closed bool) {
	rnd := rand.New(rand.NewPCG(seed, 3))
	memory := budget.NewMemoryLedger()
	l := &shakyLedger{Ledger: memory, rnd: rand.New(rand.NewPCG(seed, 4)), failed: make(map[string]float64)}
	p, rec := instrumenttest.New(t, instrument.WithLedger(l), instrument.WithLedgerPolicy(policy))
	spent := make(map[string]int64)
	var total int64
	made, refused := 0.0, 0.0
	for range 12 {
		id := fmt.Sprintf("job-%d", rnd.IntN(4))
		l.set(rnd.IntN(2) == 0)
		ctx, job := p.StartJob(t.Context(), id, instrument.WithBudget(1000*instrument.Dollar))
		for range rnd.IntN(6) {
			time.Sleep(time.Duration(rnd.IntN(3000)) * time.Millisecond)
			cost := rnd.Int64N(1e8)
			if rnd.IntN(5) == 0 {
				instrument.Spend(ctx, "gpu", money.USD(cost))
				spent[id] += cost
				total += cost
				continue
			}
			l.set(rnd.IntN(2) == 0)
			_, call, err := instrument.StartCall(ctx, "gpt", instrument.WithMaxCost(20*instrument.Cent))
			if err != nil {
				refused++
				var no *instrument.BudgetError
				if !closed || !errors.As(err, &no) || no.ErrorType() != "ledger_unavailable" {
					t.Errorf("refused: %v", err)
				}
				continue
			}
			made++
			if rnd.IntN(4) == 0 { // it cost nothing
				failed := error(status(429))
				call.End(&failed)
				continue
			}
			call.SetCost(money.USD(cost))
			call.End(nil)
			spent[id] += cost
			total += cost
		}
		failed := errSentinel // so that the account stays
		job.End(&failed)
	}
	l.set(false)
	if err := p.Close(t.Context()); err != nil {
		t.Errorf("Close: %v", err)
	}
	for id, want := range spent {
		_, bal, err := memory.Open(t.Context(), budget.Scope{Kind: budget.Job, ID: id, Limit: 1000 * instrument.Dollar})
		if err != nil || int64(bal.Spent) != want || bal.Held != 0 || bal.Unconfirmed != 0 {
			t.Errorf("the ledger has of %s: spent %s, held %s, unconfirmed %s (%v); spent was %s", id, bal.Spent, bal.Held, bal.Unconfirmed, err, money.USD(want))
		}
	}
	if got := rec.Counter("video_processing_cost_usd_total"); instrument.Dollars(got) != money.USD(total) {
		t.Errorf("cost_usd_total is %v, spent was %s", got, money.USD(total))
	}
	got := shown(t, rec.Exposition("video_processing_api_calls_total", "video_processing_ledger_errors_total", "video_processing_ledger_pending"))
	calls := 0.0
	for name, n := range got {
		switch {
		case name == series("api_calls_total", "api", "gpt", "status", "refused"):
			if n != refused {
				t.Errorf("%v calls refused, want %v", n, refused)
			}
		case len(name) > len(prefix+"api_calls_total") && name[:len(prefix+"api_calls_total")] == prefix+"api_calls_total":
			calls += n
		}
	}
	if calls != made {
		t.Errorf("%v calls made, want %v", calls, made)
	}
	// An account that could not be opened is opened by its next operation, and a failure of that counts as
	// one of the operation. After 5 failures in a row operations fail without the ledger being asked.
	counted, failures := 0.0, 0.0
	for _, op := range []string{"open", "reserve", "settle", "release", "close"} {
		counted += got[series("ledger_errors_total", "op", op)]
		failures += l.failed[op]
	}
	if counted < failures || failures == 0 && counted > 0 {
		t.Errorf("%v errors of the ledger counted, %v have happened: %v", counted, failures, l.failed)
	}
	if n := got[series("ledger_errors_total", "op", "given_up")]; n != 0 {
		t.Errorf("%v operations were given up", n)
	}
	if n := got[series("ledger_pending")]; n != 0 {
		t.Errorf("%v operations are pending after Close", n)
	}
}
