// Package remote asks a ledger that may be slow or away. It bounds each operation in time, asks a
// ledger that keeps failing no more than once in a while, and delivers later what could not be
// delivered at once.
package remote
