package budget

import (
	"time"

	"github.com/stagemeter/stagemeter/instrument/money"
)

// A Hold is the reservation of one call. Of a Settle only ID, Job, Attempt, API and Unconfirmed
// matter, and of a Release only the first four: the ledger remembers the rest.
type Hold struct {
	ID      string // unique among all processes that share the ledger
	Job     string // the innermost job that makes the call
	Attempt int    // at the job, from 1; 0 if unknown
	API     string
	Amount  money.USD     // the most that the call can cost
	Free    bool          // the call costs nothing: with Amount 0 it passes an exhausted budget
	Floor   money.USD     // what an expired hold books; 0 for Amount
	Lease   time.Duration // after which the hold expires unless it was ended; 0 or less for never

	// Unconfirmed is how much of the cost of a Settle is not known, from 0 to that cost. It counts as
	// Balance.Unconfirmed until a later Settle or Release of the hold confirms the cost.
	Unconfirmed money.USD
}
