package exporters

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	colmetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/stagemeter/stagemeter/exporters/internal/settings"
)

// onlyFlush makes metrics be pushed only by ForceFlush and Shutdown.
var onlyFlush = option(func(c settings.Config) settings.Config {
	c.Pace = settings.Pace{First: time.Hour, Min: time.Hour, Max: time.Hour}
	return c
})

// What is off says so, and what was never tried does not look like one that works.
func TestHealthBeforeAnything(t *testing.T) {
	off := Health{Scrape: ScrapeHealth{State: HealthOff}, Metrics: PushHealth{State: HealthOff}, Traces: PushHealth{State: HealthOff}}
	var none *Telemetry
	check := func(reason string, got, want Health) {
		t.Helper()
		if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
			t.Errorf("%s: %+v\nwant %+v", reason, got, want)
		}
	}
	check("nil", none.Health(), off)
	check("zero", (&Telemetry{}).Health(), off)
	t.Setenv("OTEL_SDK_DISABLED", "true")
	check("disabled", start(t).Health(), off)
	t.Setenv("OTEL_SDK_DISABLED", "")
	measured := off
	measured.Series.Limit = 2000
	check("nothing on", start(t, WithoutPrometheus()).Health(), measured)

	t.Setenv("OTEL_BSP_MAX_QUEUE_SIZE", "77")
	r := newReceiver(t)
	got := start(t, WithoutServer(), WithOTLPEndpoint(r.url()), WithCardinalityLimit(50), onlyFlush).Health()
	push := PushHealth{State: HealthUntried, Endpoint: r.url()}
	check("everything on", got, Health{
		Scrape: ScrapeHealth{State: HealthUntried}, Metrics: push, Traces: push,
		Spans: SpanHealth{QueueSize: 77}, Series: SeriesHealth{Limit: 50},
	})
}

// The scrapes of the server and of Handler are those of Health.
func TestHealthOfScrapes(t *testing.T) {
	tel := start(t, WithPrometheusAddr("127.0.0.1:0"))
	count(tel, "jobs", 1)
	began := time.Now()
	body := scraped(t, tel, "text/plain")
	h := tel.Health().Scrape
	samples := 0
	for line := range strings.Lines(body) {
		if !strings.HasPrefix(line, "#") {
			samples++
		}
	}
	if h.State != HealthWorks || h.Successes != 1 || h.Failures != 0 || h.LastSuccess.Before(began) || h.Duration <= 0 ||
		h.Bytes <= 0 || h.Samples != int64(samples) || h.Series != int64(samples) {
		t.Errorf("%+v\nwant one scrape of %d samples:\n%s", h, samples, body)
	}
	tel.Handler().ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	if h := tel.Health().Scrape; h.Successes != 2 {
		t.Errorf("a scrape of Handler is not counted: %+v", h)
	}
	shutdown(tel)
	tel.Handler().ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	if h := tel.Health().Scrape; h.State != HealthFails || h.FailuresInARow != 1 || !strings.Contains(h.LastError, "shut down") {
		t.Errorf("a scrape after Shutdown: %+v", h)
	}
}

// Each signal follows its own outage and recovery. Failures are those of the metric.
func TestHealthOfPushes(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20s3cr3t-t0ken,x-tenant=acme")
	r := receive(t)
	var refuseMetrics, refuseTraces atomic.Bool
	refusal := func(refuse *atomic.Bool) error {
		if refuse.Load() {
			return status.Error(codes.Unauthenticated, "acme, s3cr3t-t0ken is not known; ask http://root:pass word@wiki/tokens\nor Bearer s3cr3t-t0ken")
		}
		return nil
	}
	r.onMetrics = func(context.Context, *colmetrics.ExportMetricsServiceRequest) error { return refusal(&refuseMetrics) }
	r.onTraces = func(context.Context, *coltrace.ExportTraceServiceRequest) error { return refusal(&refuseTraces) }
	tel := start(t, WithoutPrometheus(), WithOTLPEndpoint(r.url()), WithExportInterval(time.Hour), WithShutdownTimeout(patience), onlyFlush)
	flush := func() (Health, error) {
		count(tel, "jobs", 1)
		span(tel, "render")
		err := tel.ForceFlush(t.Context())
		return tel.Health(), err
	}
	began := time.Now()
	h, err := flush()
	for signal, p := range map[string]PushHealth{"metrics": h.Metrics, "traces": h.Traces} {
		if err != nil || p.State != HealthWorks || p.Successes != 1 || p.Failures != 0 || p.LastSuccess.Before(began) || !p.LastFailure.IsZero() || p.LastError != "" {
			t.Errorf("%s after one push: %+v, %v", signal, p, err)
		}
	}
	for outage := range int64(2) {
		for _, tt := range []struct {
			refuse        *atomic.Bool
			failed, other func(Health) PushHealth
		}{
			{&refuseMetrics, func(h Health) PushHealth { return h.Metrics }, func(h Health) PushHealth { return h.Traces }},
			{&refuseTraces, func(h Health) PushHealth { return h.Traces }, func(h Health) PushHealth { return h.Metrics }},
		} {
			before := tt.failed(h)
			tt.refuse.Store(true)
			for i := range int64(3) {
				var err error
				h, err = flush()
				p, want := tt.failed(h), before
				if err == nil || p.LastFailure.Before(before.LastSuccess) || !strings.Contains(p.LastError, "acme, … is not known; ask http://…@wiki/tokens or …") ||
					strings.Contains(err.Error()+p.LastError, "s3cr3t") || strings.Contains(err.Error()+p.LastError, "pass word") {
					t.Errorf("failure %d: %+v, %v", i+1, p, err)
				}
				want.State, want.Failures, want.FailuresInARow = HealthFails, 3*outage+i+1, i+1
				want.LastFailure, want.LastError = p.LastFailure, p.LastError
				if p != want {
					t.Errorf("failure %d: %+v\nwant %+v", i+1, p, want)
				}
				if o := tt.other(h); o.State != HealthWorks {
					t.Errorf("the other signal: %+v", o)
				}
			}
			tt.refuse.Store(false)
			var err error
			h, err = flush()
			if p := tt.failed(h); err != nil || p.State != HealthWorks || p.FailuresInARow != 0 || p.Failures != 3*outage+3 || p.LastError == "" || !p.LastSuccess.After(p.LastFailure) {
				t.Errorf("after recovery: %+v, %v", p, err)
			}
		}
	}
	h, _ = flush()
	if got, want := r.sum(exportFailures), float64(h.Metrics.Failures+h.Traces.Failures); got != want {
		t.Errorf("%s = %v, Health has %v", exportFailures, got, want)
	}
}

