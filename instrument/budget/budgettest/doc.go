// Package budgettest checks a ledger against the duties that budget.Ledger lists, as
// testing/slogtest checks a slog.Handler. See [TestLedger].
package budgettest
