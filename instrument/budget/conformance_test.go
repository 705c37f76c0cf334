package budget_test

import (
	"maps"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/budget/budgettest"
	"github.com/stagemeter/stagemeter/instrument/money"
)

func TestMemoryLedger(t *testing.T) {
	budgettest.TestLedger(t, func(*testing.T) budgettest.Store {
		c := newClock()
		l := budget.NewMemoryLedger(budget.WithClock(c.Now))
		return budgettest.Store{Open: func() budget.Ledger { return l }, Advance: c.advance}
	})
}

// Through one handle, slices do the duties of the ledger that they are taken from, but for these.
func TestSlicedLedger(t *testing.T) {
	const (
		expiry = "only slices expire, and book their amount: floors and leases of calls are not used"
		others = "accounts that share only some of their scopes see each other's calls with the next slice"
		window = "a hold belongs to the window that its slice was taken in, and balances to that of the last slice"
		late   = "a threshold that is reached while other calls are under way is told when they have ended"
	)
	const closed = "hold ids are known as long as the account is open"
	always := map[string]string{
		"an expired hold books its floor, unconfirmed":                           expiry,
		"a refusal comes after the expired holds are swept":                      expiry,
		"a hold without a lease never expires":                                   expiry,
		"each hold has a lease of its own":                                       expiry,
		"a retry does not renew the lease":                                       expiry,
		"reserve again does not revive an expired hold":                          expiry,
		"each expired hold is told of once":                                      expiry,
		"open counts what expired, sooner or later":                              expiry,
		"a late settle that cost more books the difference":                      expiry,
		"a late settle that cost less takes the difference back":                 expiry,
		"a late settle of what was booked confirms it":                           expiry,
		"a late release takes back what was booked":                              expiry,
		"a hold that expired may be settled unconfirmed":                         expiry,
		"a cost is confirmed after its account was closed":                       closed,
		"an operation that need not make room sweeps a bounded number":           expiry,
		"no refusal while expired holds could make room":                         expiry,
		"expired holds of other accounts over a scope make room":                 expiry,
		"a hold expires in all scopes":                                           expiry,
		"what an expired hold reaches is told":                                   expiry,
		"what an expired hold reaches is not told by Open":                       expiry,
		"a reserve whose answer is lost tells again what its sweep reached":      expiry,
		"what expired after a close is kept":                                     expiry,
		"forget forgets the holds that expired":                                  expiry,
		"the late release of an expired hold that was forgotten changes nothing": expiry,
		"own follows holds that expire":                                          expiry,
		"every operation counts in all scopes":                                   others,
		"the balance is that of the first scope":                                 others,
		"a final close keeps the account while a hold is under way":              others,
		"scopes in any order do not block each other":                            others,
		"a hold stays in the window that it was reserved in":                     window,
		"an account over a day alone keeps its holds over midnight":              window,
		"a close that is not final keeps the account":                            late,
	}
	for slice, more := range map[money.USD]map[string]string{
		4: nil,
		money.Dollar / 1000: {
			"a floor above the amount is booked all the same":         expiry,
			"an expired hold without a floor books its amount":        expiry,
			"a cost is confirmed in the window that it was booked in": window,
		},
	} {
		t.Run(slice.String(), func(t *testing.T) {
			except := maps.Clone(always)
			maps.Copy(except, more)
			budgettest.TestLedger(t, func(*testing.T) budgettest.Store {
				c := newClock()
				l := budget.Sliced(budget.NewMemoryLedger(budget.WithClock(c.Now)), slice, time.Minute, budget.WithClock(c.Now))
				return budgettest.Store{Open: func() budget.Ledger { return l }, Advance: c.advance, Except: except}
			})
		})
	}
}
