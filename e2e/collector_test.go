package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stagemeter/stagemeter/internal/testserver"
)

// collector is a running OpenTelemetry Collector.
type collector struct {
	spanFile string
}

// startCollector starts the collector as configured, and has it write the spans that it receives to a file
// besides, and forward the metrics to Prometheus's own OTLP receiver.
func startCollector(t *testing.T, c config, otlpAddr, prometheusURL string) collector {
	t.Helper()
	spanFile := filepath.Join(t.TempDir(), "spans.jsonl")
	exporters := c.at("exporters")
	exporters["file"] = config{"path": spanFile, "flush_interval": "200ms"}
	exporters["otlp_http"] = config{"endpoint": prometheusURL + "/api/v1/otlp"}
	addExporter(t, c, "metrics", "otlp_http")
	addExporter(t, c, "traces", "file")
	c.at("service", "telemetry", "metrics")["level"] = "none" // it would take a port of its own

	cmd := exec.Command(built(t, "collector"), "--config="+c.write(t, "collector.yml"))
	testserver.Start(t, "collector", cmd).WaitReady(t, testserver.Listening(otlpAddr))
	return collector{spanFile: spanFile}
}

func addExporter(t *testing.T, c config, pipeline, name string) {
	t.Helper()
	p := c.at("service", "pipelines", pipeline)
	if p["receivers"] == nil {
		t.Fatalf("the collector's configuration has no pipeline for %s: it would refuse what the program pushes", pipeline)
	}
	exporters, _ := p["exporters"].([]any)
	p["exporters"] = append(exporters, name)
}

// span is what the tests read of a span in OTLP's JSON.
type span struct {
	TraceID string `json:"traceId"`
	Name    string `json:"name"`
}

// spans are those that the collector has received and written so far.
func (c collector) spans(t *testing.T) []span {
	t.Helper()
	file, err := os.Open(c.spanFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	var spans []span
	for lines := bufio.NewReader(file); ; {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return spans // the last line may be half written
		}
		var batch struct {
			ResourceSpans []struct {
				ScopeSpans []struct {
					Spans []span `json:"spans"`
				} `json:"scopeSpans"`
			} `json:"resourceSpans"`
		}
		if err := json.Unmarshal(line, &batch); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		for _, resource := range batch.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				spans = append(spans, scope.Spans...)
			}
		}
	}
}
