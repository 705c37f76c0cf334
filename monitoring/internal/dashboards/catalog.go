package dashboards

import (
	"slices"
	"strings"

	"github.com/stagemeter/stagemeter/internal/registry"
)

// namespace is what the registry's metrics have in common; queries leave it out.
const namespace = "video.processing."

// metric is one that queries may name.
type metric struct {
	prometheus string // empty: any metric
	registered bool   // is in the registry
	kind       registry.Kind
	labels     map[string][]string // with their values; nil if these are not known
}

// catalog is every metric that queries may name, by the name that they use: "jobs", "up".
type catalog map[string]metric

// newCatalog returns the metrics of the registry, and the foreign metrics of the telemetry page.
func newCatalog(metrics []registry.Metric) catalog {
	c := make(catalog)
	for name, labels := range foreign {
		m := metric{prometheus: name, labels: make(map[string][]string)}
		if name == anyMetric {
			m.prometheus = ""
		}
		for _, label := range labels {
			m.labels[label] = nil
		}
		c[name] = m
	}
	for _, r := range metrics {
		m := metric{prometheus: r.Prometheus, registered: true, kind: r.Kind, labels: make(map[string][]string)}
		for _, a := range r.Attributes {
			m.labels[a.Label] = a.Values
		}
		c[shortName(r)] = m
	}
	return c
}

// anyMetric stands for a selector without a name.
const anyMetric = "any"

// foreign are the metrics that are not the registry's, with the labels that the dashboards use besides job and
// instance: of Prometheus, and of the collector, whose counters end in _total or not, as it is configured.
var foreign = func() map[string][]string {
	m := map[string][]string{
		anyMetric:                                       {"otel_metric_overflow", "__name__"},
		"ALERTS":                                        {"alertname", "alertstate"},
		"up":                                            nil,
		"scrape_duration_seconds":                       nil,
		"scrape_samples_scraped":                        nil,
		"prometheus_build_info":                         nil,
		"otelcol_exporter_queue_size":                   {"exporter"},
		"otelcol_exporter_queue_capacity":               {"exporter"},
		"otelcol_process_memory_rss":                    nil,
		"otelcol_process_memory_rss_bytes":              nil,
		"prometheus_rule_evaluation_failures_total":     {"rule_group"},
		"prometheus_rule_group_iterations_missed_total": {"rule_group"},
		"prometheus_rule_group_last_duration_seconds":   {"rule_group"},
	}
	for _, name := range []string{
		"receiver_accepted", "receiver_refused", "exporter_sent", "exporter_send_failed", "exporter_enqueue_failed",
	} {
		part, _, _ := strings.Cut(name, "_")
		for _, signal := range []string{"metric_points", "spans"} {
			m["otelcol_"+name+"_"+signal] = []string{part}
			m["otelcol_"+name+"_"+signal+"_total"] = []string{part}
		}
	}
	return m
}()

// allows tells whether a matcher of a label may compare with a value: closed sets of values hold every alternative.
func (m metric) allows(label, value string) bool {
	values := m.labels[label]
	if values == nil || strings.Contains(value, "$") {
		return true
	}
	for part := range strings.SplitSeq(value, "|") {
		if !slices.Contains(values, part) {
			return false
		}
	}
	return true
}
