package exporters

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/stagemeter/stagemeter/internal/instruments"
	"github.com/stagemeter/stagemeter/semconv"
)

// failures follows one signal's exports. Each failure is counted in
// video.processing.export_failures; the log gets one line when exports begin to
// fail and one when they work again.
type failures struct {
	signal semconv.Signal
	to     *destination
	logger *slog.Logger

	mu      sync.Mutex
	counter metric.Int64Counter
	add     []metric.AddOption
	total   uint64 // failures ever
	last    error  // the latest of them
	spell   uint64 // failures since exports last worked; 0: they work
	since   time.Time
}

func newFailures(to *destination, logger *slog.Logger) *failures {
	return &failures{
		signal:  to.signal,
		to:      to,
		logger:  logger.With("signal", string(to.signal), "endpoint", to.String()),
		counter: noop.Int64Counter{},
	}
}

// bind counts with m from now on, and shows 0 at once.
func (f *failures) bind(m metric.Meter) error {
	c, err := instruments.NewExportFailures(m)
	f.mu.Lock()
	f.counter, f.add = c, []metric.AddOption{c.With(f.signal)}
	f.mu.Unlock()
	c.Add(context.Background(), 0, f.add...)
	return err
}

// failed notes that an export under ctx ended in err. One that was called off,
// as Shutdown does with a push under way to make the last one itself, isn't a
// failure.
func (f *failures) failed(ctx context.Context, err error) {
	if errors.Is(ctx.Err(), context.Canceled) {
		return
	}
	err = brief{err}
	f.mu.Lock()
	f.total++
	f.spell++
	f.last = err
	first := f.spell == 1
	if first {
		f.since = time.Now()
	}
	counter, add := f.counter, f.add
	f.mu.Unlock()

	counter.Add(context.WithoutCancel(ctx), 1, add...)
	if !first {
		return
	}
	f.logger.Warn("OTLP export fails; "+f.consequence(), "error", err)
}

// consequence says what a failure means for the signal.
func (f *failures) consequence() string {
	if f.signal == semconv.SignalTraces {
		return "spans are dropped meanwhile"
	}
	return "what is counted is kept and sent later"
}

// worked notes that exports work.
func (f *failures) worked() {
	f.mu.Lock()
	spell, since := f.spell, f.since
	f.spell = 0
	f.mu.Unlock()
	if spell > 0 {
		f.logger.Info("OTLP export works again", "failures", spell, "after", time.Since(since).Round(time.Millisecond))
	}
}

// mark returns a point in the history of failures for after.
func (f *failures) mark() uint64 {
	if f == nil {
		return 0
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.total
}

// after returns the latest failure if there was one after mark.
func (f *failures) after(mark uint64) error {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.total == mark {
		return nil
	}
	return f.wrap(f.last)
}

// wrap says what was not delivered, and where to.
func (f *failures) wrap(err error) error {
	return fmt.Errorf("exporters: %s not delivered to %s: %w", f.signal, f.to, brief{err})
}

// A spanExporter hides the errors of its exporter from the SDK, which would
// report every one, and gives them to failures.
type spanExporter struct {
	sdktrace.SpanExporter
	failures *failures
	resource *resource.Resource // nil: that of the spans
}

func (e spanExporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if e.resource != nil {
		spans = slices.Clone(spans)
		for i := range spans {
			spans[i] = ofResource{spans[i], e.resource}
		}
	}
	err := e.SpanExporter.ExportSpans(ctx, spans)
	if notUTF8(err) {
		spans = slices.Clone(spans)
		for i := range spans {
			spans[i] = validSpan{spans[i]}
		}
		err = e.SpanExporter.ExportSpans(ctx, spans)
	}
	if err != nil {
		e.failures.failed(context.WithoutCancel(ctx), err) // called off or not, they are lost
	} else {
		e.failures.worked()
	}
	return nil
}

// ofResource is a span with another resource than its provider's.
type ofResource struct {
	sdktrace.ReadOnlySpan
	resource *resource.Resource
}

func (s ofResource) Resource() *resource.Resource { return s.resource }
