package dashboards

import "strings"

// telemetryAlerts are those of pipelines, collectors and Prometheus itself, also while these are down.
const telemetryAlerts = `@@ALERTS{alertstate="firing", job=~"$job"} and on (job) group by (job) (last_over_time(` +
	`@@any{__name__=~"jobs_in_progress|otelcol_process_memory_rss|otelcol_process_memory_rss_bytes|` +
	`prometheus_build_info", job=~"$job"}[1h]))`

// telemetry is the page that says whether the other pages can be believed.
func telemetry() dashboard {
	return newDashboard("telemetry", text{
		"stagemeter / Telemetry health",
		"Whether the other dashboards can be believed: scrapes, exports, values that were not recorded, collector, rules. " +
			"Job and Instance choose among all targets, the collector's and Prometheus's own too.",
	}, targetVariables(), telemetryAlerts,
		scrapes(), exports(), recorded(), collector(), rules())
}

func scrapes() row {
	return row{title: "Scrapes", panels: []*panel{
		stat(text{"Targets down", "Targets whose last scrape failed."},
			"short", query{"count(@up == 0) or vector(0)", "down"}).limits("green", limit{1, "red"}).decimals(0).size(4, 8),
		graph(text{"Targets up", "Share of the targets of a job whose scrape succeeded."},
			"percentunit", query{"avg by (job) (@up)", "{{job}}"}).bounds(0, 1).size(6, 8),
		graph(text{"Scrape duration", "Time that the slowest scrape of a job took. It must stay below the scrape's timeout."},
			"s", query{"max by (job) (@scrape_duration_seconds)", "{{job}}"}).size(7, 8),
		graph(text{"Samples by job", "Samples that the scrapes of a job gave: growth without end is a label without bounds."},
			"short", query{"sum by (job) (@scrape_samples_scraped)", "{{job}}"}).size(7, 8),
	}}
}

func exports() row {
	return row{title: "Exports", panels: []*panel{
		stat(text{"Export failures", "Exports over OTLP that failed in this time."},
			"short", query{inRange("export_failures"), "failures"}).limits("green", limit{0.5, "red"}).decimals(0).
			empty("nothing is exported over OTLP").size(4, 8),
		graph(text{
			"Export failures by signal, per hour",
			"Metrics that could not be sent are sent later; spans are lost.",
		}, "short", query{perHour("export_failures", "job, signal"), "{{job}} {{signal}}"}).
			empty("nothing is exported over OTLP").size(20, 8),
	}}
}

func recorded() row {
	return row{title: "Values and cardinality", panels: []*panel{
		graph(text{
			"Invalid values, per hour",
			"Values that could not be recorded as given, by the metric that would have had them and by reason.",
		}, "short", query{perHour("invalid_values", "metric, reason") + " > 0", "{{metric}} {{reason}}"}).
			empty("none").size(12, 8),
		table(text{"Invalid values", "Values of this time that could not be recorded as given."},
			"short", [][2]string{{"metric", "Metric"}, {"reason", "Reason"}, {"Value", "Values"}},
			query{"sort_desc(sum by (metric, reason) (round(increase(@invalid_values[$__range]))) > 0)", ""}).
			decimals(0).empty("none").size(12, 8),
		stat(text{
			"Jobs not shown",
			"Jobs of this time without all series of their own, because too many were live. The totals are exact.",
		}, "short", query{inRange("jobs_unshown"), "jobs"}).limits("green", limit{0.5, "orange"}).decimals(0).size(6, 8),
		stat(text{
			"Metrics in overflow",
			"Metrics with more sets of attributes than the SDK keeps apart: what is past the limit is one series.",
		}, "short", query{`count(count by (__name__) (@any{otel_metric_overflow="true"})) or vector(0)`, "metrics"}).
			limits("green", limit{1, "red"}).decimals(0).size(6, 8),
		table(text{
			"Metrics in overflow by program",
			"Series that gather what was past the SDK's limit of sets of attributes.",
		}, "short", [][2]string{{"job", "Program"}, {"__name__", "Metric"}, {"Value", "Series"}},
			query{`sort_desc(count by (job, __name__) (@any{otel_metric_overflow="true"}))`, ""}).
			decimals(0).empty("none").size(12, 8),
	}}
}

// both asks for metric points and spans.
func both(counter, by string) []query {
	legend := "{{" + by + "}}"
	return []query{
		{collected(counter+"_metric_points", by), "metric points " + legend},
		{collected(counter+"_spans", by), "spans " + legend},
	}
}

func collector() row {
	failed := append(both("exporter_send_failed", "exporter"), both("exporter_enqueue_failed", "exporter")...)
	for i, how := range []string{"not sent: ", "not sent: ", "queue full: ", "queue full: "} {
		failed[i].legend = how + strings.TrimSpace(failed[i].legend)
	}
	return row{title: "Collector", panels: []*panel{
		graph(text{"Accepted", "What the collector's receivers took in, per second."},
			"cps", both("receiver_accepted", "receiver")...).empty("no collector, or its own metrics are not scraped"),
		graph(text{"Refused", "What the receivers could not pass on, per second: the senders retry or lose it."},
			"cps", both("receiver_refused", "receiver")...).empty("nothing was ever refused"),
		graph(text{"Sent", "What the exporters delivered, per second."},
			"cps", both("exporter_sent", "exporter")...).empty("no collector, or its own metrics are not scraped"),
		graph(text{"Failed", "What the exporters lost, per second: after all retries, or because the queue was full."},
			"cps", failed...).empty("nothing ever failed"),
		graph(text{"Queue", "Share of an exporter's sending queue that is in use. Once full, data is lost."},
			"percentunit", query{
				"max by (exporter) (@otelcol_exporter_queue_size / (@otelcol_exporter_queue_capacity > 0))", "{{exporter}}",
			}).bounds(0, 1).limits("green", limit{0.8, "red"}).empty("no exporter with a queue"),
		graph(text{"Memory", "Resident memory of the collector."},
			"bytes", query{
				"max by (job, instance) (@otelcol_process_memory_rss_bytes or @otelcol_process_memory_rss)", "{{job}} {{instance}}",
			}).empty("no collector, or its own metrics are not scraped"),
	}}
}

func rules() row {
	return row{title: "Prometheus rules", panels: []*panel{
		graph(text{"Rule evaluation failures, per hour", "Rules that could not be evaluated: their alerts can't fire."},
			"short", query{perHour("prometheus_rule_evaluation_failures_total", "rule_group"), "{{rule_group}}"}).
			empty("Prometheus does not scrape itself, or has no rules"),
		graph(text{"Rule evaluations missed, per hour", "Evaluations left out because the one before took too long."},
			"short", query{perHour("prometheus_rule_group_iterations_missed_total", "rule_group"), "{{rule_group}}"}).
			empty("Prometheus does not scrape itself, or has no rules"),
		graph(text{"Rule evaluation time", "Time that the last evaluation of a group took. It must stay below its interval."},
			"s", query{"max by (rule_group) (@prometheus_rule_group_last_duration_seconds)", "{{rule_group}}"}).
			empty("Prometheus does not scrape itself, or has no rules"),
	}}
}
