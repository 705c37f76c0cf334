package push

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/stagemeter/stagemeter/exporters/internal/collect"
	"github.com/stagemeter/stagemeter/exporters/internal/report"
	"github.com/stagemeter/stagemeter/exporters/internal/settings"
)

// A Config is what the pushers of a program have in common.
type Config struct {
	Resource *resource.Resource
	Logger   *slog.Logger
	Interval time.Duration // between two pushes
	Timeout  time.Duration // of a push at an interval
	Pace     settings.Pace
}

// A Pusher collects metrics and exports them: soon after the start, so that counters are seen at 0
// before they grow; at each interval; every few seconds while pushes fail, so that data flows soon
// after the receiver is back; and when Flush or Shutdown asks for it.
//
// It replaces the SDK's PeriodicReader, which ends the process if a callback panics, exports
// nothing if one returns an error, and has a Shutdown that waits for a blocked one, whatever its
// deadline.
type Pusher struct {
	config   Config
	exporter sdkmetric.Exporter
	source   *collect.Source
	failures *Failures        // nil: the console, whose failures are not counted
	report   *report.Repeated // of callbacks that fail

	turn   chan struct{}      // holds a value during a push
	failed chan struct{}      // gets a value when a push of Flush fails
	ctx    context.Context    // of pushes at an interval
	cancel context.CancelFunc // cancels ctx
	life   context.Context    // of pushes of Flush
	end    context.CancelFunc // cancels life
	stop   chan struct{}      // closed by halt
	halt   func()
	done   chan struct{}

	rm metricdata.ResourceMetrics // guarded by turn
}

// NewPusher returns a Pusher from source to e. It pushes nothing on its own before Run. f is nil
// for the console, and counts the failures otherwise.
func NewPusher(c Config, source *collect.Source, e sdkmetric.Exporter, f *Failures) *Pusher {
	p := &Pusher{
		config:   c,
		exporter: e,
		source:   source,
		failures: f,
		report:   report.NewRepeated(c.Logger, "a collection has errors"),
		turn:     make(chan struct{}, 1),
		failed:   make(chan struct{}, 1),
		stop:     make(chan struct{}),
		done:     make(chan struct{}),
	}
	p.halt = sync.OnceFunc(func() { close(p.stop) })
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.life, p.end = context.WithCancel(context.Background())
	return p
}

// Run pushes until Shutdown.
func (p *Pusher) Run() {
	defer close(p.done)
	pace, interval := p.config.Pace, p.config.Interval
	timer := time.NewTimer(pace.First)
	defer timer.Stop()
	wait := pace.First
	for {
		select {
		case <-p.stop:
			return
		case <-p.failed:
			wait = min(pace.Min, interval)
			timer.Reset(wait)
			continue
		case <-timer.C:
		}
		began := time.Now()
		ctx, cancel := context.WithTimeout(p.ctx, p.config.Timeout)
		err := p.push(ctx, p.consequence())
		cancel()
		if err != nil {
			wait = min(max(2*wait, pace.Min), pace.Max, interval)
			timer.Reset(wait)
		} else {
			wait = 0
			timer.Reset(interval - time.Since(began))
		}
	}
}

// Flush pushes now and returns an error for the metrics that were not delivered. It returns at the
// latest when ctx is done.
func (p *Pusher) Flush(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.life, cancel)()
	err := p.pushWithin(ctx, p.consequence())
	if err != nil {
		select {
		case p.failed <- struct{}{}:
		default:
		}
	}
	return err
}

// pushWithin pushes and returns when ctx is done. The push then continues in the background if it
// cannot be canceled: the console may block until somebody reads it, and with delta temporality a
// collection is not abandoned, see patient.
func (p *Pusher) pushWithin(ctx context.Context, consequence string) error {
	if !p.source.Delta() && p.failures != nil {
		return p.push(ctx, consequence)
	}
	done := make(chan error, 1)
	go func() { done <- p.push(ctx, consequence) }() // ends when the callbacks return, or the console is read
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("exporters: metrics not delivered: %w", ctx.Err())
	}
}

