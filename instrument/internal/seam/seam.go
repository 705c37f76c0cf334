// Package seam has what package instrument lends to its own packages beside its API. Package
// instrument sets the functions.
package seam

// EndLater ends an *instrument.Call as its End does, and waits for no ledger that is not in memory:
// the queue tells it what the call cost.
var EndLater func(call any, errp *error)
