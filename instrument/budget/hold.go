package budget

import (
	"time"

	"github.com/stagemeter/stagemeter/instrument/money"
)

// A Hold is the reservation of one call. Of a Settle or a Release only ID, Job, Attempt and API
// matter: the ledger remembers the rest.
type Hold struct {
	ID      string // unique among all processes that share the ledger
	Job     string // the innermost job that makes the call
	Attempt int    // at the job, from 1; 0 if unknown
	API     string
	Amount  money.USD     // the most that the call can cost
	Free    bool          // the call costs nothing: with Amount 0 it passes an exhausted budget
	Floor   money.USD     // what an expired hold books; 0 for Amount
	Lease   time.Duration // after which the hold expires unless it was ended; 0 or less for never
}
