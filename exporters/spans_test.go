package exporters

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	colmetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
)

// spans returns where tel's spans are, without the size of the queue.
func spans(tel *Telemetry) SpanHealth {
	h := tel.Health().Spans
	h.QueueSize = 0
	return h
}

// While the receiver hangs, the queue fills up. What it has no room for is dropped and counted, one
// by one, and nothing else is.
func TestSpansUnderOverload(t *testing.T) {
	t.Setenv("OTEL_BSP_MAX_QUEUE_SIZE", "10")
	t.Setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4")
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "3600000")
	r := receive(t)
	hang := make(chan struct{})
	r.onTraces = func(ctx context.Context, _ *coltrace.ExportTraceServiceRequest) error {
		select {
		case <-hang:
		case <-ctx.Done():
		}
		return ctx.Err()
	}
	tel := start(t, WithoutPrometheus(), WithOTLPEndpoint(r.url()), WithExportInterval(time.Hour), WithShutdownTimeout(patience))
	end := func(n int) {
		for range n {
			span(tel, "render")
		}
	}
	expect := func(when string, want SpanHealth) {
		t.Helper()
		eventually(t, fmt.Sprintf("%s: %+v", when, want), func() bool { return spans(tel) == want })
	}
	end(3)
	expect("a batch that is not full waits", SpanHealth{Queued: 3})
	end(1)
	expect("a batch is being sent", SpanHealth{Sending: 4})
	end(10)
	expect("the queue is full", SpanHealth{Sending: 4, Queued: 10})
	end(15)
	expect("there is no room", SpanHealth{Sending: 4, Queued: 10, Dropped: 15, QueueFull: 15})
	flushed := make(chan error, 2*maxFlushesAtOnce)
	for range cap(flushed) { // their places in the SDK's queue take none of the spans'
		go func() { flushed <- tel.ForceFlush(t.Context()) }()
	}
	end(5)
	expect("while others flush", SpanHealth{Sending: 4, Queued: 10, Dropped: 20, QueueFull: 20})
	close(hang)
	for range cap(flushed) {
		if err := <-flushed; err != nil {
			t.Errorf("ForceFlush: %v", err)
		}
	}
	expect("the receiver answers", SpanHealth{Sent: 14, Dropped: 20, QueueFull: 20})
	end(2)
	if err := tel.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	expect("after Shutdown", SpanHealth{Sent: 16, Dropped: 20, QueueFull: 20})
	if got := r.span("render"); got != 16 {
		t.Errorf("the receiver has %d spans, want 16", got)
	}
	if size := tel.Health().Spans.QueueSize; size != 10 {
		t.Errorf("QueueSize = %d, want 10", size)
	}
}

// maxFlushesAtOnce is more than the queue lets through at the same time, by two.
const maxFlushesAtOnce = 16

// Many goroutines end spans faster than they are sent. Every span is counted once, at every
// moment.
func TestSpansOfManyGoroutines(t *testing.T) {
	t.Setenv("OTEL_BSP_MAX_QUEUE_SIZE", "20")
	t.Setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "5")
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "1")
	r := receive(t)
	tel := start(t, WithoutPrometheus(), WithOTLPEndpoint(r.url()), WithExportInterval(time.Hour), WithShutdownTimeout(patience))
	const goroutines, each = 8, 500
	stop, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		for last := int64(0); ; {
			h := tel.Health().Spans
			all := h.Queued + h.Sending + h.Sent + h.Dropped
			if h.Queued < 0 || h.Queued > 20 || h.Sending < 0 || h.Sending > 5 || h.QueueFull > h.Dropped || all < last || all > goroutines*each {
				t.Errorf("%+v is %d spans, was %d", h, all, last)
			}
			last = all
			select {
			case <-stop:
				return
			default:
			}
		}
	}()
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for range each {
				span(tel, "render")
			}
		})
	}
	wg.Wait()
	if err := tel.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	close(stop)
	<-watched
	h := spans(tel)
	if h.Queued != 0 || h.Sending != 0 || h.Sent+h.Dropped != goroutines*each || h.Dropped != h.QueueFull || h.Sent != int64(r.span("render")) {
		t.Errorf("%+v of %d spans; the receiver has %d", h, goroutines*each, r.span("render"))
	}
}

// Spans of a batch that fails are lost, those that Shutdown cannot send too. The queue was not full.
func TestSpansThatAreRefused(t *testing.T) {
	r := receive(t)
	r.onTraces = func(context.Context, *coltrace.ExportTraceServiceRequest) error {
		return status.Error(codes.InvalidArgument, "no")
	}
	tel := start(t, WithoutPrometheus(), WithOTLPEndpoint(r.url()), WithExportInterval(time.Hour), WithShutdownTimeout(patience))
	span(tel, "render")
	span(tel, "render")
	if err := tel.ForceFlush(t.Context()); err == nil {
		t.Error("ForceFlush: no error")
	}
	if got := spans(tel); got != (SpanHealth{Dropped: 2}) {
		t.Errorf("a refused batch: %+v", got)
	}
	span(tel, "render")
	_, late := tel.TracerProvider().Tracer("test").Start(t.Context(), "late")
	shutdown(tel)
	late.End()
	eventually(t, "all are dropped", func() bool { return spans(tel) == (SpanHealth{Dropped: 3}) })
}

