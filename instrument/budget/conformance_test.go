package budget_test

import (
	"testing"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/budget/budgettest"
)

func TestMemoryLedger(t *testing.T) {
	budgettest.TestLedger(t, func(*testing.T) budgettest.Store {
		c := newClock()
		l := budget.NewMemoryLedger(budget.WithClock(c.Now))
		return budgettest.Store{Open: func() budget.Ledger { return l }, Advance: c.advance}
	})
}
