package e2e

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/internal/testserver"
)

// Who copies a configuration file starts it as it is, in place: the servers' own checks find nothing.
func TestDocumentedConfigurationsAreValid(t *testing.T) {
	for _, tt := range []struct {
		name, program string
		args          []string
	}{
		{"prometheus/scrape.yml", "promtool", []string{"check", "config"}},
		{"prometheus/collector.yml", "promtool", []string{"check", "config"}},
		{"prometheus/otlp.yml", "promtool", []string{"check", "config"}},
		{"collector/collector.yml", "collector", []string{"validate", "--config"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cmd := exec.Command(built(t, tt.program), append(tt.args, docsPath(t, tt.name))...)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s %v: %v\n%s", tt.program, tt.args, err, out)
			}
		})
	}
}

// TestDocumentedStack runs the configuration files together, with the quickstart as the worker: it is scraped,
// and pushes to the collector, which shows the metrics and forwards them by remote write and by OTLP, and the
// spans to a backend. On each way the same series arrive.
func TestDocumentedStack(t *testing.T) {
	t.Parallel()
	worker, scrapeAddr, otlpAddr := testserver.FreeAddr(t), testserver.FreeAddr(t), testserver.FreeAddr(t)
	backendAddr := testserver.FreeAddr(t)
	receiving := docsPrometheus(t, otlpAddr, "otlp.yml", nil)
	backend := startCollector(t, readmeCollector(t, backendAddr, testserver.FreeAddr(t)), backendAddr, receiving.url)
	c := startDocsCollector(t, []string{
		"TRACES_EXPORTERS=[otlp_grpc]",
		"TRACES_ENDPOINT=" + backendAddr,
		"METRICS_EXPORTERS=[prometheus, prometheus_remote_write, otlp_http]",
		"REMOTE_WRITE_URL=http://" + scrapeAddr + "/api/v1/write",
		"OTLP_METRICS_URL=" + receiving.url + "/api/v1/otlp",
	}, nil)
	scraping := docsPrometheus(t, scrapeAddr, "scrape.yml",
		map[string]string{readmeMetrics: worker, "localhost:8888": c.metrics})
	fromPage := docsPrometheus(t, testserver.FreeAddr(t), "collector.yml",
		map[string]string{readmeCollectorOut: c.out, "localhost:8888": c.metrics})
	startQuickstart(t, worker, "OTEL_EXPORTER_OTLP_ENDPOINT=http://"+c.otlp)

	// The first job that is refused has left a trace in every metric that the quickstart has.
	eventually(t, func() error {
		return positive(t, scraping, `video_processing_budget_exceeded_total{job="video-worker"}`)
	})
	for name, way := range map[string]struct {
		prometheus
		job string
	}{
		"the collector's page": {fromPage, "quickstart"},
		"its remote write":     {scraping, "quickstart"},
		"its OTLP":             {receiving, "quickstart"},
	} {
		t.Run(name, func(t *testing.T) {
			eventually(t, func() error {
				want := seriesOf(t, scraping, "video-worker") // after a scrape that took too long it has fewer
				if got := seriesOf(t, way.prometheus, way.job); !slices.Equal(got, want) {
					return fmt.Errorf("%d series, want the %d that are scraped\n%s", len(got), len(want), strings.Join(got, "\n"))
				}
				return positive(t, way.prometheus, `sum(video_processing_budget_exceeded_total{job="`+way.job+`"})`)
			})
		})
	}
	t.Run("targets", func(t *testing.T) {
		for name, of := range map[string]struct {
			prometheus
			jobs []string
		}{
			"scrape.yml":    {scraping, []string{"video-worker", "otel-collector", "prometheus"}},
			"collector.yml": {fromPage, []string{"otel-collector-page", "otel-collector", "prometheus"}},
			"otlp.yml":      {receiving, []string{"prometheus"}},
		} {
			for _, job := range of.jobs {
				eventually(t, func() error {
					if err := positive(t, of.prometheus, `up{job="`+job+`"}`); err != nil {
						return fmt.Errorf("%s: %w", name, err)
					}
					return nil
				})
			}
		}
	})
	t.Run("exemplars", func(t *testing.T) {
		for name, p := range map[string]prometheus{"scrape.yml": scraping, "collector.yml": fromPage, "otlp.yml": receiving} {
			eventually(t, func() error {
				if len(p.traceIDs(t, `video_processing_duration_seconds_bucket`)) == 0 {
					return fmt.Errorf("%s: no exemplar with a trace id", name)
				}
				return nil
			})
		}
	})
	t.Run("spans", func(t *testing.T) {
		eventually(t, func() error {
			if len(backend.spans(t)) == 0 {
				return fmt.Errorf("the backend has received no span")
			}
			return nil
		})
	})
	t.Run("the collector's own", func(t *testing.T) {
		for _, name := range []string{
			"otelcol_receiver_accepted_metric_points", "otelcol_receiver_accepted_spans",
			"otelcol_exporter_sent_metric_points", "otelcol_exporter_sent_spans",
			"otelcol_exporter_queue_capacity", "otelcol_process_uptime", "otelcol_process_memory_rss",
		} {
			eventually(t, func() error { return positive(t, scraping, `sum(`+name+`{job="otel-collector"})`) })
		}
	})
}

