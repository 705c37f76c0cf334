// Package budget bounds what jobs may spend. It has the contract of a [Ledger], the ledger in
// memory, and the refusal of a call that no longer fits. It imports package money and no
// OpenTelemetry.
//
// A program that only sets budgets needs package instrument: instrument.WithBudget,
// instrument.BudgetError. Import this package to write a ledger of your own, and package budgettest
// to check it.
package budget
