// Package seam has what package instrument lends to its own packages beside its API. Package
// instrument sets the functions.
package seam

import "time"

// EndLater ends an *instrument.Call as its End does, and waits for no ledger that is not in memory:
// the queue tells it what the call cost.
var EndLater func(call any, errp *error)

// PricesChecked says of when the prices are that an *instrument.Call is priced with. Its pipeline
// shows the oldest.
var PricesChecked func(call any, at time.Time)
