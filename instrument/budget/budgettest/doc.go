// Package budgettest checks a ledger against the duties that budget.Ledger lists, as
// testing/slogtest checks a slog.Handler.
//
//	func TestMyLedger(t *testing.T) {
//		budgettest.TestLedger(t, func(t *testing.T) budget.Ledger { return myledger.New(address(t)) })
//	}
package budgettest
