// Package money has amounts of US dollars that are exact to the nano-dollar. It imports nothing of
// stagemeter's and no OpenTelemetry, so that price tables, ledgers and programs can share it.
//
// [USD] is an int64, like time.Duration: constants multiply (2*money.Dollar), and [Sum] adds
// amounts that come from outside, since plain + wraps around at the end of the range.
package money
