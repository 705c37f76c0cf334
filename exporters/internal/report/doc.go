// Package report writes log lines and error texts that are fit for people: short, on one line,
// valid UTF-8, and not repeated with every scrape.
//
// It imports only the standard library. Every other room of package exporters may import it.
package report
