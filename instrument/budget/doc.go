// Package budget bounds what jobs, tenants, days and months may spend. It has the contract of a
// [Ledger], the ledger in memory, slices of a ledger that is far away, and the refusal of a call that
// no longer fits. It imports package money and no OpenTelemetry.
//
// A program that only sets budgets needs package instrument: instrument.WithBudget,
// instrument.BudgetError. Import this package to write a ledger of your own, and package budgettest
// to check it.
//
// A paid call goes through three operations of an [Account], each with the call's [Hold]:
//
//   - Reserve, before the call, holds the most that it can cost, in all scopes or in none.
//   - Settle, after it, books what it cost, and frees the rest.
//   - Release frees a hold whose call was never sent.
//
// If none of the last two comes before the lease of the hold is over, because the worker died, the
// hold expires: its floor is booked, unconfirmed.
package budget