// Spans that the sampler leaves out are in no figure.
func TestSpansThatAreNotSampled(t *testing.T) {
	for _, sampler := range []sdktrace.Sampler{sdktrace.NeverSample(), recordOnly{}} {
		r := receive(t)
		tel := start(t, WithoutPrometheus(), WithOTLPEndpoint(r.url()), WithExportInterval(time.Hour), WithSampler(sampler), WithShutdownTimeout(patience))
		span(tel, "render")
		if err := tel.ForceFlush(t.Context()); err != nil {
			t.Error(err)
		}
		if h := tel.Health(); spans(tel) != (SpanHealth{}) || h.Traces.State != HealthUntried {
			t.Errorf("%s: %+v", sampler.Description(), h)
		}
	}
}

// recordOnly records spans and exports none.
type recordOnly struct{}

func (recordOnly) ShouldSample(sdktrace.SamplingParameters) sdktrace.SamplingResult {
	return sdktrace.SamplingResult{Decision: sdktrace.RecordOnly}
}
func (recordOnly) Description() string { return "recordOnly" }

// A receiver may take a batch and reject some spans of it, or warn and reject none.
func TestSpansThatAreRejected(t *testing.T) {
	for _, tt := range []struct {
		rejected int64
		message  string
		want     SpanHealth
		state    HealthState
	}{
		{2, "too old", SpanHealth{Sent: 3, Dropped: 2}, HealthFails},
		{5, "too old\n(1 spans rejected)", SpanHealth{Dropped: 5}, HealthFails},
		{99, "", SpanHealth{Dropped: 5}, HealthFails},
		{0, "use the other port", SpanHealth{Sent: 5}, HealthWorks},
		{0, "", SpanHealth{Sent: 5}, HealthWorks},
	} {
		answer := &coltrace.ExportTracePartialSuccess{RejectedSpans: tt.rejected, ErrorMessage: tt.message}
		for protocol, receiver := range map[string]func(t *testing.T) string{
			"grpc": func(t *testing.T) string {
				r := receive(t)
				r.partial = func() *coltrace.ExportTracePartialSuccess { return answer }
				return r.url()
			},
			"http/protobuf": func(t *testing.T) string {
				body, err := proto.Marshal(&coltrace.ExportTraceServiceResponse{PartialSuccess: answer})
				if err != nil {
					t.Fatal(err)
				}
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Content-Type", "application/x-protobuf; charset=utf-8")
					if strings.HasSuffix(r.URL.Path, "traces") {
						_, _ = w.Write(body)
					}
				}))
				t.Cleanup(server.Close)
				return server.URL
			},
		} {
			t.Run(fmt.Sprintf("%d over %s", tt.rejected, protocol), func(t *testing.T) {
				t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
				tel := start(t, WithoutPrometheus(), WithOTLPEndpoint(receiver(t)), WithExportInterval(time.Hour), WithShutdownTimeout(patience))
				for range 5 {
					span(tel, "render")
				}
				_ = tel.ForceFlush(t.Context())
				if got := spans(tel); got != tt.want || tel.Health().Traces.State != tt.state {
					t.Errorf("%+v, %s; want %+v, %s", got, tel.Health().Traces.State, tt.want, tt.state)
				}
			})
		}
	}
}

// What a receiver says about data that it accepts is logged once, and is no failure.
func TestAWarningIsNoFailure(t *testing.T) {
	for _, protocol := range []string{"grpc", "http/protobuf"} {
		t.Run(protocol, func(t *testing.T) {
			t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
			url := ""
			if protocol == "grpc" {
				r := receive(t)
				r.partialMetrics = func() *colmetrics.ExportMetricsPartialSuccess {
					return &colmetrics.ExportMetricsPartialSuccess{ErrorMessage: "use the other port"}
				}
				r.partial = func() *coltrace.ExportTracePartialSuccess {
					return &coltrace.ExportTracePartialSuccess{ErrorMessage: "use the other port"}
				}
				url = r.url()
			} else {
				// Both messages look the same in protobuf.
				body, err := proto.Marshal(&coltrace.ExportTraceServiceResponse{PartialSuccess: &coltrace.ExportTracePartialSuccess{ErrorMessage: "use the other port"}})
				if err != nil {
					t.Fatal(err)
				}
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", "application/x-protobuf")
					_, _ = w.Write(body)
				}))
				t.Cleanup(server.Close)
				url = server.URL
			}
			book := &exportertest.LogBook{}
			tel := start(t, WithoutPrometheus(), WithOTLPEndpoint(url), WithExportInterval(time.Hour), WithLogger(book.Logger()), WithShutdownTimeout(patience), onlyFlush)
			for range 3 {
				span(tel, "render")
				if err := tel.ForceFlush(t.Context()); err != nil {
					t.Errorf("ForceFlush: %v", err)
				}
			}
			h := tel.Health()
			if h.Metrics.State != HealthWorks || h.Metrics.Failures != 0 || h.Metrics.Successes != 3 || h.Traces.State != HealthWorks || h.Traces.Failures != 0 || h.Spans.Sent != 3 {
				t.Errorf("%+v", h)
			}
			if book.Lines("use the other port", "signal=metrics") != 1 || book.Lines("use the other port", "signal=traces") != 1 || book.Lines("fails") != 0 {
				t.Errorf("want one line for each signal:\n%s", book)
			}
		})
	}
}
