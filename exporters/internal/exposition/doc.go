// Package exposition writes the metrics of an OpenTelemetry reader in the text formats of
// Prometheus: text/plain, and OpenMetrics with exemplars.
//
// It is the fast path of a scrape. At every scrape the upstream exporter converts each point to a
// protocol buffer, checks, sorts and prints it. This package makes, checks and sorts the labels of
// a series when it first appears; a scrape prints its values after them. To a parser both answers
// are the same: the tests of package scrape compare them.
//
// It does not write what might differ: [Exposition.Update] returns an error, and the caller lets
// the upstream exporter answer. That happens for two metrics or two series with the same name,
// labels that Prometheus does not accept, exponential histograms, and buckets that differ within a
// metric.
package exposition
