package exporters

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
)

// Each reader doubles the cost of a recording: exporters with the same temporality and aggregation
// share one.
func TestReadersAreShared(t *testing.T) {
	url := receive(t).url()
	for _, tt := range []struct {
		reason string
		env    map[string]string
		opts   []Option
		want   int
	}{
		{"only a scrape", nil, []Option{WithoutServer()}, 1},
		{"a scrape and a push", nil, []Option{WithoutServer(), WithOTLPEndpoint(url)}, 1},
		{"a scrape, a push and the console", map[string]string{"OTEL_METRICS_EXPORTER": "otlp,console,prometheus", "OTEL_EXPORTER_OTLP_ENDPOINT": url}, []Option{WithoutServer()}, 1},
		{"only a push", nil, []Option{WithoutPrometheus(), WithOTLPEndpoint(url)}, 1},
		{"delta", map[string]string{"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "delta"}, []Option{WithoutServer(), WithOTLPEndpoint(url)}, 2},
		{"lowmemory, which is delta for some", map[string]string{"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "lowmemory"}, []Option{WithoutServer(), WithOTLPEndpoint(url)}, 2},
		{"exponential histograms", map[string]string{"OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION": "base2_exponential_bucket_histogram"}, []Option{WithoutServer(), WithOTLPEndpoint(url)}, 2},
		{"delta and the console", map[string]string{"OTEL_METRICS_EXPORTER": "otlp,console", "OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "delta"}, []Option{WithoutPrometheus()}, 2},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			for k, v := range tt.env {
				t.Setenv(k, v)
			}
			tel := start(t, append(tt.opts, WithExportInterval(time.Hour), WithLogger((&exportertest.LogBook{}).Logger()))...)
			if got := len(tel.metrics.sources); got != tt.want {
				t.Errorf("%d readers, want %d", got, tt.want)
			}
		})
	}
}

// A callback blocks the collection of a scrape: a push returns when its time is over, and so does
// Shutdown.
func TestPushWhileAScrapeIsHeldUp(t *testing.T) {
	r := receive(t)
	tel := start(t, WithoutServer(), WithOTLPEndpoint(r.url()), WithExportInterval(time.Hour), WithShutdownTimeout(50*time.Millisecond))
	eventually(t, "the first push", func() bool { return r.sum(exportFailures) == 0 })
	collections, release := blockCollections(t, tel)
	scraped := make(chan int)
	go func() {
		rec := httptest.NewRecorder()
		tel.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/", nil))
		scraped <- rec.Code
	}()
	eventually(t, "a collection is held up", func() bool { return collections.Load() == 1 })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := tel.ForceFlush(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("ForceFlush: %v, want that the time is over", err)
	}
	if err := tel.Shutdown(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown: %v, want that the time is over", err)
	}
	release()
	if code := <-scraped; code != http.StatusOK {
		t.Errorf("the scrape that waited: %d", code)
	}
}
