// Package scrape answers the scrapes of Prometheus: it negotiates a format and a compression,
// collects from a [collect.Source] and writes the answer.
//
// Clients of the same format and compression share an answer, so slow ones take no memory of their
// own.
//
// [Handler] writes the text formats itself, with package exposition. It leaves the other formats,
// and metrics that exposition cannot write, to the upstream exporter and promhttp. The tests
// compare both ways line by line. [Handler.Health] has the figures of both.
//
// It imports report, collect and exposition.
package scrape
