// Package alerts makes Prometheus's recording rules and alerts of three things:
//
//   - rules/*.yml says what is asked, in PromQL, and what is told, one file for each concern;
//   - settings.yml has every number, and a user's file overrides what it names;
//   - package semconv has the metrics, so that a renamed metric, an unknown label or a threshold between two
//     boundaries of a histogram is an error here and not an alert that never fires.
//
// A rule source is a text/template between << and >>, as {{ and }} are Prometheus's own. Its functions are
// documented at [scope].
package alerts
