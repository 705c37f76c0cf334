package sqlledger

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"sync/atomic"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// A Ledger is a [budget.Ledger] in a database that processes share. Its clock is that of the
// database, so the machines need not agree on the time.
//
// An operation is one transaction. It blocks until the database has committed it, and holds the
// rows of its accounts for that long. While the database is locked or away, it is tried again until
// its context is over, or for 30 seconds if that has no deadline. Then, or if anything else is
// wrong, its error matches [budget.ErrUnavailable] and says what the driver said: the operation may
// have taken place, and the same hold may be tried again. In SQLite an operation needs one
// connection of the pool, so a caller that has the only one must not wait for the ledger.
//
// What is kept is bounded, and deleted a few hundred rows at a time, by operations of any process:
//
//   - holds that ended, an hour after their lease; those without a lease, and the thresholds that
//     were told, after 48 hours;
//   - holds that expired, or were settled unconfirmed, after 7 days: a settle that comes later than
//     that books its cost anew;
//   - the account of a job, 24 hours after its final Close once no Open is left, else 90 days after
//     the last Open or Close, as that of a day or a month. The account of a tenant stays until it is
//     deleted by hand. An account with a hold under way stays.
type Ledger struct {
	store store
	rows  atomic.Int64 // of accounts that were opened and holds that ended
}

// New returns a ledger in db, which the caller closes after its last use. It is an error if the
// schema of db is not the one of this package; see [Migrate].
func New(ctx context.Context, db *sql.DB, dialect Dialect) (*Ledger, error) {
	if err := dialect.known(); err != nil {
		return nil, err
	}
	if err := dialect.check(ctx, db); err != nil {
		return nil, err
	}
	return &Ledger{store: dialect.store(db)}, nil
}

// Open opens an account. See [budget.Ledger].
func (l *Ledger) Open(ctx context.Context, scopes ...budget.Scope) (budget.Account, budget.Balance, error) {
	if err := valid(scopes); err != nil {
		return nil, budget.Balance{}, err
	}
	a := &account{ledger: l, scopes: append([]budget.Scope(nil), scopes...), rows: requestScopes(scopes), token: rand.Text()}
	got, err := l.do(ctx, request{Op: opening, Scopes: a.rows, Token: a.token})
	if err != nil {
		return nil, budget.Balance{}, fmt.Errorf("budget: open %s %q: %w", scopes[0].Kind, scopes[0].ID, err)
	}
	l.clean(ctx, len(scopes))
	return a, got.balance(a), nil
}

// Balance returns the balance of an account without opening it, and tells of no threshold. It is
// [budget.ErrLost] if there is no such account. Expired holds count as expired.
func (l *Ledger) Balance(ctx context.Context, kind budget.Kind, id string) (budget.Balance, error) {
	a := &account{scopes: []budget.Scope{{Kind: kind, ID: id}}}
	a.rows = requestScopes(a.scopes)
	got, err := l.do(ctx, request{Op: looking, Scopes: a.rows})
	if err != nil {
		return budget.Balance{}, fmt.Errorf("budget: balance of %s %q: %w", kind, id, err)
	}
	return got.balance(a), a.lost(got, "balance")
}

// Forget makes an account start afresh. See [budget.Ledger].
func (l *Ledger) Forget(ctx context.Context, kind budget.Kind, id string) error {
	_, err := l.do(ctx, request{Op: forgetting, Scopes: requestScopes([]budget.Scope{{Kind: kind, ID: id}})})
	if err != nil {
		return fmt.Errorf("budget: forget %s %q: %w", kind, id, err)
	}
	return nil
}

func valid(scopes []budget.Scope) error {
	if len(scopes) == 0 {
		return fmt.Errorf("budget: open no scope: %w", budget.ErrInvalid)
	}
	for i, s := range scopes {
		switch {
		case s.Kind != budget.Job && s.Kind != budget.Tenant && s.Kind != budget.Day && s.Kind != budget.Month:
			return fmt.Errorf("budget: open a scope of kind %q: %w", s.Kind, budget.ErrInvalid)
		case s.Limit < 0:
			return fmt.Errorf("budget: limit %s of %s %q: %w", s.Limit, s.Kind, s.ID, budget.ErrInvalid)
		}
		for _, other := range scopes[:i] {
			if s.Kind == other.Kind && s.ID == other.ID {
				return fmt.Errorf("budget: open %s %q twice in one account: %w", s.Kind, s.ID, budget.ErrInvalid)
			}
		}
	}
	return nil
}

// do asks until there is no expired hold left to sweep, if that is why a hold does not fit.
func (l *Ledger) do(ctx context.Context, r request) (got answer, err error) {
	var holds int
	var booked int64
	for {
		if got, err = l.store.do(ctx, r); err != nil {
			return answer{}, err
		}
		holds, booked = holds+got.Holds, sum(booked, got.Booked)
		if !got.Again {
			got.Holds, got.Booked = holds, booked
			return got, nil
		}
	}
}

// clean deletes some of what is kept no longer, after the first operation and then for every so
// many rows: it deletes more than it waits for, however many scopes an account has. If it fails, the
// operation has not.
func (l *Ledger) clean(ctx context.Context, rows int) {
	after := l.rows.Add(int64(rows))
	before := after - int64(rows)
	if before == 0 || before/cleanEvery != after/cleanEvery {
		_, _ = l.store.do(ctx, request{Op: cleaning})
	}
}

// balance returns the balance of an answer to an account.
func (got *answer) balance(a *account) budget.Balance {
	b := budget.Balance{
		Limit: money.USD(got.Limit), Spent: money.USD(got.Spent), Held: money.USD(got.Held), Own: money.USD(got.Own),
		Unconfirmed: money.USD(got.Unconfirmed),
		Expired:     budget.Expired{Holds: got.Holds, Amount: money.USD(got.Booked)},
	}
	for _, c := range got.Crossed {
		id := c.Name
		for i := range a.rows {
			if a.rows[i].Key == c.Scope {
				id = a.scopes[i].ID
			}
		}
		b.Crossed = append(b.Crossed, budget.Crossing{
			Scope:   budget.Scope{Kind: budget.Kind(c.Kind), ID: id, Limit: money.USD(c.Limit)},
			Percent: c.Percent, Spent: money.USD(c.Spent),
		})
	}
	return b
}
