package budgettest

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument/budget"
)

// A Store is a place where accounts are kept, as the suite needs it. Only Open is required; duties
// that need a field that is nil are not run.
type Store struct {
	// Open returns a handle on the store: a ledger as one process has it. The suite calls it twice
	// to have two processes. A ledger of one process returns the same ledger again.
	Open func() budget.Ledger

	// Advance moves the clock of the store forward, also by days. If it is nil, the suite waits
	// instead; then days and months are not checked.
	Advance func(d time.Duration)

	// Lease is the lease of holds that the suite lets expire. It has to be longer than a few
	// operations take, and if Advance is nil, the suite waits for it about 40 times. 0 is a minute
	// with Advance, and 2 seconds without.
	Lease time.Duration

	// Lose makes the store lose all that it keeps, as FLUSHALL does with Redis.
	Lose func()

	// Restart ends the store without a warning, and starts it again with what it has kept.
	Restart func()

	// Except names duties that the ledger cannot do, each with the reason. TestLedger fails if it
	// does one of them nevertheless.
	Except map[string]string
}

// TestLedger checks the duties that budget.Ledger lists. Each duty is a subtest with a Store of its
// own from open, which registers its clean-up with t.Cleanup. Stores may be one and the same: ids
// are unique, except for the empty one, but then Lose and Restart must not be used by tests that run
// in parallel.
//
//	func TestMyLedger(t *testing.T) {
//		budgettest.TestLedger(t, func(t *testing.T) budgettest.Store {
//			db := testDatabase(t)
//			return budgettest.Store{
//				Open:    func() budget.Ledger { return myledger.New(db.Address()) },
//				Restart: db.Crash,
//			}
//		})
//	}
//
// A ledger that panics fails the duty that it panics in, and the others go on.
//
// Run it with the race detector. Among what it does are 2,500 holds of one account, and 1,000
// operations at once.
func TestLedger(t *testing.T, open func(t *testing.T) Store) {
	can := open(t)
	if can.Open == nil {
		t.Fatal(errOpen)
	}
	for name := range can.Except {
		if !slices.ContainsFunc(duties(), func(d duty) bool { return d.name == name }) {
			t.Errorf("Store.Except names %q, which is no duty", name)
		}
	}
	for _, d := range duties() {
		if !d.needs.met(can) {
			continue
		}
		t.Run(d.name, func(t *testing.T) {
			s := open(t)
			if problem := s.problem(d, d.run(t.Context(), s)); problem != "" {
				t.Error(problem)
			}
		})
	}
}

// problem returns why the outcome of a duty is none that Except allows.
func (s Store) problem(d duty, err error) string {
	reason, excepted := s.Except[d.name]
	switch {
	case excepted && reason == "":
		return "Store.Except gives no reason"
	case excepted && err == nil:
		return "the ledger does this duty, but Store.Except says: " + reason
	case !excepted && err != nil:
		return fmt.Sprintf("%v\n(%s)", err, d.reason)
	}
	return ""
}

// A duty is one property of a ledger. Its check needs no testing.T, so that it can be shown to fail.
type duty struct {
	name   string
	reason string // what goes wrong without
	needs  needs
	check  func(*checker)
}

// needs says what a store must be able to do.
type needs uint8

const (
	advance needs = 1 << iota // Advance, and not merely waiting
	lose
	restart
)

func (n needs) met(s Store) bool {
	return (n&advance == 0 || s.Advance != nil) && (n&lose == 0 || s.Lose != nil) && (n&restart == 0 || s.Restart != nil)
}

func duties() []duty {
	return slices.Concat(reserveDuties, settleDuties, releaseDuties, amountDuties, limitDuties, expiryDuties, lateDuties,
		unconfirmedDuties, sweepDuties, scopeDuties, windowDuties, thresholdDuties, retryDuties, closeDuties, forgetDuties, ownDuties,
		idDuties, concurrencyDuties, handleDuties, storeDuties)
}

func (d duty) run(ctx context.Context, s Store) (err error) {
	if s.Lease == 0 {
		s.Lease = time.Minute
		if s.Advance == nil {
			s.Lease = 2 * time.Second
		}
	}
	if s.Advance == nil {
		s.Advance = time.Sleep
	}
	if s.Open == nil {
		return errOpen
	}
	c := &checker{ctx: ctx, store: s, prefix: uniqueID()}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case failure:
			err = r.err
		default:
			err = fmt.Errorf("%s:\n\t%w", strings.Join(c.done, "; "), panicked(r))
		}
	}()
	c.ledger = s.Open()
	d.check(c)
	return nil
}

var errOpen = errors.New("budgettest.Store.Open is required")

// panicked returns a panic of the ledger as an error, with the stack that it comes from.
func panicked(v any) error { return fmt.Errorf("the ledger panicked: %v\n%s", v, debug.Stack()) }
