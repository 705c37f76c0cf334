package budget

import "github.com/stagemeter/stagemeter/instrument/money"

// A Balance is the state of an account's first scope right after an operation, from the same atomic
// step.
type Balance struct {
	Limit       money.USD // what may be spent; Unlimited when nothing is refused
	Spent       money.USD // what is gone, with Unconfirmed
	Held        money.USD // what calls under way have reserved
	Own         money.USD // of Spent: holds whose Job is the scope's ID, and not those of nested jobs
	Unconfirmed money.USD // of Spent: booked for expired holds and for costs that are not known
	Expired     Expired
	Crossed     []Crossing // nil unless this operation tells of one
}

// Expired is what one operation has swept.
type Expired struct {
	Holds  int
	Amount money.USD // that was booked for them
}

// A Crossing is a threshold that an account has reached.
type Crossing struct {
	Scope Scope
	// Percent is the share of the limit that is spent, 50, 80 or 100, or [Exceeded].
	Percent int
	Spent   money.USD
}

// Exceeded is the Percent of a [Crossing] that is no share: the first call was refused because it
// did not fit, or the first cost went over the limit, whichever comes first. A refusal may come when
// 90 % is spent, so before the 100 or without it.
const Exceeded = 101
