// Package money has amounts of US dollars that are exact to the nano-dollar. It imports nothing of
// stagemeter's and no OpenTelemetry, so that price tables, ledgers and programs can share it.
//
// [USD] is an int64, like time.Duration: constants multiply (2*money.Dollar). [Sum] and [Mul]
// compute with amounts that are not constants, since plain + and * wrap around at the end of the
// range. A [Rate] prices usage:
//
//	money.PerMinute(6 * money.Cent / 10).Of(audio)
package money