// TestCollectorTellsItsTrouble: what goes wrong in a collector shows in the metrics of its own that the alerts
// select, by these names.
func TestCollectorTellsItsTrouble(t *testing.T) {
	t.Parallel()
	addr, worker := testserver.FreeAddr(t), testserver.FreeAddr(t)
	failing := startDocsCollector(t, []string{
		"TRACES_EXPORTERS=[otlp_grpc]", // to where nothing listens: they wait in the queue
		"TRACES_ENDPOINT=" + testserver.FreeAddr(t),
		"METRICS_EXPORTERS=[otlp_http]",
		"OTLP_METRICS_URL=http://" + addr + "/nothing-here", // 404 is for good: they are dropped
	}, nil)
	full := startDocsCollector(t, nil, func(c config) {
		limiter := c.at("processors", "memory_limiter")
		limiter["limit_mib"], limiter["spike_limit_mib"] = 2, 1 // less than any collector takes
	})
	overflowing := startDocsCollector(t, []string{"TRACES_EXPORTERS=[otlp_grpc]", "TRACES_ENDPOINT=" + testserver.FreeAddr(t)},
		func(c config) {
			c.at("exporters", "otlp_grpc", "sending_queue")["queue_size"] = 1
			c.at("exporters", "otlp_grpc", "sending_queue")["num_consumers"] = 1
		})
	var collectors []docsCollector
	for _, c := range []docsCollector{failing, full, overflowing} {
		collectors = append(collectors, c)
		startQuickstart(t, testserver.FreeAddr(t), "OTEL_EXPORTER_OTLP_ENDPOINT=http://"+c.otlp)
	}
	targets := make([]string, len(collectors))
	for i, c := range collectors {
		targets[i] = c.metrics
	}
	p := docsPrometheus(t, addr, "scrape.yml", map[string]string{
		readmeMetrics:      worker,
		`"localhost:8888"`: `"` + strings.Join(targets, `", "`) + `"`,
	})
	for _, tt := range []struct {
		of   docsCollector
		name string
	}{
		{failing, "otelcol_exporter_send_failed_metric_points"},
		{failing, "otelcol_exporter_queue_size"},
		{failing, "otelcol_exporter_queue_capacity"},
		{full, "otelcol_receiver_refused_metric_points"},
		{full, "otelcol_receiver_refused_spans"},
		{full, "otelcol_processor_memory_limiter_refused_spans"},
		{overflowing, "otelcol_exporter_enqueue_failed_spans"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			eventually(t, func() error {
				return positive(t, p, `sum(`+tt.name+`{job="otel-collector",instance="`+tt.of.metrics+`"})`)
			})
		})
	}
}

// eventually tries until check returns nil, and fails the test when it never does.
func eventually(t *testing.T, check func() error) {
	t.Helper()
	for deadline := time.Now().Add(settleWithin); ; time.Sleep(200 * time.Millisecond) {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// positive: the expression has values, and all are above 0.
func positive(t *testing.T, p prometheus, expr string) error {
	t.Helper()
	found := p.query(t, expr)
	if len(found) == 0 {
		return fmt.Errorf("%s: nothing", expr)
	}
	for _, s := range found {
		if !(s.Value > 0) {
			return fmt.Errorf("%s: %v", expr, s)
		}
	}
	return nil
}

// seriesOf are the series that a job has now, as a user selects them, but for those of single video jobs, which
// come and go. It is by name and labels alone: a remote write has no types. Labels of the scope are in the way.
func seriesOf(t *testing.T, p prometheus, job string) []string {
	t.Helper()
	var all []string
	for _, found := range p.query(t, `{__name__=~"video_processing_.+",job="`+job+`",job_id=""}`) {
		for label := range found.Metric {
			if strings.HasPrefix(string(label), "otel_scope_") {
				t.Errorf("%v has a label of the instrumentation scope", found.Metric)
			}
		}
		delete(found.Metric, "__type__")
		all = append(all, newSeries(found.Metric).String())
	}
	slices.Sort(all)
	return all
}
