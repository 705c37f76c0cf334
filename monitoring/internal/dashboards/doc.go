// Package dashboards makes the Grafana dashboards of docs/dashboards, as typed Go that becomes JSON.
//
// A dashboard is rows of panels, and a panel's queries name metrics by the registry: [Generate] puts the Prometheus
// names and the matchers of the variables in (see reference), and fails if a query names a metric, a label or a value
// that does not exist. A metric of the registry that is in no panel gets default panels (see otherMetrics).
//
// What holds for every query:
//
//   - It matches job=~"$job" and instance=~"$instance".
//   - It gives no sample where there is nothing to say, never NaN: denominators end in "> 0", quantiles in ">= 0".
//   - It adds up what may be added: jobs by their terminal statuses, series over instances, never a gain in decibels.
//   - Series of single jobs are asked for at one instant, never over a range, where every job that ever ran would show.
//   - Bounds of buckets are the same on every way, "2" and not "2.0" (see byBound).
package dashboards
