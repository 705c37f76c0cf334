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
// video.processing.export_failures, logs one line when exports begin to fail and one when they work
// again, and keeps the figures of Health. An outage, a refusal and a wish to wait have a line each.
// It is safe for concurrent use. A nil *Failures has none.
type Failures struct {
	signal semconv.Signal
	to     *settings.Destination
	logger *slog.Logger

	secrets []string // of the destination

	mu      sync.Mutex
	counter metric.Int64Counter
	add     []metric.AddOption
	total   uint64           // failures ever
	last    error            // the latest of them
	spell   uint64           // failures since exports last worked; 0: they work
	logged  map[verdict]bool // of the spell
	since   time.Time
	leftOut time.Time // when it was last logged that data is too large
	warning string    // the latest of the receiver
	health  Health
}

// Health is how the exports of one signal fare. A time is zero if nothing of the kind has happened.
type Health struct {
	Endpoint       string
	Successes      int64
	LastSuccess    time.Time
	Failures       int64
	FailuresInARow int64
	LastFailure    time.Time
	LastError      string
}

// Health returns a copy of the figures, the zero value for a nil f. It waits for nothing.
func (f *Failures) Health() Health {
	if f == nil {
		return Health{}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.health
}

// failed counts a failure with the text of err. The caller holds the lock.
func (h *Health) failed(err error) {
	h.Failures++
	h.FailuresInARow++
	h.LastFailure, h.LastError = time.Now(), err.Error()
}

// NewFailures returns the Failures of exports to a destination. It counts nothing before Bind.
func NewFailures(to *settings.Destination, logger *slog.Logger) *Failures {
	return &Failures{
		signal:  to.Signal,
		to:      to,
		logger:  logger.With("signal", string(to.Signal), "endpoint", to.String()),
		secrets: to.Secrets(),
		counter: noop.Int64Counter{},
		health:  Health{Endpoint: to.String()},
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
	queued   = "spans wait in their queue, and are dropped if it is full"
)

// failed counts an export under ctx that ended in o. If it is the first of its kind since exports
// last worked, failed logs it with its consequence. An export whose ctx was canceled is no failure:
// Shutdown cancels a push to make the last one itself.
func (f *Failures) failed(ctx context.Context, o outcome, consequence string) {
	if errors.Is(ctx.Err(), context.Canceled) {
		return
	}
	kind, text := o.verdict, "OTLP export fails; "
	switch kind {
	case asked:
		text = "OTLP export waits, as the receiver asks; "
	case refused:
		text = "OTLP export fails: the receiver refuses the data; "
	default:
		kind = outage
	}
	err := report.Brief(o.err, f.secrets...)
	f.mu.Lock()
	f.health.failed(err)
	f.total++
	f.last = err
	first := f.inSpell(kind)
	counter, add := f.counter, f.add
	f.mu.Unlock()

	counter.Add(context.WithoutCancel(ctx), 1, add...)
	if first {
		f.logger.Warn(text+consequence, "error", err)
	}
}

// inSpell adds a failure to the spell, and reports whether it is the first of its kind. The caller
// has f.mu.
func (f *Failures) inSpell(kind verdict) bool {
	f.spell++
	if f.spell == 1 {
		f.since, f.logged = time.Now(), map[verdict]bool{}
	}
	first := !f.logged[kind]
	f.logged[kind] = true
	return first
}

// sayAgain is how long it is not said again that data is too large. A metric that is too large
// comes with every push.
const sayAgain = time.Hour

// tooLarge counts an item that the receiver does not take alone because of its size. It is lost,
// but it is no outage: the others of its push arrive.
func (f *Failures) tooLarge(ctx context.Context, o outcome) {
	err := report.Brief(o.err, f.secrets...)
	f.mu.Lock()
	f.health.Failures++
	f.health.LastFailure, f.health.LastError = time.Now(), err.Error()
	f.total++
	f.last = err
	first := f.leftOut.IsZero() || time.Since(f.leftOut) >= sayAgain
	if first {
		f.leftOut = time.Now()
	}
	counter, add := f.counter, f.add
	f.mu.Unlock()

	counter.Add(context.WithoutCancel(ctx), 1, add...)
	if first {
		f.logger.Warn("OTLP export leaves out data that is too large for the receiver", "name", o.name, "error", err)
	}
}

// nothing records that nothing of an export arrived, because all of it was too large: the receiver,
// or a proxy before it, takes no data. tooLarge has counted each item already.
func (f *Failures) nothing(consequence string) {
	f.mu.Lock()
	f.health.FailuresInARow++
	err, first := f.last, f.inSpell(refused)
	f.mu.Unlock()
	if first {
		f.logger.Warn("OTLP export fails: the receiver finds all data too large; "+consequence, "error", err)
	}
}

// uncollected records that a push had nothing to export, because of err. It is a failure of Health
// only: the source of the metrics has logged it.
func (f *Failures) uncollected(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.health.failed(report.Brief(err, f.secrets...))
}

// warned logs what a receiver says about an export that it has accepted as a whole, unless it has
// just said the same.
func (f *Failures) warned(err error) {
	text := report.Brief(err, f.secrets...).Error()
	f.mu.Lock()
	repeated := text == f.warning
	f.warning = text
	f.mu.Unlock()
	if !repeated {
		f.logger.Warn("the OTLP receiver accepts the data and warns", "error", text)
	}
}

// worked records that an export succeeded.
func (f *Failures) worked() {
	f.mu.Lock()
	spell, since := f.spell, f.since
	f.spell = 0
	f.health.Successes++
	f.health.FailuresInARow = 0
	f.health.LastSuccess = time.Now()
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
	return fmt.Errorf("exporters: %s not delivered to %s: %w", f.signal, f.to, report.Brief(err, f.secrets...))
}
