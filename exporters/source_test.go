package exporters

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// Each reader doubles what a recording costs: those that want the same share one.
func TestReadersAreShared(t *testing.T) {
	for _, tt := range []struct {
		reason string
		env    map[string]string
		opts   []Option
		want   int
	}{
		{"a scrape alone", nil, []Option{WithPrometheusAddr("")}, 1},
		{"a scrape and a push", nil, []Option{WithPrometheusAddr(""), WithOTLPEndpoint("http://127.0.0.1:1")}, 1},
		{"a scrape, a push and the console", map[string]string{envMetricsExporter: "otlp,console,prometheus"}, []Option{WithPrometheusAddr("")}, 1},
		{"a push alone", nil, []Option{WithoutPrometheus(), WithOTLPEndpoint("http://127.0.0.1:1")}, 1},
		{"delta", map[string]string{envTemporality: "delta"}, []Option{WithPrometheusAddr(""), WithOTLPEndpoint("http://127.0.0.1:1")}, 2},
		{"lowmemory, which is delta for some", map[string]string{envTemporality: "lowmemory"}, []Option{WithPrometheusAddr(""), WithOTLPEndpoint("http://127.0.0.1:1")}, 2},
		{"exponential histograms", map[string]string{envHistograms: "base2_exponential_bucket_histogram"}, []Option{WithPrometheusAddr(""), WithOTLPEndpoint("http://127.0.0.1:1")}, 2},
		{"delta and the console", map[string]string{envMetricsExporter: "otlp,console", envTemporality: "delta"}, []Option{WithoutPrometheus()}, 2},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			for k, v := range tt.env {
				t.Setenv(k, v)
			}
			tel := start(t, append(tt.opts, WithExportInterval(time.Hour), WithLogger((&logBook{}).logger()))...)
			if got := len(tel.metrics.sources); got != tt.want {
				t.Errorf("%d readers, want %d", got, tt.want)
			}
		})
	}
}

// A collection that a scrape began and a callback holds up: a push gives up
// when its time is over, and Shutdown too.
func TestPushWhileAScrapeIsHeldUp(t *testing.T) {
	r := receive(t)
	tel := start(t, WithPrometheusAddr(""), WithOTLPEndpoint(r.url()), WithExportInterval(time.Hour), WithShutdownTimeout(50*time.Millisecond))
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
		t.Errorf("ForceFlush: %v, want that time was up", err)
	}
	if err := tel.Shutdown(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown: %v, want that time was up", err)
	}
	release()
	if code := <-scraped; code != http.StatusOK {
		t.Errorf("the scrape that waited: %d", code)
	}
}