// A receiver that is down fails, and works when it is up.
func TestHealthOfAReceiverThatIsDown(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "300")
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
	r := newReceiver(t)
	tel := start(t, WithoutPrometheus(), WithOTLPEndpoint(r.url()), WithExportInterval(10*time.Millisecond))
	span(tel, "lost")
	eventually(t, "both fail", func() bool {
		h := tel.Health()
		return h.Metrics.State == HealthFails && h.Traces.State == HealthFails && h.Spans.Dropped == 1
	})
	if h := tel.Health(); !h.Metrics.LastSuccess.IsZero() || !h.Traces.LastSuccess.IsZero() {
		t.Errorf("a success without a receiver: %+v", h)
	}
	r.up(t)
	eventually(t, "both work", func() bool {
		span(tel, "kept")
		h := tel.Health()
		return h.Metrics.State == HealthWorks && h.Traces.State == HealthWorks
	})
}

// Metrics that cannot be collected are not pushed: Health says so, though no request has failed.
func TestHealthOfAPushThatIsNotCollected(t *testing.T) {
	r := receive(t)
	tel := start(t, WithoutPrometheus(), WithOTLPEndpoint(r.url()), WithExportInterval(time.Hour), WithShutdownTimeout(patience), onlyFlush)
	var broken atomic.Bool
	observe(t, tel, "pool", func() (int64, error) {
		if broken.Load() {
			panic("nil pool")
		}
		return 1, nil
	})
	for i, want := range []HealthState{HealthWorks, HealthFails, HealthFails, HealthWorks} {
		broken.Store(want == HealthFails)
		_ = tel.ForceFlush(t.Context())
		h := tel.Health().Metrics
		if h.State != want || want == HealthFails && (h.FailuresInARow != int64(i) || !strings.Contains(h.LastError, "nil pool")) {
			t.Errorf("push %d: %+v, want %s", i, h, want)
		}
	}
	if h := tel.Health().Metrics; h.Failures != 2 || h.Successes != 2 || r.sum(exportFailures) != 0 {
		t.Errorf("%+v, %s = %v", h, exportFailures, r.sum(exportFailures))
	}
}

