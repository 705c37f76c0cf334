package exporters

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// use calls every method of tel.
func use(t *testing.T, tel *Telemetry) {
	t.Helper()
	count(tel, "jobs", 1)
	span(tel, "render")
	if tel.Propagator() == nil || tel.Handler() == nil {
		t.Error("no propagator or no handler")
	}
	tel.Addr()
	tel.Health()
	if err := tel.Handle("/live/", http.NotFoundHandler()); tel.Addr() == nil && err == nil {
		t.Error("a handler that nobody serves is no error")
	}
	for range 2 {
		if err := tel.ForceFlush(t.Context()); err != nil {
			t.Error(err)
		}
	}
	for range 2 {
		if err := tel.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	}
	count(tel, "jobs", 1)
	span(tel, "render")
	if err := tel.ForceFlush(t.Context()); err != nil {
		t.Error(err)
	}
	tel.Handler().ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
}

// A nil or zero Telemetry, and one that measures nothing, is inert and safe.
func TestInert(t *testing.T) {
	t.Run("nil", func(t *testing.T) { use(t, nil) })
	t.Run("zero", func(t *testing.T) { use(t, &Telemetry{}) })
	t.Run("nothing on", func(t *testing.T) { use(t, start(t, WithoutPrometheus())) })
	t.Run("disabled", func(t *testing.T) {
		t.Setenv("OTEL_SDK_DISABLED", "true")
		r := receive(t)
		tel := start(t, WithPrometheusAddr("127.0.0.1:0"), WithOTLPEndpoint(r.url()))
		if tel.Addr() != nil {
			t.Errorf("serves on %v", tel.Addr())
		}
		use(t, tel)
		if r.sum("jobs") != -1 || r.span("render") != 0 {
			t.Error("pushed all the same")
		}
	})
	t.Run("nil context", func(t *testing.T) {
		var ctx context.Context
		tel, err := Start(ctx, WithoutGlobals(), WithPrometheusAddr("127.0.0.1:0"))
		if err != nil {
			t.Error(err)
		}
		shutdown(tel)
	})
}

// A handler that the program serves answers 503 after Shutdown, whether it is asked for before or
// after.
func TestHandlerAfterShutdown(t *testing.T) {
	tel := start(t, WithoutServer())
	count(tel, "jobs", 1)
	before := tel.Handler()
	if err := tel.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, h := range []http.Handler{before, tel.Handler()} {
		for _, accept := range []string{"text/plain", acceptOpenMetrics, acceptProtobuf} {
			req := httptest.NewRequest(http.MethodGet, "/metrics", nil)
			req.Header.Set("Accept", accept)
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, req)
			if rec.Code != http.StatusServiceUnavailable || rec.Body.Len() == 0 {
				t.Errorf("%s: %d %q, want 503 with a text", accept, rec.Code, rec.Body)
			}
		}
	}
}

// The context bounds only Start.
func TestContextEndsAfterStart(t *testing.T) {
	r := receive(t)
	ctx, cancel := context.WithCancel(t.Context())
	tel, err := Start(ctx, WithoutGlobals(), WithPrometheusAddr("127.0.0.1:0"), WithOTLPEndpoint(r.url()), WithExportInterval(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	defer shutdown(tel)
	cancel()
	count(tel, "jobs", 1)
	eventually(t, "a push on its own", func() bool { return r.sum("jobs") == 1 })
	if body := scraped(t, tel, "text/plain"); !strings.Contains(body, "\njobs_total 1\n") {
		t.Errorf("no jobs:\n%s", body)
	}
}

// Several mistakes are joined in one error, and the rest works.
func TestErrorsAreJoined(t *testing.T) {
	t.Setenv("OTEL_METRICS_EXPORTER", "prometheus,statsd")
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "team=media,nonsense")
	tel, err := Start(t.Context(), WithoutGlobals(), WithPrometheusAddr("127.0.0.1:0"), WithExportInterval(-1), WithServiceVersion(""))
	defer shutdown(tel)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"OTEL_METRICS_EXPORTER", "OTEL_RESOURCE_ATTRIBUTES", "WithExportInterval", "WithServiceVersion"} {
		if strings.Count(err.Error(), want) != 1 {
			t.Errorf("want %q once in\n%v", want, err)
		}
	}
	for line := range strings.Lines(err.Error()) {
		if !strings.HasPrefix(line, "exporters: ") {
			t.Errorf("line %q does not say which package it comes from", line)
		}
	}
	if body := scraped(t, tel, "text/plain"); !strings.Contains(body, `team="media"`) {
		t.Errorf("no team in target_info:\n%s", body)
	}
}

// If spans go nowhere, none are made, and a caller's trace context is passed on.
func TestNoSpansForNobody(t *testing.T) {
	tel := start(t, WithPrometheusAddr("127.0.0.1:0"), WithSampler(sdktrace.AlwaysSample()))
	parent := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled, Remote: true})
	ctx, s := tel.TracerProvider().Tracer("test").Start(trace.ContextWithRemoteSpanContext(t.Context(), parent), "render")
	defer s.End()
	if s.IsRecording() {
		t.Error("a span is recorded")
	}
	carrier := propagation.MapCarrier{}
	tel.Propagator().Inject(ctx, carrier)
	if want := "00-" + parent.TraceID().String() + "-" + parent.SpanID().String() + "-01"; carrier["traceparent"] != want {
		t.Errorf("traceparent %q, want %q", carrier["traceparent"], want)
	}
}

// A sampler that keeps no trace does not change metrics.
func TestUnsampled(t *testing.T) {
	r := receive(t)
	tel := start(t, WithPrometheusAddr("127.0.0.1:0"), WithOTLPEndpoint(r.url()), WithSampler(sdktrace.NeverSample()))
	id := recordTraced(t, tel)
	if err := tel.ForceFlush(t.Context()); err != nil {
		t.Fatal(err)
	}
	body := scraped(t, tel, acceptOpenMetrics)
	if !strings.Contains(body, "work_seconds_count 1") && !strings.Contains(body, "work_seconds_count 1.0") {
		t.Errorf("not measured:\n%s", body)
	}
	if strings.Contains(body, id) || r.span("render") != 0 {
		t.Error("the trace was kept")
	}
}
