package instrument

import "time"

// defaultLease is the lease of a hold whose call does not say, and of a slice.
const defaultLease = time.Hour

// A LedgerPolicy says what becomes of a paid call whose ledger cannot be asked: [LedgerOpen],
// [LedgerClosed] or [LedgerLease]. The ledger in memory always answers.
type LedgerPolicy struct {
	closed bool
	leased bool
	slice  USD
}

// LedgerOpen makes the call. What it costs is booked as soon as the ledger answers. Until then a
// budget may be overspent.
func LedgerOpen() LedgerPolicy { return LedgerPolicy{} }

// LedgerClosed refuses the call with a [*BudgetError] whose Err matches budget.ErrUnavailable, or
// budget.ErrLost if the ledger has lost the account.
func LedgerClosed() LedgerPolicy { return LedgerPolicy{closed: true} }

// LedgerLease makes the call as long as it fits into what is left of a slice that the ledger has
// held for the account, for an hour, before it went away; then it refuses it as [LedgerClosed] does.
// A job takes a slice at its first call, and another when that is spent, so it also asks the ledger
// less often: see budget.Sliced, which says what that costs. While the ledger stops answering, a
// call may wait six times as long as [WithLedgerTimeout] says. The slice must be above 0.
func LedgerLease(slice USD) LedgerPolicy {
	return LedgerPolicy{closed: true, leased: true, slice: slice}
}
