package exporters

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
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

// The SDK returns at once when the context is over: that is no collection of
// nothing, which a scrape would answer by an empty page.
func TestCollectionUnderAContextThatIsOver(t *testing.T) {
	tel := start(t, WithPrometheusAddr(""))
	count(tel, "jobs", 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var rm metricdata.ResourceMetrics
	if collected, err := tel.metrics.shared.read(ctx, &rm); collected || !errors.Is(err, context.Canceled) {
		t.Errorf("collected %v, %v", collected, err)
	}
	if collected, err := tel.metrics.shared.read(t.Context(), &rm); !collected || err != nil {
		t.Errorf("collected %v, %v", collected, err)
	}
}

// A callback that ends its goroutine, as t.FailNow does, is no callback that
// blocks.
func TestCallbackEndsItsGoroutine(t *testing.T) {
	tel := start(t, WithPrometheusAddr(""), WithLogger((&logBook{}).logger()))
	var gone atomic.Int64
	observe(t, tel, "pool", func() (int64, error) {
		gone.Add(1)
		runtime.Goexit()
		return 0, nil
	})
	rec := httptest.NewRecorder()
	tel.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/", nil))
	if rec.Code != http.StatusInternalServerError || gone.Load() != 1 {
		t.Errorf("%d after %d calls: %s", rec.Code, gone.Load(), rec.Body)
	}
}

// What package exposition can't write is collected twice at first, and then once
// for each scrape.
func TestDetourCollectsOnce(t *testing.T) {
	tel := start(t, WithPrometheusAddr(""), WithView(sdkmetric.NewView(sdkmetric.Instrument{Name: "work"},
		sdkmetric.Stream{Aggregation: sdkmetric.AggregationBase2ExponentialHistogram{MaxSize: 20, MaxScale: 3}})))
	recordTraced(t, tel)
	var calls atomic.Int64
	observe(t, tel, "pool", func() (int64, error) { return calls.Add(1), nil })
	for range 3 {
		rec := httptest.NewRecorder()
		tel.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/", nil))
		if !strings.Contains(rec.Body.String(), "\nwork_seconds_count 1\n") {
			t.Fatalf("%d: %s", rec.Code, rec.Body)
		}
	}
	if calls.Load() != 4 {
		t.Errorf("%d collections for 3 scrapes, want 4", calls.Load())
	}
}

// What was observed before another callback panicked is in the SDK still; it is in nothing that is shown.
func TestObservedBeforeAPanic(t *testing.T) {
	formats := map[string]string{"text": acceptText, "protobuf": "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text"}
	for broken, panicsIn := range formats {
		for name, accept := range formats {
			t.Run(broken+", then "+name, func(t *testing.T) {
				quiet()
				tel := start(t, WithPrometheusAddr(""), WithLogger((&logBook{}).logger()))
				meter := tel.MeterProvider().Meter("test")
				up, err := meter.Int64ObservableUpDownCounter("connections")
				down, err2 := meter.Int64ObservableGauge("pool")
				if err := errors.Join(err, err2); err != nil {
					t.Fatal(err)
				}
				panics := true
				_, err = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error { o.ObserveInt64(up, 7); return nil }, up)
				_, err2 = meter.RegisterCallback(func(context.Context, metric.Observer) error {
					if panics {
						panic("nil pool")
					}
					return nil
				}, down)
				if err := errors.Join(err, err2); err != nil {
					t.Fatal(err)
				}
				for range 3 {
					if rec := serve(tel.Handler(), "Accept", panicsIn); rec.Code != http.StatusInternalServerError {
						t.Fatalf("%d: %s", rec.Code, rec.Body)
					}
				}
				panics = false
				for range 2 {
					body := serve(tel.Handler(), "Accept", accept).Body.String()
					if !strings.Contains(body, "\nconnections 7\n") && !strings.Contains(strings.Join(strings.Fields(body), ""), "gauge:{value:7}") {
						t.Errorf("not 7 connections:\n%s", body)
					}
				}
			})
		}
	}
}
