package e2e

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stagemeter/stagemeter/internal/testserver"
)

// docsPath is a file of docs.
func docsPath(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(root, "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// docsConfig is a configuration file of docs, at the test's addresses.
func docsConfig(t *testing.T, name string, addresses map[string]string) config {
	t.Helper()
	text, err := os.ReadFile(docsPath(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return parseConfig(t, atAddresses(t, string(text), addresses))
}

// docsPrometheus starts Prometheus at addr with a file of docs/prometheus, its rules included. It scrapes twice
// a second.
func docsPrometheus(t *testing.T, addr, name string, addresses map[string]string) prometheus {
	t.Helper()
	all := map[string]string{"localhost:9090": addr}
	for documented, actual := range addresses {
		all[documented] = actual
	}
	name = filepath.Join("prometheus", name)
	c := docsConfig(t, name, all)
	rules, _ := c["rule_files"].([]any)
	for i, rule := range rules {
		rules[i] = filepath.Join(filepath.Dir(docsPath(t, name)), rule.(string))
	}
	c.at("global")["scrape_interval"], c.at("global")["scrape_timeout"] = "500ms", "500ms"
	c.at("global")["evaluation_interval"] = "500ms"
	return startPrometheus(t, addr, c)
}

// docsCollector is a running collector with docs/collector/collector.yml.
type docsCollector struct {
	otlp    string // takes OTLP by gRPC
	out     string // shows what it received, for Prometheus
	metrics string // shows its own metrics
}

// startDocsCollector starts the collector at free addresses. The environment chooses its exporters; edit may
// change the rest.
func startDocsCollector(t *testing.T, env []string, edit func(config)) docsCollector {
	t.Helper()
	d := docsCollector{otlp: testserver.FreeAddr(t), out: testserver.FreeAddr(t), metrics: testserver.FreeAddr(t)}
	health := testserver.FreeAddr(t)
	c := docsConfig(t, "collector/collector.yml", map[string]string{
		readmeOTLP:         d.otlp,
		"localhost:4318":   testserver.FreeAddr(t),
		readmeCollectorOut: d.out,
		"localhost:13133":  health,
	})
	readers := c.at("service", "telemetry", "metrics").list("readers")
	if len(readers) != 1 {
		t.Fatalf("the collector shows its own metrics in %d ways, want 1", len(readers))
	}
	host, port, err := net.SplitHostPort(d.metrics)
	if err != nil {
		t.Fatal(err)
	}
	own := readers[0].at("pull", "exporter", "prometheus")
	if own["host"] != "localhost" || own["port"] != 8888 {
		t.Fatalf("the collector's own metrics are at %v:%v, not at localhost:8888", own["host"], own["port"])
	}
	own["host"] = host
	if own["port"], err = strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	if edit != nil {
		edit(c)
	}
	cmd := exec.Command(built(t, "collector"), "--config="+c.write(t, "collector.yml"))
	cmd.Env = append(os.Environ(), env...)
	testserver.Start(t, "collector", cmd).WaitReady(t, func(ctx context.Context) error {
		return getOK(ctx, "http://"+health)
	})
	return d
}

// startQuickstart starts the quickstart, which works until the test ends, serving at addr.
func startQuickstart(t *testing.T, addr string, env ...string) *testserver.Process {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(built(t, "race"), "quickstart"))
	cmd.Env = append(os.Environ(), append([]string{
		"OTEL_EXPORTER_PROMETHEUS_HOST=" + host,
		"OTEL_EXPORTER_PROMETHEUS_PORT=" + port,
		"OTEL_METRIC_EXPORT_INTERVAL=500",
		"OTEL_BSP_SCHEDULE_DELAY=500",
	}, env...)...)
	p := testserver.Start(t, "quickstart", cmd)
	p.WaitReady(t, testserver.Listening(addr))
	return p
}
