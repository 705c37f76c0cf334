package budget

import "github.com/stagemeter/stagemeter/instrument/money"

// A Balance is the state of an account's first scope right after an operation, from the same atomic
// step.
type Balance struct {
	Limit       money.USD // what may be spent; Unlimited when nothing is refused
	Spent       money.USD // what is gone, with Unconfirmed
	Held        money.USD // what calls under way have reserved
	Own         money.USD // of Spent: holds whose Job is the scope's ID, and not those of nested jobs
	Unconfirmed money.USD // of Spent: booked for expired holds, whose real cost is not known
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
	// Percent of the limit that is spent: 50, 80, 100, or [Exceeded] for the first call that was
	// refused or the first cost that went over the limit, whichever comes first.
	Percent int
	Spent   money.USD
}

// Exceeded is the Percent of a [Crossing] beyond the limit.
const Exceeded = 101
