// Package exposition writes what an OpenTelemetry reader has collected in the
// text formats of Prometheus: text/plain, and OpenMetrics with exemplars.
//
// It is the fast path of a scrape. The upstream exporter turns every point into
// a protocol buffer, checks it, sorts them all and prints them, each time anew;
// here the labels of a series are made, checked and sorted when it first
// appears, and a scrape prints its values behind them. The answer is the same,
// as far as a parser can tell; the tests of package exporters compare the two.
//
// What it can't vouch for it doesn't write: [Exposition.Update] returns an
// error, and the caller has the upstream exporter answer. Such are two metrics
// or two series with one name, labels that Prometheus doesn't take, exponential
// histograms, and buckets that differ within one metric.
package exposition
