// Package once has the hold of a call that package instrument reserves at most once and ends
// exactly once. The ledger in memory keeps such a hold without an id and without an allocation.
package once

import (
	"time"

	"github.com/stagemeter/stagemeter/instrument/money"
)

// A Hold is a part of the call that it belongs to. Its account links the holds under way, so it
// must not be copied or changed between ReserveOnce and the end. The caller sets the first five
// fields; the others are the account's, and guarded by its mutex.
type Hold struct {
	Own    bool          // the call is made by the job that the account is named after, not by a nested one
	Free   bool          // as in budget.Hold, like the next three
	Amount money.USD     // the most that the call can cost
	Floor  money.USD     // what an expired hold books; 0 for Amount
	Lease  time.Duration // 0 or less for a hold that never expires

	State      State
	Forgotten  uint32        // how often the account was forgotten before the hold expired or ended
	Expires    time.Duration // on the clock of the ledger
	Booked     money.USD     // what was booked when the hold expired or was settled
	Prev, Next *Hold         // in the account's list by Expires, while under way with a lease
	Owner      any           // the ledger's record of a hold with an id; nil for others

	Unconfirmed money.USD // of Booked
}

// A State says how far a hold is.
type State uint8

// States of a hold. The zero State is a hold that was not reserved.
const (
	UnderWay State = iota + 1
	Expired
	Settled
	Released
)
