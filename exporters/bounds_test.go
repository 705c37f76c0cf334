package exporters

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// blockCollections makes each collection wait until release is called, and
// counts them.
func blockCollections(t *testing.T, tel *Telemetry) (collections *atomic.Int64, release func()) {
	t.Helper()
	collections = new(atomic.Int64)
	gate := make(chan struct{})
	release = sync.OnceFunc(func() { close(gate) })
	t.Cleanup(release)
	_, err := tel.MeterProvider().Meter("test").Int64ObservableGauge("slow", metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
		collections.Add(1)
		<-gate
		o.Observe(1)
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	return collections, release
}

// Prometheus in high availability, and a person who reloads the page: scrapes
// at the same time share a collection, and there are only so many of them.
// Without that, a slow pool function takes the program's memory.
func TestScrapesAreCoalescedAndBounded(t *testing.T) {
	tel := start(t, WithPrometheusAddr("127.0.0.1:0"))
	collections, release := blockCollections(t, tel)
	var answered, refused atomic.Int64
	var wg sync.WaitGroup
	for range 3 * maxScrapes {
		wg.Go(func() {
			rec := httptest.NewRecorder()
			tel.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/", nil))
			switch {
			case rec.Code == http.StatusOK && strings.Contains(rec.Body.String(), "\nslow 1\n"):
				answered.Add(1)
			case rec.Code == http.StatusServiceUnavailable && strings.Contains(rec.Body.String(), "concurrent scrapes"):
				refused.Add(1)
			default:
				t.Errorf("%d: %s", rec.Code, rec.Body)
			}
		})
	}
	eventually(t, "all but the first are refused", func() bool { return refused.Load() == 2*maxScrapes })
	release()
	wg.Wait()
	if got := answered.Load(); got != maxScrapes {
		t.Errorf("%d scrapes were answered, want %d", got, maxScrapes)
	}
	if got := collections.Load(); got > maxScrapes/2 {
		t.Errorf("%d collections for %d scrapes at once: they don't share any", got, maxScrapes)
	}
}

// A client that says nothing, or reads nothing, must not keep a connection for
// ever.
func TestServerHasLimits(t *testing.T) {
	tel := start(t, WithPrometheusAddr("127.0.0.1:0"))
	srv := tel.server.http
	for name, limit := range map[string]time.Duration{
		"ReadHeaderTimeout": srv.ReadHeaderTimeout,
		"ReadTimeout":       srv.ReadTimeout,
		"WriteTimeout":      srv.WriteTimeout,
		"IdleTimeout":       srv.IdleTimeout,
	} {
		if limit <= 0 || limit > 10*time.Minute {
			t.Errorf("%s = %v, want a limit of minutes at most", name, limit)
		}
	}
	if srv.WriteTimeout <= scrapeTimeout {
		t.Errorf("WriteTimeout = %v, which ends a scrape that may take %v", srv.WriteTimeout, scrapeTimeout)
	}
	if srv.MaxHeaderBytes <= 0 || srv.MaxHeaderBytes > 1<<20 {
		t.Errorf("MaxHeaderBytes = %d", srv.MaxHeaderBytes)
	}
}

// With the pace of a program, not of the tests: the receiver is away for some
// seconds, and soon after it is back it has everything that was counted.
func TestDataFlowsSoonAfterAnOutage(t *testing.T) {
	r := receive(t)
	tel, err := Start(t.Context(), WithoutPrometheus(), WithOTLPEndpoint(r.url()), WithExportInterval(time.Hour), WithLogger((&logBook{}).logger()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shutdown(tel) })
	eventually(t, "the first push", func() bool { return r.sum(exportFailures) == 0 })
	r.down()
	count(tel, "jobs", 10)
	if err := tel.ForceFlush(t.Context()); err == nil {
		t.Fatal("ForceFlush: no error while the receiver is down")
	}
	time.Sleep(3 * time.Second)
	r.up(t)
	eventually(t, "what was counted while the receiver was away", func() bool { return r.sum("jobs") == 10 })
	if most := 5 * time.Second; defaultPace.max > most || retryMax > most {
		t.Errorf("a push comes at most %v after a failed one, a dial %v, want %v: data flows within seconds", defaultPace.max, retryMax, most)
	}
}

func TestCardinalityLimit(t *testing.T) {
	for _, tt := range []struct {
		opts     []Option
		overflow bool
	}{{nil, true}, {[]Option{WithCardinalityLimit(3000)}, false}} {
		tel := start(t, append(tt.opts, WithPrometheusAddr("127.0.0.1:0"))...)
		c, err := tel.MeterProvider().Meter("test").Int64Counter("jobs")
		if err != nil {
			t.Fatal(err)
		}
		for i := range 2500 {
			c.Add(t.Context(), 1, metric.WithAttributes(attribute.Int("i", i)))
		}
		if got := strings.Contains(scrape(t, tel, "text/plain"), `otel_metric_overflow="true"`); got != tt.overflow {
			t.Errorf("overflow = %v of 2,500 series, want %v", got, tt.overflow)
		}
	}
	tel, err := Start(t.Context(), WithPrometheusAddr("127.0.0.1:0"), WithCardinalityLimit(-1))
	shutdown(tel)
	if err == nil || !strings.Contains(err.Error(), "WithCardinalityLimit(-1)") {
		t.Errorf("error %v, want one that names the option", err)
	}
}
