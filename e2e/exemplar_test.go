package e2e

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

// exemplarTrace finds the trace ids in OpenMetrics text: `… # {span_id="…",trace_id="…"} 0.2 1.7e+09`.
var exemplarTrace = regexp.MustCompile(` # \{[^}]*trace_id="([0-9a-f]{32})"`)

// testExemplars: a user who sees a slow bucket gets from its exemplar to the very trace.
func testExemplars(t *testing.T, p prometheus, c collector, e editor) {
	contentType, body := scrape(t, e.metricsURL, "application/openmetrics-text; version=1.0.0")
	if !strings.HasPrefix(contentType, "application/openmetrics-text") {
		t.Errorf("a client that asks for OpenMetrics gets %q", contentType)
	}
	inText := map[string]bool{}
	for _, match := range exemplarTrace.FindAllSubmatch(body, -1) {
		inText[string(match[1])] = true
	}

	// The editor's last spans may still be on their way.
	var traces map[string]bool
	for deadline := time.Now().Add(settleWithin); ; time.Sleep(200 * time.Millisecond) {
		traces = map[string]bool{}
		for _, s := range c.spans(t) {
			traces[s.TraceID] = true
		}
		if len(missing(inText, traces)) == 0 || time.Now().After(deadline) {
			break
		}
	}

	for source, ids := range map[string]map[string]bool{
		"the OpenMetrics text":                      inText,
		"Prometheus, from its scrape":               p.traceIDs(t, `{__name__=~"video_processing_.+", way="scrape"}`),
		"Prometheus, through the collector":         p.traceIDs(t, `{__name__=~"video_processing_.+", way="collector"}`),
		"Prometheus, from its own OTLP receiver":    p.traceIDs(t, `{__name__=~"video_processing_.+", way=""}`),
		"Prometheus, in a stage's duration buckets": p.traceIDs(t, `video_processing_duration_seconds_bucket{way="scrape"}`),
	} {
		if len(ids) == 0 {
			t.Errorf("%s: no exemplar with a trace id", source)
		}
		if lost := missing(ids, traces); len(lost) > 0 {
			t.Errorf("%s: the traces %v are not among the %d that the collector received", source, lost, len(traces))
		}
	}
}

// missing are the keys of a that b has not.
func missing(a, b map[string]bool) []string {
	var lost []string
	for key := range a {
		if !b[key] {
			lost = append(lost, key)
		}
	}
	return lost
}