// With delta temporality a push of nothing makes no request, so it is no success.
func TestHealthOfAnEmptyPush(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta")
	r := receive(t)
	tel := start(t, WithoutPrometheus(), WithOTLPEndpoint(r.url()), WithExportInterval(time.Hour), WithShutdownTimeout(patience), onlyFlush)
	for range 3 { // the first one has the zeros
		if err := tel.ForceFlush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	r.mu.Lock()
	requests := r.requests
	r.mu.Unlock()
	if h := tel.Health().Metrics; h.Successes != int64(requests) || requests == 0 || requests == 3 {
		t.Errorf("%d requests: %+v", requests, h)
	}
}

// Health waits neither for a callback, nor for a scrape, nor for a receiver.
func TestHealthNeverWaits(t *testing.T) {
	r := receive(t)
	hang := make(chan struct{})
	asked := make(chan struct{}, 100)
	wait := func(ctx context.Context) error {
		asked <- struct{}{}
		select {
		case <-hang:
		case <-ctx.Done():
		}
		return ctx.Err()
	}
	r.onMetrics = func(ctx context.Context, _ *colmetrics.ExportMetricsServiceRequest) error { return wait(ctx) }
	r.onTraces = func(ctx context.Context, _ *coltrace.ExportTraceServiceRequest) error { return wait(ctx) }
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
	tel := start(t, WithoutServer(), WithOTLPEndpoint(r.url()), WithExportInterval(10*time.Millisecond))
	span(tel, "render")
	<-asked
	<-asked // both signals are being pushed
	collections, release := blockCollections(t, tel)
	code := make(chan int)
	go func() {
		rec := httptest.NewRecorder()
		tel.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		code <- rec.Code
	}()
	eventually(t, "a scrape collects", func() bool { return collections.Load() > 0 })
	h := tel.Health()
	if h.Scrape.State != HealthUntried || h.Metrics.State != HealthUntried || h.Traces.State != HealthUntried || h.Spans.Sending != 1 {
		t.Errorf("meanwhile: %+v", h)
	}
	release()
	close(hang)
	if got := <-code; got != http.StatusOK {
		t.Errorf("the scrape answers %d", got)
	}
	eventually(t, "everything works", func() bool {
		h := tel.Health()
		return h.Scrape.State == HealthWorks && h.Metrics.State == HealthWorks && h.Traces.State == HealthWorks && h.Spans.Sent == 1
	})
}

// Whoever collects finds the metrics over the limit of series: a scrape in any format, or a push.
func TestHealthOfSeries(t *testing.T) {
	scrapeAs := func(accept string) func(*Telemetry) {
		return func(tel *Telemetry) { scraped(t, tel, accept) }
	}
	flush := func(tel *Telemetry) {
		if err := tel.ForceFlush(t.Context()); err != nil {
			t.Error(err)
		}
	}
	r := receive(t)
	for _, tt := range []struct {
		reason      string
		temporality string
		opts        []Option
		collect     func(*Telemetry)
	}{
		{"text", "", []Option{WithPrometheusAddr("127.0.0.1:0")}, scrapeAs("text/plain")},
		{"protobuf", "", []Option{WithPrometheusAddr("127.0.0.1:0")}, scrapeAs(acceptProtobuf)},
		{"push", "", []Option{WithoutPrometheus(), WithOTLPEndpoint(r.url())}, flush},
		{"push of deltas", "delta", []Option{WithPrometheusAddr("127.0.0.1:0"), WithOTLPEndpoint(r.url())}, flush},
		{"all", "delta", []Option{WithPrometheusAddr("127.0.0.1:0"), WithOTLPEndpoint(r.url())}, func(tel *Telemetry) {
			flush(tel)
			scrapeAs("text/plain")(tel)
			scrapeAs(acceptProtobuf)(tel)
		}},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Setenv("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", tt.temporality)
			tel := start(t, append(tt.opts, WithCardinalityLimit(10), WithShutdownTimeout(patience), onlyFlush)...)
			record := overflowing(t, tel)
			record(9) // and one for the rest: the limit
			tt.collect(tel)
			h := tel.Health().Series
			if h.Limit != 10 || h.LastCollection.IsZero() || len(h.OverLimit) != 0 {
				t.Errorf("within the limit: %+v", h)
			}
			record(15)
			tt.collect(tel)
			want := []string{"bytes", "cost_USD_total", "depth", "jobs_total", "load_ratio", "open_jobs", "work_seconds"}
			if got := tel.Health().Series; !slices.Equal(got.OverLimit, want) || !got.LastCollection.After(h.LastCollection) {
				t.Errorf("over the limit: %+v, want %q", got, want)
			}
			tt.collect(tel)
			got := tel.Health().Series.OverLimit
			if !slices.Equal(got, want) {
				t.Errorf("later: %q, want %q", got, want)
			}
			got[0] = "changed by the caller"
			if again := tel.Health().Series.OverLimit; !slices.Equal(again, want) {
				t.Errorf("the caller has changed %q", again)
			}
		})
	}
}

// overflowing makes an instrument of each kind. record gives each of them n series.
func overflowing(t *testing.T, tel *Telemetry) (record func(n int)) {
	t.Helper()
	m := tel.MeterProvider().Meter("test")
	jobs, err1 := m.Int64Counter("jobs")
	cost, err2 := m.Float64Counter("cost", metric.WithUnit("USD"))
	open, err3 := m.Int64UpDownCounter("open.jobs")
	load, err4 := m.Float64Gauge("load", metric.WithUnit("1"))
	work, err5 := m.Float64Histogram("work", metric.WithUnit("s"))
	bytes, err6 := m.Int64Histogram("bytes")
	var series atomic.Int64
	_, err7 := m.Int64ObservableGauge("depth", metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
		for i := range series.Load() {
			o.Observe(i, metric.WithAttributes(attribute.Int64("i", i)))
		}
		return nil
	}))
	few, err8 := m.Int64Counter("few")
	for _, err := range []error{err1, err2, err3, err4, err5, err6, err7, err8} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return func(n int) {
		ctx := t.Context()
		series.Store(int64(n))
		few.Add(ctx, 1)
		for i := range n {
			a := metric.WithAttributes(attribute.Int("i", i))
			jobs.Add(ctx, 1, a)
			cost.Add(ctx, 1, a)
			open.Add(ctx, 1, a)
			load.Record(ctx, 1, a)
			work.Record(ctx, 1, a)
			bytes.Record(ctx, 1, a)
		}
	}
}
