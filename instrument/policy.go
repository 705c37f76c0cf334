package instrument

// A LedgerPolicy says what becomes of a paid call whose ledger cannot be asked: [LedgerOpen],
// [LedgerClosed] or [LedgerLease]. The ledger in memory always answers.
type LedgerPolicy struct {
	closed bool
	slice  USD
	leased bool
}

// LedgerOpen makes the call. What it costs is booked as soon as the ledger answers. Until then a
// budget may be overspent.
func LedgerOpen() LedgerPolicy { return LedgerPolicy{} }

// LedgerClosed refuses the call with a [*BudgetError] whose Err matches budget.ErrUnavailable, or
// budget.ErrLost if the ledger has lost the account.
func LedgerClosed() LedgerPolicy { return LedgerPolicy{closed: true} }
