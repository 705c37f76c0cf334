package push

import (
	"context"
	"log/slog"
	"net/url"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
	"github.com/stagemeter/stagemeter/exporters/internal/settings"
	"github.com/stagemeter/stagemeter/semconv"
)

// A gate is an exporter that takes nothing before it opens.
type gate chan struct{}

func (g gate) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { <-g; return nil }
func (gate) Shutdown(context.Context) error                               { return nil }

// queue returns a queue for size spans, sent one by one to e, and a function that ends spans.
func queue(t *testing.T, size string, e sdktrace.SpanExporter) (q *Queue, end func(n int)) {
	t.Helper()
	s, err := settings.Resolve(settings.Config{}, func(name string) string {
		return map[string]string{"OTEL_BSP_MAX_QUEUE_SIZE": size, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "1"}[name]
	})
	if err != nil {
		t.Fatal(err)
	}
	to := &settings.Destination{Signal: semconv.SignalTraces, URL: &url.URL{Scheme: "http", Host: "receiver"}}
	q = NewQueue(e, NewFailures(to, slog.New(slog.DiscardHandler)), nil, s.Spans)
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(q))
	tracer := provider.Tracer("test")
	t.Cleanup(func() { _ = provider.Shutdown(context.Background()) })
	return q, func(n int) {
		for range n {
			_, s := tracer.Start(context.Background(), "render")
			s.End()
		}
	}
}

// However many callers flush, the queue has room for as many spans as it says, and none is lost
// uncounted.
func TestQueueWhileManyFlush(t *testing.T) {
	g := make(gate)
	q, end := queue(t, "10", g)
	end(1)
	exportertest.Eventually(t, "one is being sent", func() bool { return q.Spans().Sending == 1 })
	done := make(chan error)
	for range 3 * maxFlushes {
		go func() { done <- q.ForceFlush(context.Background()) }()
	}
	exportertest.Eventually(t, "as many flush as may", func() bool { return len(q.flushes) == maxFlushes })
	time.Sleep(20 * time.Millisecond) // lets them take their places in the SDK's queue; nothing is measured
	end(12)
	if got, want := q.Spans(), (Spans{Room: 10, Waiting: 10, Sending: 1, Dropped: 2, QueueFull: 2}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	close(g)
	for range 3 * maxFlushes {
		if err := <-done; err != nil {
			t.Errorf("ForceFlush: %v", err)
		}
	}
	exportertest.Eventually(t, "all are sent", func() bool { return q.Spans() == Spans{Room: 10, Sent: 11, Dropped: 2, QueueFull: 2} })
}

// A flush that waits for its turn returns when its context is over.
func TestFlushThatWaits(t *testing.T) {
	g := make(gate)
	defer close(g)
	q, _ := queue(t, "10", g)
	for range maxFlushes {
		q.flushes <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := q.ForceFlush(ctx); err == nil {
		t.Error("no error")
	}
	for range maxFlushes {
		<-q.flushes
	}
}

// A span that the SDK does not take, because it is being shut down meanwhile, is dropped and
// counted.
func TestSpanThatEndsDuringShutdown(t *testing.T) {
	g := make(gate)
	close(g)
	q, end := queue(t, "10", g)
	end(1)
	if !q.admit() { // as OnEnd does before the SDK refuses the span
		t.Fatal("no room")
	}
	if err := q.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, want := q.Spans(), (Spans{Room: 10, Sent: 1, Dropped: 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	q.OnEnd(ended(t))
	if got, want := q.Spans(), (Spans{Room: 10, Sent: 1, Dropped: 2}); got != want {
		t.Errorf("later: %+v, want %+v", got, want)
	}
}

// To end a span costs no allocation more than without the Queue, nor does a look at the figures.
func TestQueueAllocations(t *testing.T) {
	g := make(gate)
	defer close(g)
	q, end := queue(t, "10", g)
	end(1)
	exportertest.Eventually(t, "one is being sent", func() bool { return q.Spans().Sending == 1 })
	span := ended(t)
	if n := testing.AllocsPerRun(100, func() { q.OnEnd(span) }); n > 0 {
		t.Errorf("OnEnd allocates %v times", n)
	}
	if n := testing.AllocsPerRun(100, func() { _ = q.Spans() }); n > 0 {
		t.Errorf("Spans allocates %v times", n)
	}
}

// ended returns a sampled span that has ended.
func ended(t *testing.T) sdktrace.ReadOnlySpan {
	t.Helper()
	provider := sdktrace.NewTracerProvider()
	_, s := provider.Tracer("test").Start(t.Context(), "render")
	s.End()
	ro, ok := s.(sdktrace.ReadOnlySpan)
	if !ok {
		t.Fatalf("%T is not readable", s)
	}
	return ro
}
