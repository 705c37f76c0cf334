package exporters

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"testing"
	"time"

	colmetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
)

// within fails the test if f does not return in time.
func within(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("after %v still running: %s", patience, what)
	}
}

// A ForceFlush with a later deadline does not delay Shutdown.
func TestShutdownDuringAFlush(t *testing.T) {
	for _, temporality := range []string{"cumulative", "delta"} {
		t.Run(temporality, func(t *testing.T) {
			t.Setenv("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", temporality)
			t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "3600000")
			r := receive(t)
			var pushes atomic.Int64
			r.onMetrics = func(ctx context.Context, _ *colmetrics.ExportMetricsServiceRequest) error {
				pushes.Add(1)
				<-ctx.Done()
				return ctx.Err()
			}
			tel := start(t, WithoutPrometheus(), WithOTLPEndpoint(r.url()), WithExportInterval(time.Hour), WithLogger((&exportertest.LogBook{}).Logger()))
			count(tel, "jobs", 1)
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			flushed := make(chan error, 1)
			go func() { flushed <- tel.ForceFlush(ctx) }()
			eventually(t, "the receiver has it, and is silent", func() bool { return pushes.Load() > 0 })
			ctx, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			within(t, "Shutdown", func() {
				if err := tel.Shutdown(ctx); err == nil {
					t.Error("Shutdown: no error, though nothing was delivered")
				}
			})
			within(t, "ForceFlush", func() {
				if err := <-flushed; err == nil {
					t.Error("ForceFlush: no error, though nothing was delivered")
				}
			})
		})
	}
}

// With delta temporality the data of a collection that a callback delays is not lost.
func TestDeltaOfASlowCallbackArrives(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta")
	r := receive(t)
	tel := start(t, WithoutPrometheus(), WithOTLPEndpoint(r.url()), WithExportInterval(time.Hour), WithShutdownTimeout(patience))
	eventually(t, "the first push", func() bool { return r.sum(exportFailures) == 0 })
	_, release := blockCollections(t, tel)
	count(tel, "jobs", 7)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := tel.ForceFlush(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("ForceFlush: %v, want that the time is over", err)
	}
	release()
	eventually(t, "what was collected arrives", func() bool { return r.sum("jobs") == 7 })
}

// Spans of a flush that is canceled are lost, and counted.
func TestSpansOfACanceledFlush(t *testing.T) {
	r := receive(t)
	var waits atomic.Bool
	waits.Store(true)
	exporting := make(chan struct{}, 1)
	r.onTraces = func(ctx context.Context, _ *coltrace.ExportTraceServiceRequest) error {
		if waits.Load() {
			exporting <- struct{}{}
			<-ctx.Done()
		}
		return ctx.Err()
	}
	book := &exportertest.LogBook{}
	tel := start(t, WithoutServer(), WithOTLPEndpoint(r.url()), WithExportInterval(time.Hour), WithLogger(book.Logger()))
	span(tel, "lost")
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-exporting; waits.Store(false); cancel() }()
	if err := tel.traces.flush(ctx); err == nil {
		t.Error("no error, though nothing was delivered")
	}
	eventually(t, "it is counted", func() bool { return tel.traces.failures.Mark() == 1 })
	eventually(t, "it is logged", func() bool { return book.Lines("OTLP export fails", "signal=traces", "dropped") == 1 })
}

// Nobody reads the console: it is a pipe into a pager, or a terminal that is stopped.
func TestConsoleThatNobodyReads(t *testing.T) {
	t.Setenv("OTEL_METRICS_EXPORTER", "console")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = r.Close(), w.Close() }()
	stdout := os.Stdout
	os.Stdout = w
	tel := start(t, WithExportInterval(time.Hour), WithCardinalityLimit(5000))
	os.Stdout = stdout
	exportertest.ManySeries(t.Context(), t, tel.MeterProvider(), 4000) // more than a pipe holds
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	within(t, "ForceFlush", func() {
		if err := tel.ForceFlush(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("ForceFlush: %v, want that the time is over", err)
		}
	})
	ctx, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	within(t, "Shutdown", func() {
		if err := tel.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown: %v, want that the time is over", err)
		}
	})
}
