// Package errs looks at errors without trusting them: their methods may panic, and they may wrap
// themselves. It decides the error_type of an error, and remembers which errors were counted. It
// has no state and no OpenTelemetry.
package errs
