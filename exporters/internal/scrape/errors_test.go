package scrape

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
)

// One metric that cannot be shown does not affect the others. It is counted with every scrape, and
// logged once.
func TestScrapeWithErrors(t *testing.T) {
	quiet()
	book := &exportertest.LogBook{}
	p := start(t, setup{logger: book.Logger()})
	exportertest.Count(p.provider, "jobs", 1)
	for _, scope := range []string{"a", "b"} { // without labels of the scope: the same series twice
		c, err := p.provider.Meter(scope).Int64Counter("twice")
		if err != nil {
			t.Fatal(err)
		}
		c.Add(t.Context(), 1)
	}
	for range 3 {
		if body := serve(p.handler).Body.String(); !strings.Contains(body, "\njobs_total 1\n") {
			t.Fatalf("the good metric is missing:\n%s", body)
		}
	}
	if body := serve(p.handler).Body.String(); !strings.Contains(body, `promhttp_metric_handler_errors_total{cause="gathering"} 3`) {
		t.Errorf("errors not counted:\n%s", body)
	}
	if got := book.Lines("a scrape has errors", "twice_total"); got != 1 {
		t.Errorf("%d lines, want 1:\n%s", got, book)
	}
}

// The error of a callback is logged once.
func TestScrapeOfACallbackThatFails(t *testing.T) {
	quiet()
	book := &exportertest.LogBook{}
	p := start(t, setup{logger: book.Logger()})
	exportertest.Observe(t, p.provider, "pool", func() (int64, error) { return 0, errors.New("db gone") })
	exportertest.Count(p.provider, "jobs", 1)
	for range 3 {
		if body := serve(p.handler, "Accept", acceptText).Body.String(); !strings.Contains(body, "\njobs_total 1\n") {
			t.Errorf("no jobs:\n%s", body)
		}
	}
	if got := book.Lines("a scrape has errors", "db gone"); got != 1 {
		t.Errorf("%d lines, want 1:\n%s", got, book)
	}
}

// A callback that panics fails the scrape in every format, as long as it panics.
func TestPanicFailsEveryFormat(t *testing.T) {
	quiet()
	p := start(t, setup{})
	exportertest.Count(p.provider, "jobs", 1)
	var broken atomic.Bool
	exportertest.Observe(t, p.provider, "pool", func() (int64, error) {
		if broken.Load() {
			panic("nil pool")
		}
		return 3, nil
	})
	for _, accept := range []string{acceptText, acceptOpenMetrics, acceptProtobuf} {
		for _, want := range []int{http.StatusOK, http.StatusInternalServerError, http.StatusOK} {
			broken.Store(want != http.StatusOK)
			rec := serve(p.handler, "Accept", accept)
			if rec.Code != want || strings.Contains(rec.Body.String(), "jobs_total") != (want == http.StatusOK) {
				t.Errorf("%s: %d, want %d:\n%s", accept, rec.Code, want, rec.Body)
			}
		}
	}
}

// A callback that ends its goroutine, as t.FailNow does, does not count as one that blocks.
func TestCallbackEndsItsGoroutine(t *testing.T) {
	p := start(t, setup{})
	var calls atomic.Int64
	exportertest.Observe(t, p.provider, "pool", func() (int64, error) {
		calls.Add(1)
		runtime.Goexit()
		return 0, nil
	})
	if rec := serve(p.handler); rec.Code != http.StatusInternalServerError || calls.Load() != 1 {
		t.Errorf("%d after %d calls: %s", rec.Code, calls.Load(), rec.Body)
	}
}

