package budgettest

import (
	"context"
	"crypto/rand"
	"testing"

	"github.com/stagemeter/stagemeter/instrument/budget"
)

// TestLedger checks the duties that budget.Ledger lists. Each duty is a subtest with a ledger of
// its own from open, which registers its clean-up with t.Cleanup. Ledgers may share their store:
// job ids are unique, except for the empty one.
//
//	func TestMyLedger(t *testing.T) {
//		budgettest.TestLedger(t, func(t *testing.T) budget.Ledger { return myledger.New(address(t)) })
//	}
//
// Run it with the race detector. It cannot check that an implementation bounds its own time.
func TestLedger(t *testing.T, open func(t *testing.T) budget.Ledger) {
	for _, d := range duties() {
		t.Run(d.name, func(t *testing.T) {
			if err := d.check(t.Context(), open(t)); err != nil {
				t.Error(err)
			}
		})
	}
}

// duty is one property of a ledger. Its check needs no testing.T, so that it can be shown to fail.
type duty struct {
	name  string
	check func(context.Context, budget.Ledger) error
}

func duties() []duty {
	var all []duty
	for _, s := range scripts {
		all = append(all, duty{s.name, s.check})
	}
	return append(all, programs...)
}

// uniqueJob returns an id that no other run has used, for a store that outlives the test.
func uniqueJob() string { return "budgettest-" + rand.Text() }
