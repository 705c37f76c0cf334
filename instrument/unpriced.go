package instrument

// An UnpricedPolicy says what a budget does with a call whose price is unknown before it is made:
// one with [WithUnknownCost], or with a [WithMaxCost] that is no amount. The zero UnpricedPolicy is
// that of [DenyUnpriced].
type UnpricedPolicy struct {
	passes  bool
	reserve USD // of a call that passes
}

// DenyUnpriced refuses the call with a [*BudgetError] whose Unpriced says why. It is the default.
func DenyUnpriced() UnpricedPolicy { return UnpricedPolicy{} }

// ReserveUnpriced reserves amount for the call, and refuses it if that does not fit. If the price
// is still unknown when the call ends, the budget loses the amount, unconfirmed, while
// video_processing_cost_usd_total and [Job.Cost] do not have it: nobody knows that it was spent.
func ReserveUnpriced(amount USD) UnpricedPolicy {
	return UnpricedPolicy{passes: true, reserve: amount}
}

// AllowUnpriced passes the call while anything is left. If the price is still unknown when the call
// ends, the budget loses nothing.
func AllowUnpriced() UnpricedPolicy { return UnpricedPolicy{passes: true} }
