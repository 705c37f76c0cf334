package exporters

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/exemplar"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
)

// goexitError is an error whose text ends the goroutine that reads it.
type goexitError struct{}

func (goexitError) Error() string { runtime.Goexit(); return "" }

// callbacks register a callback that calls runtime.Goexit, each in another way.
var callbacks = map[string]func(metric.Meter) error{
	"Int64ObservableCounter": func(m metric.Meter) error {
		_, err := m.Int64ObservableCounter("broken", metric.WithInt64Callback(exitInt64))
		return err
	},
	"Int64ObservableUpDownCounter": func(m metric.Meter) error {
		_, err := m.Int64ObservableUpDownCounter("broken", metric.WithInt64Callback(exitInt64))
		return err
	},
	"Int64ObservableGauge": func(m metric.Meter) error {
		_, err := m.Int64ObservableGauge("broken", metric.WithInt64Callback(exitInt64))
		return err
	},
	"Float64ObservableCounter": func(m metric.Meter) error {
		_, err := m.Float64ObservableCounter("broken", metric.WithFloat64Callback(exitFloat64))
		return err
	},
	"Float64ObservableUpDownCounter": func(m metric.Meter) error {
		_, err := m.Float64ObservableUpDownCounter("broken", metric.WithFloat64Callback(exitFloat64))
		return err
	},
	"Float64ObservableGauge": func(m metric.Meter) error {
		_, err := m.Float64ObservableGauge("broken", metric.WithFloat64Callback(exitFloat64))
		return err
	},
	"RegisterCallback": func(m metric.Meter) error {
		g, err := m.Int64ObservableGauge("broken")
		if err != nil {
			return err
		}
		_, err = m.RegisterCallback(func(context.Context, metric.Observer) error { runtime.Goexit(); return nil }, g)
		return err
	},
	"the text of an error": func(m metric.Meter) error {
		_, err := m.Int64ObservableGauge("broken", metric.WithInt64Callback(
			func(context.Context, metric.Int64Observer) error { return goexitError{} }))
		return err
	},
}

func exitInt64(context.Context, metric.Int64Observer) error     { runtime.Goexit(); return nil }
func exitFloat64(context.Context, metric.Float64Observer) error { runtime.Goexit(); return nil }

// A callback that ends its goroutine costs its own metric, and not the scrape, in any format, nor the
// push. Its unit and description stay.
func TestCallbacksThatCallGoexit(t *testing.T) {
	for how, register := range callbacks {
		t.Run(how, func(t *testing.T) {
			book, r := &exportertest.LogBook{}, receive(t)
			tel := start(t, WithoutServer(), WithoutGlobals(), WithOTLPEndpoint(r.url()), WithExportInterval(time.Hour), WithLogger(book.Logger()), WithShutdownTimeout(patience), onlyFlush)
			if err := register(tel.MeterProvider().Meter("test")); err != nil {
				t.Fatal(err)
			}
			count(tel, "jobs", 1)
			for _, accept := range []string{"text/plain", "application/openmetrics-text;version=1.0.0",
				"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"} {
				answer := make(chan *httptest.ResponseRecorder, 1)
				go func() {
					rec, req := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/metrics", nil)
					req.Header.Set("Accept", accept)
					defer func() { answer <- rec }()
					rec.Code = 0
					tel.Handler().ServeHTTP(rec, req)
				}()
				if rec := <-answer; rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), "jobs_total") {
					t.Errorf("%s: %d\n%s", accept, rec.Code, rec.Body)
				}
			}
			_ = tel.ForceFlush(t.Context()) // its error names the callback
			if got := r.sum("jobs"); got != 1 {
				t.Errorf("jobs = %v, want 1", got)
			}
		})
	}
}

// A reservoir that ends its goroutine, in the one collection that is not in a goroutine of ours,
// answers with an error: the registry must not wait for it for ever.
func TestReservoirThatCallsGoexit(t *testing.T) {
	view := sdkmetric.NewView(sdkmetric.Instrument{Name: "jobs"}, sdkmetric.Stream{
		ExemplarReservoirProviderSelector: func(a sdkmetric.Aggregation) exemplar.ReservoirProvider { return exitingReservoirs },
	})
	tel := start(t, WithoutServer(), WithoutGlobals(), WithView(view))
	count(tel, "jobs", 1)
	rec, req := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/metrics", nil)
	req.Header.Set("Accept", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited")
	tel.Handler().ServeHTTP(rec, req)
	if rec.Code != http.StatusInternalServerError {
		t.Errorf("%d", rec.Code)
	}
}

type exitingReservoir struct{ exemplar.Reservoir }

func (exitingReservoir) Collect(*[]exemplar.Exemplar) { runtime.Goexit() }

var exitingReservoirs exemplar.ReservoirProvider = func(attribute.Set) exemplar.Reservoir {
	return exitingReservoir{exemplar.NewFixedSizeReservoir(1)}
}

// A view that ends its goroutine matches nothing, and the instrument is made.
func TestViewThatDoesNotReturn(t *testing.T) {
	for how, f := range map[string]func(){"panic": func() { panic("broken") }, "goexit": runtime.Goexit} {
		tel := start(t, WithoutServer(), WithoutGlobals(),
			WithView(func(sdkmetric.Instrument) (sdkmetric.Stream, bool) { f(); return sdkmetric.Stream{}, true }))
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer func() { _ = recover() }()
			count(tel, "jobs", 1)
		}()
		<-done
		rec := httptest.NewRecorder()
		tel.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		if !strings.Contains(rec.Body.String(), "jobs_total 1\n") {
			t.Errorf("%s: %d\n%s", how, rec.Code, rec.Body)
		}
	}
}

// A log handler that ends its goroutine costs its line: pushes and scrapes go on.
func TestLogHandlerThatCallsGoexit(t *testing.T) {
	r := receive(t)
	tel := start(t, WithoutServer(), WithoutGlobals(), WithOTLPEndpoint(r.url()), WithExportInterval(time.Millisecond), WithLogger(slog.New(exitingHandler{slog.DiscardHandler})))
	observe(t, tel, "pool", func() (int64, error) { return 0, context.Canceled })
	eventually(t, "a push", func() bool { return r.sum(exportFailures) == 0 })
	count(tel, "jobs", 1)
	eventually(t, "a push after the line", func() bool { return r.sum("jobs") == 1 })
	rec := httptest.NewRecorder()
	tel.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), "jobs_total") {
		t.Errorf("%d\n%s", rec.Code, rec.Body)
	}
}

type exitingHandler struct{ slog.Handler }

func (exitingHandler) Enabled(context.Context, slog.Level) bool  { return true }
func (exitingHandler) Handle(context.Context, slog.Record) error { runtime.Goexit(); return nil }