// Metrics that package exposition cannot write are collected twice at first, and then once for each
// scrape.
func TestDetourCollectsOnce(t *testing.T) {
	p := start(t, setup{views: []sdkmetric.View{sdkmetric.NewView(sdkmetric.Instrument{Name: "work"},
		sdkmetric.Stream{Aggregation: sdkmetric.AggregationBase2ExponentialHistogram{MaxSize: 20, MaxScale: 3}})}})
	recordWork(t, p)
	var calls atomic.Int64
	exportertest.Observe(t, p.provider, "pool", func() (int64, error) { return calls.Add(1), nil })
	for range 3 {
		if rec := serve(p.handler); !strings.Contains(rec.Body.String(), "\nwork_seconds_count 1\n") {
			t.Fatalf("%d: %s", rec.Code, rec.Body)
		}
	}
	if calls.Load() != 4 {
		t.Errorf("%d collections for 3 scrapes, want 4", calls.Load())
	}
}

// recordWork records a duration inside a span.
func recordWork(t *testing.T, p program) {
	t.Helper()
	h, err := p.provider.Meter("test").Float64Histogram("work", metric.WithUnit("s"))
	if err != nil {
		t.Fatal(err)
	}
	h.Record(exportertest.InSpan(1), 0.3)
}

// The SDK keeps what was observed before another callback panicked. No later scrape shows it.
func TestObservedBeforeAPanic(t *testing.T) {
	quiet()
	formats := map[string]string{"text": acceptText, "protobuf": "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text"}
	for broken, panicsIn := range formats {
		for name, accept := range formats {
			t.Run(broken+", then "+name, func(t *testing.T) {
				p := start(t, setup{})
				meter := p.provider.Meter("test")
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
					if rec := serve(p.handler, "Accept", panicsIn); rec.Code != http.StatusInternalServerError {
						t.Fatalf("%d: %s", rec.Code, rec.Body)
					}
				}
				panics = false
				for range 2 {
					body := serve(p.handler, "Accept", accept).Body.String()
					if !strings.Contains(body, "\nconnections 7\n") && !strings.Contains(strings.Join(strings.Fields(body), ""), "gauge:{value:7}") {
						t.Errorf("not 7 connections:\n%s", body)
					}
				}
			})
		}
	}
}

// After Shutdown a scrape is answered with 503 in every format, and that is no defect. A target that
// is up and shows nothing of the program would be a silent gap.
func TestScrapeAfterShutdown(t *testing.T) {
	for _, accept := range []string{acceptText, acceptOpenMetrics, acceptProtobuf} {
		book := &exportertest.LogBook{}
		p := start(t, setup{logger: book.Logger()})
		exportertest.Count(p.provider, "jobs", 1)
		if rec := serve(p.handler, "Accept", accept); rec.Code != http.StatusOK {
			t.Fatalf("before: %d: %s", rec.Code, rec.Body)
		}
		p.handler.End()
		for _, name := range []string{"ended", "shut down"} {
			if rec := serve(p.handler, "Accept", accept); rec.Code != http.StatusServiceUnavailable || !strings.Contains(rec.Body.String(), "has been shut down") {
				t.Errorf("%s, %s: %d: %s", accept, name, rec.Code, rec.Body)
			}
			if err := p.provider.Shutdown(t.Context()); err != nil && name == "ended" {
				t.Fatal(err)
			}
		}
		if book.String() != "" {
			t.Errorf("logged:\n%s", book)
		}
	}
}

// A scrape that began before End, and collects after the provider has been shut down, fails too.
func TestShutdownDuringAScrape(t *testing.T) {
	p := start(t, setup{})
	exportertest.Count(p.provider, "jobs", 1)
	if err := p.provider.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, accept := range []string{acceptText, acceptOpenMetrics} {
		if rec := serve(p.handler, "Accept", accept); rec.Code != http.StatusServiceUnavailable {
			t.Errorf("%s: %d: %s", accept, rec.Code, rec.Body)
		}
	}
	p.handler.End()
	if rec := serve(p.handler.plain, "Accept", acceptProtobuf); rec.Code != http.StatusInternalServerError {
		t.Errorf("protobuf: %d: %s", rec.Code, rec.Body)
	}
}
