// Package collect reads metrics from the OpenTelemetry SDK in a way that survives the program's
// mistakes.
//
// A [Source] is a reader that a scrape and a push share. Its collections can be abandoned, and
// survive callbacks that return an error, panic or block. It knows which instruments have more
// series than allowed. [Views] gives every instrument reservoirs that keep the newest exemplars,
// and makes texts valid UTF-8.
//
// It imports report, and no exporter of a format or a protocol.
package collect