// Shutdown makes the last push and ends Run. A push that is under way is canceled, because the last
// one has all its data. With delta temporality the last one does not, so the push may take until
// ctx is done. A collection in which a callback blocks is abandoned, see [collect.Source].
func (p *Pusher) Shutdown(ctx context.Context) error {
	p.halt()
	if !p.source.Delta() {
		p.cancel()
	}
	defer p.cancel()
	select {
	case <-p.done:
	case <-ctx.Done():
		p.cancel()
		select {
		case <-p.done:
		case <-time.After(cancelGrace):
		}
	}
	err := p.pushWithin(ctx, lastLost)
	p.end() // a Flush with a later deadline holds the exporter, and its Shutdown would wait
	return errors.Join(err, p.exporter.Shutdown(ctx))
}

// cancelGrace is how long Shutdown waits for a push that it has canceled.
const cancelGrace = 100 * time.Millisecond

// consequence returns what it means if a push fails, unless it is the last one.
func (p *Pusher) consequence() string {
	if p.source.Delta() {
		return lost
	}
	return kept
}

// push collects and exports once. The error is about the metrics that were not collected or not
// delivered. The log has consequence if the export fails.
func (p *Pusher) push(ctx context.Context, consequence string) error {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return fmt.Errorf("exporters: metrics not collected: %w", ctx.Err())
	}
	collected, err := p.source.Collect(p.patient(ctx), &p.rm)
	if err != nil {
		if canceled := errors.Is(err, context.Canceled) && ctx.Err() != nil; !canceled && !errors.Is(err, sdkmetric.ErrReaderShutdown) {
			p.report.Handle(err)
			if !collected && p.failures != nil {
				p.failures.uncollected(err)
			}
		}
		err = fmt.Errorf("exporters: collecting metrics: %w", report.Hidden(err))
	}
	if !collected {
		return err
	}
	if p.source.Delta() && ctx.Err() != nil { // the collection took all the time: exporting gets its own
		select {
		case <-p.stop:
		default:
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(p.ctx, p.config.Timeout)
			defer cancel()
		}
	}
	return p.export(ctx, err, consequence)
}

// export exports p.rm in parts. It returns err joined with an error for each part that was not
// delivered.
func (p *Pusher) export(ctx context.Context, err error, consequence string) error {
	p.rm.Resource = p.config.Resource // the SDK has merged the environment's attributes into it, unchecked
	sent, delivered := false, true
	for part := range parts(&p.rm, maxBatch) {
		sent = true
		e := p.exporter.Export(ctx, part)
		if notUTF8(e) {
			validPoints(part)
			e = p.exporter.Export(ctx, part)
		}
		if e != nil && p.failures != nil && rejected(e, 1) == 0 {
			p.failures.warned(e)
			e = nil
		}
		if e != nil {
			delivered = false
			err = errors.Join(err, p.undelivered(ctx, e, consequence))
		}
	}
	if sent && delivered && p.failures != nil { // without a request nobody knows whether exports work
		p.failures.worked()
	}
	return err
}

// patient returns the context of a collection. With delta temporality a collection is not abandoned
// before Shutdown: no later one has its data.
func (p *Pusher) patient(ctx context.Context) context.Context {
	select {
	case <-p.stop:
		return ctx
	default:
	}
	if p.source.Delta() {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

// undelivered counts an export under ctx that ended in err, and returns the error to report.
func (p *Pusher) undelivered(ctx context.Context, err error, consequence string) error {
	if p.failures == nil {
		return fmt.Errorf("exporters: metrics not written: %w", err)
	}
	if p.source.Delta() {
		ctx = context.WithoutCancel(ctx) // the data is lost, also if the export was canceled
	}
	p.failures.failed(ctx, err, consequence)
	return p.failures.wrap(err)
}
