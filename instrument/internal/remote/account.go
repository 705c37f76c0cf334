package remote

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/internal/errs"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// An Account is one of a [Ledger]. If it could not be opened, each operation tries that first.
type Account struct {
	l      *Ledger
	scopes []budget.Scope
	opened func(budget.Balance)

	mu      sync.Mutex
	account budget.Account // nil until it is opened
	queued  int            // entries of the queue
	final   bool
	closed  bool
	sent    bool // its Close
}

// Open opens an account. Unless it is refused, the account can be used even if there is an error:
// the ledger could not be asked, and will be when the account is used. opened is called with the
// balance of the Open that succeeds; it must not block.
func (l *Ledger) Open(ctx context.Context, opened func(budget.Balance), scopes ...budget.Scope) (*Account, error) {
	a := &Account{l: l, scopes: scopes, opened: opened}
	_, late, err := l.do(context.WithoutCancel(ctx), try{op: Open, limit: l.Reserve}, func(ctx context.Context) (budget.Balance, error) {
		_, err := a.get(ctx)
		return budget.Balance{}, err
	})
	if late != nil { // it may come when the account is closed already
		late.after(func() { a.leaveUnwatched(ctx) })
	}
	return a, err
}

// get returns the ledger's account, and opens it if it is not open.
func (a *Account) get(ctx context.Context) (budget.Account, error) {
	a.mu.Lock()
	account := a.account
	a.mu.Unlock()
	if account != nil {
		return account, nil
	}
	account, bal, err := a.l.ledger.Open(ctx, a.scopes...)
	switch {
	case err != nil:
		return nil, err
	case account == nil:
		return nil, errors.New("Ledger.Open gave no account")
	}
	a.mu.Lock()
	if first := a.account; first != nil { // another operation was faster
		a.mu.Unlock()
		a.closeOther(ctx, account)
		return first, nil
	}
	a.account = account
	a.mu.Unlock()
	a.opened(bal)
	return account, nil
}

// Reserve holds the amount of a call. If the ledger does not answer, it may hold it all the same. If
// kept is set, the caller settles or releases the hold even then; the Release needs the operation,
// which is returned if it is under way. Otherwise the hold is released later.
func (a *Account) Reserve(ctx context.Context, h budget.Hold, kept bool) (budget.Balance, *Running, error) {
	var asked atomic.Bool
	bal, late, err := a.l.do(ctx, try{op: Reserve, limit: a.l.Config.Reserve}, func(ctx context.Context) (budget.Balance, error) {
		account, err := a.get(ctx)
		if err != nil {
			return budget.Balance{}, err
		}
		asked.Store(true)
		return account.Reserve(ctx, h)
	})
	if err == nil || kept || !errs.Is(err, budget.ErrUnavailable) {
		return bal, late, err
	}
	late.after(func() {
		if asked.Load() {
			a.l.enqueue(entry{account: a, op: Release, hold: h, told: func(budget.Balance) {}})
		}
	})
	return bal, nil, err
}

// Settle ends a hold with a cost. If that fails, it is tried again until the lease is over, and told
// is called with the balance once it succeeds. told must not block.
func (a *Account) Settle(ctx context.Context, h budget.Hold, cost money.USD, told func(budget.Balance)) (budget.Balance, error) {
	return a.end(ctx, entry{account: a, op: Settle, hold: h, cost: cost, told: told})
}

// SettleLater is Settle by the queue: it waits for nothing.
func (a *Account) SettleLater(h budget.Hold, cost money.USD, told func(budget.Balance)) {
	a.l.enqueue(entry{account: a, op: Settle, hold: h, cost: cost, told: told})
}

// Release ends a hold that costs nothing, as Settle does. If the Reserve is still under way, that is
// done after it.
func (a *Account) Release(ctx context.Context, h budget.Hold, reserve *Running, told func(budget.Balance)) (budget.Balance, error) {
	e := entry{account: a, op: Release, hold: h, told: told}
	if reserve != nil {
		reserve.after(func() { a.l.enqueue(e) })
		return budget.Balance{}, nil
	}
	return a.end(ctx, e)
}

func (a *Account) end(ctx context.Context, e entry) (budget.Balance, error) {
	bal, err := a.l.send(context.WithoutCancel(ctx), e, nil, false)
	if err != nil && e.retried(err) {
		a.l.enqueue(e)
	}
	a.leaveUnwatched(ctx)
	return bal, err
}

// Close ends the Open, once nothing of the account is queued. If that fails, it is tried again for
// an hour: the Close of an account with slices books them.
func (a *Account) Close(ctx context.Context, final bool) error {
	a.mu.Lock()
	a.closed, a.final = true, final
	a.mu.Unlock()
	return a.leave(ctx)
}

// leave closes the ledger's account if it is to be closed and nothing of it is queued.
func (a *Account) leave(ctx context.Context) error {
	e, due := a.leaving()
	if !due {
		return nil
	}
	_, err := a.l.send(context.WithoutCancel(ctx), e, nil, false)
	if err != nil && e.retried(err) {
		a.l.enqueue(e)
	}
	return err
}

// leaveUnwatched leaves for a caller who is not told of an error.
func (a *Account) leaveUnwatched(ctx context.Context) {
	if err := a.leave(ctx); err != nil && !Unasked(err) {
		a.l.Report(fmt.Errorf("%s: %w", a, err))
	}
}

// leaving returns the Close of the ledger's account if it is due, which it is once.
func (a *Account) leaving() (e entry, due bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.closed || a.sent || a.queued > 0 || a.account == nil {
		return entry{}, false
	}
	a.sent = true
	return entry{account: a, op: Close, open: a.account, final: a.final}, true
}

// closeOther closes what a second Open of the ledger gave.
func (a *Account) closeOther(ctx context.Context, other budget.Account) {
	e := entry{account: a, op: Close, open: other}
	err := errGoexit
	defer func() {
		if v := recover(); v != nil {
			err = panicked(v)
		}
		if err != nil {
			a.l.Count(Close)
			if e.retried(err) {
				a.l.enqueue(e)
			}
		}
	}()
	err = other.Close(ctx, false)
}

// String names the account in a report.
func (a *Account) String() string {
	if len(a.scopes) == 0 {
		return "an account without a scope"
	}
	return fmt.Sprintf("the account of %s %q", a.scopes[0].Kind, a.scopes[0].ID)
}

func (a *Account) count(queued int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.queued += queued
}

// over reports whether the account is closed for good.
func (a *Account) over() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.sent && a.final
}
