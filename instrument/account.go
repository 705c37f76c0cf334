package instrument

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/internal/once"
	"github.com/stagemeter/stagemeter/instrument/internal/remote"
)

// An openAccount is an account that a run has opened: near, in memory, or far, where an operation
// takes time and may fail. One of the two is nil.
type openAccount struct {
	scopes []budget.Scope // the first is its own, of kind Job
	around []budget.Scope // given with them, and left to the accounts of the jobs around
	near   nearAccount
	once   onceAccount // near, for a hold in no other account
	far    *remote.Account
	broken error       // why the ledger refused to open it; every call is refused
	kept   bool        // it is another's, as WithAccount says: no job that completes ends it
	final  atomic.Bool // the run that opened it has completed, or its id never comes again
}

// A onceAccount is one of package budget's ledger in memory. It needs no hold id, since a hold here
// is reserved at most once and ended once.
type onceAccount interface {
	ReserveOnce(h *once.Hold, now time.Duration) (budget.Balance, error)
	SettleOnce(h *once.Hold, cost, unconfirmed USD) budget.Balance
	SpendOnce(own bool, cost USD) budget.Balance
	ReleaseOnce(h *once.Hold) budget.Balance
}

// A nearLedger is package budget's in memory: it neither blocks nor panics.
type nearLedger interface {
	budget.Ledger
	InMemory()
}

// A nearAccount is one of a nearLedger. It can be looked at without an operation.
type nearAccount interface {
	budget.Account
	Look() budget.Balance
}

// openNear opens the account in memory.
func (a *openAccount) openNear(ctx context.Context, l budget.Ledger, scopes ...budget.Scope) (budget.Balance, error) {
	account, bal, err := l.Open(ctx, scopes...)
	if err == nil {
		a.near, _ = account.(nearAccount)
		a.once, _ = account.(onceAccount)
	}
	return bal, err
}

// id returns the id of the account's own scope.
func (a *openAccount) id() string { return a.scopes[0].ID }

// limited reports whether a scope that the account was given refuses anything.
func (a *openAccount) limited() bool { return a.limit().Kind != "" }

// limit returns the first scope that the account was given and that refuses anything.
func (a *openAccount) limit() budget.Scope {
	for _, scopes := range [][]budget.Scope{a.scopes, a.around} {
		for _, s := range scopes {
			if s.Limit != Unlimited {
				return s
			}
		}
	}
	return budget.Scope{}
}

// close ends the Open of the account.
func (a *openAccount) close(ctx context.Context) error {
	final := a.final.Load() && !a.kept
	if a.far != nil {
		return a.far.Close(ctx, final)
	}
	return a.near.Close(ctx, final)
}
