// Package e2e runs the examples, as their users do, against real servers: Prometheus, the OpenTelemetry
// Collector, PostgreSQL and Redis. It has tests and their helpers only.
//
// The servers' versions are pinned by the modules under servers; the configuration of Prometheus and of the
// collector is the one that README.md shows.
package e2e
