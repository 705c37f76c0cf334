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
	failures *Failures // nil: the console, whose failures are not counted
	sender   *sender
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

	rm   metricdata.ResourceMetrics // guarded by turn
	next int                        // the point to begin a push with; guarded by turn
}

// NewPusher returns a Pusher from source to e. It pushes nothing on its own before Run. f is nil
// for the console, and counts the failures otherwise.
func NewPusher(c Config, source *collect.Source, e sdkmetric.Exporter, f *Failures) *Pusher {
	timeout := c.Timeout
	if f != nil && f.to.Timeout > 0 {
		timeout = min(timeout, f.to.Timeout)
	}
	p := &Pusher{
		config:   c,
		sender:   newSender(timeout, maxItems),
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
			timer.Reset(max(wait, p.sender.wait()))
			continue
		case <-timer.C:
		}
		if left := p.sender.wait(); left > 0 {
			timer.Reset(left)
			continue
		}
		began := time.Now()
		switch r := p.push(p.ctx, turn{consequence: p.consequence(), limit: p.config.Timeout}); {
		case r.asked: // wait stays: whether there is an outage is not known
			timer.Reset(max(p.sender.wait(), pace.Min))
		case r.soon:
			wait = min(max(2*wait, pace.Min), pace.Max, interval)
			timer.Reset(wait)
		default:
			wait = 0
			timer.Reset(interval - time.Since(began))
		}
	}
}

// Flush pushes now and returns an error for the metrics that were not delivered. It returns at the
// latest when ctx is done, and at once if the receiver asks to be left alone for longer.
func (p *Pusher) Flush(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.life, cancel)()
	if err := p.sender.tooEarly(ctx); err != nil {
		return p.failures.wrap(err)
	}
	if wait := p.sender.wait(); wait > 0 && !sleep(ctx, wait) {
		return p.failures.wrap(ctx.Err())
	}
	r := p.pushWithin(ctx, turn{consequence: p.consequence()})
	if r.soon || r.asked {
		select {
		case p.failed <- struct{}{}:
		default:
		}
	}
	return r.err
}

// A turn is how a push is made.
type turn struct {
	consequence string        // for the log, if the export fails
	limit       time.Duration // of the collection, and of exporting while nothing arrives; 0: until the context is done
	last        bool          // no later push has the data
}

// A result is how a push ended.
type result struct {
	err   error // about the metrics that were not collected or not delivered
	soon  bool  // it is worth trying again soon: there is an outage, or nothing was collected
	asked bool  // the receiver asks to wait
}

// pushWithin pushes and returns when ctx is done. The push then continues in the background if it
// cannot be canceled: the console may block until somebody reads it, and with delta temporality a
// collection is not abandoned, see patient.
func (p *Pusher) pushWithin(ctx context.Context, t turn) result {
	if !p.source.Delta() && p.failures != nil {
		return p.push(ctx, t)
	}
	done := make(chan result, 1)
	go func() { done <- p.push(ctx, t) }() // ends when the callbacks return, or the console is read
	select {
	case r := <-done:
		return r
	case <-ctx.Done():
		return result{err: fmt.Errorf("exporters: metrics not delivered: %w", ctx.Err()), soon: true}
	}
}

// Shutdown makes the last push and ends Run. If the receiver asks to be left alone, the last push
// waits if there is time, and is made at once otherwise, with a single request. A push that is under
// way is canceled, because the last one has all its data. With delta temporality the last one does
// not, so the push may take until ctx is done. A collection in which a callback blocks is abandoned,
// see [collect.Source].
func (p *Pusher) Shutdown(ctx context.Context) error {
	p.sender.end(ctx)
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
	var err error
	if p.sender.hold() {
		err = p.pushWithin(ctx, turn{consequence: lastLost, last: true}).err
	} else {
		err = p.undelivered(ctx, outcome{verdict: outage, err: errLeft}, lastLost)
	}
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

// push collects and exports once.
func (p *Pusher) push(ctx context.Context, t turn) (r result) {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return result{err: fmt.Errorf("exporters: metrics not collected: %w", ctx.Err()), soon: true}
	}
	collected, err := p.collect(ctx, t)
	if err != nil {
		r.err = fmt.Errorf("exporters: collecting metrics: %w", report.Hidden(err))
	}
	if !collected {
		r.soon = err != nil
		return r
	}
	if p.source.Delta() && ctx.Err() != nil { // the collection took all the time: exporting gets its own
		select {
		case <-p.stop:
		default:
			ctx, t.limit = p.ctx, p.config.Timeout
		}
	}
	p.rm.Resource = p.config.Resource // the SDK has merged the environment's attributes into it, unchecked
	if points := newPoints(&p.rm); points.len() > 0 {
		x := export{p: p, turn: t, points: points, result: &r}
		x.run(ctx)
	}
	return r
}

// collect fills p.rm and reports whether it did.
func (p *Pusher) collect(ctx context.Context, t turn) (collected bool, err error) {
	if t.limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, t.limit)
		defer cancel()
	}
	collected, err = p.source.Collect(p.patient(ctx), &p.rm)
	if canceled := errors.Is(err, context.Canceled) && ctx.Err() != nil; err == nil || canceled || errors.Is(err, sdkmetric.ErrReaderShutdown) {
		return collected, err
	}
	p.report.Handle(err)
	if !collected && p.failures != nil {
		p.failures.uncollected(err)
	}
	return collected, err
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

// undelivered counts an export under ctx that ended in o, and returns the error to report.
func (p *Pusher) undelivered(ctx context.Context, o outcome, consequence string) error {
	if p.failures == nil {
		return fmt.Errorf("exporters: metrics not written: %w", o.err)
	}
	if p.source.Delta() {
		ctx = context.WithoutCancel(ctx) // the data is lost, also if the export was canceled
	}
	if o.verdict == tooLarge {
		p.failures.tooLarge(ctx, o)
	} else {
		p.failures.failed(ctx, o, consequence)
	}
	return p.failures.wrap(o.err)
}
