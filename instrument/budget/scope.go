package budget

import "github.com/stagemeter/stagemeter/instrument/money"

// A Kind says what a [Scope] bounds.
type Kind string

// Kinds of scopes. A day and a month are those of UTC by the clock of the ledger, at the time of
// the Reserve; a hold stays in the window that it was reserved in.
const (
	Job    Kind = "job"    // one job, over all its attempts
	Tenant Kind = "tenant" // a customer, a project: what is spent there never starts afresh by itself
	Day    Kind = "day"    // what the ID spends in one calendar day
	Month  Kind = "month"  // what the ID spends in one calendar month
)

// A Scope is one budget that a call has to fit into.
type Scope struct {
	Kind  Kind
	ID    string
	Limit money.USD // money.Unlimited for none, 0 to refuse everything
}
