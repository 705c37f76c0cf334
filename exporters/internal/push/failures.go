package push

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/stagemeter/stagemeter/exporters/internal/report"
	"github.com/stagemeter/stagemeter/exporters/internal/settings"
	"github.com/stagemeter/stagemeter/internal/instruments"
	"github.com/stagemeter/stagemeter/semconv"
)

// Failures follows one signal's exports. It counts each failure in
// video.processing.export_failures, and logs one line when exports begin to fail and one when they
// work again. It is safe for concurrent use. A nil *Failures has none.
type Failures struct {
	signal semconv.Signal
	to     *settings.Destination
	logger *slog.Logger

	mu      sync.Mutex
	counter metric.Int64Counter
	add     []metric.AddOption
	total   uint64 // failures ever
	last    error  // the latest of them
	spell   uint64 // failures since exports last worked; 0: they work
	since   time.Time
}

// NewFailures returns the Failures of exports to a destination. It counts nothing before Bind.
func NewFailures(to *settings.Destination, logger *slog.Logger) *Failures {
	return &Failures{
		signal:  to.Signal,
		to:      to,
		logger:  logger.With("signal", string(to.Signal), "endpoint", to.String()),
		counter: noop.Int64Counter{},
	}
}

// Bind makes f count with m from now on. The counter appears at 0 at once.
func (f *Failures) Bind(m metric.Meter) error {
	if f == nil {
		return nil
	}
	c, err := instruments.NewExportFailures(m)
	f.mu.Lock()
	f.counter, f.add = c, []metric.AddOption{c.With(f.signal)}
	f.mu.Unlock()
	c.Add(context.Background(), 0, f.add...)
	return err
}

// What a failure means for the data, in the log.
const (
	kept     = "counts are kept and sent later"
	lost     = "counts of pushes that fail are lost"
	lastLost = "this was the last push: counts that no earlier one delivered are lost"
	dropped  = "spans are dropped meanwhile"
)

// failed counts an export under ctx that ended in err. If it is the first since exports last
// worked, failed logs it with its consequence. An export whose ctx was canceled is no failure:
// Shutdown cancels a push to make the last one itself.
func (f *Failures) failed(ctx context.Context, err error, consequence string) {
	if errors.Is(ctx.Err(), context.Canceled) {
		return
	}
	err = report.Brief(err)
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
	f.logger.Warn("OTLP export fails; "+consequence, "error", err)
}

// worked records that an export succeeded.
func (f *Failures) worked() {
	f.mu.Lock()
	spell, since := f.spell, f.since
	f.spell = 0
	f.mu.Unlock()
	if spell > 0 {
		f.logger.Info("OTLP export works again", "failures", spell, "after", time.Since(since).Round(time.Millisecond))
	}
}

// Mark returns how many exports have failed so far, for After.
func (f *Failures) Mark() uint64 {
	if f == nil {
		return 0
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.total
}

// After returns the latest failure after mark, or nil if there was none.
func (f *Failures) After(mark uint64) error {
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

// wrap adds the signal and the destination to err.
func (f *Failures) wrap(err error) error {
	return fmt.Errorf("exporters: %s not delivered to %s: %w", f.signal, f.to, report.Brief(err))
}
