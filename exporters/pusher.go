package exporters

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
)

// A pace is how fast a pusher pushes beside its interval.
type pace struct {
	first time.Duration // after the start: by then the instruments exist and show their zeros
	min   time.Duration // before the first push after a failure
	max   time.Duration // before later ones
}

var defaultPace = pace{first: time.Second, min: time.Second, max: 5 * time.Second}

// A pusher collects metrics and exports them: right after the start, so that
// counters are seen at 0 before they grow; at each interval; while pushes fail
// every few seconds, so that data flows soon after the receiver is back; and
// when it is asked to.
//
// It stands where others have the SDK's PeriodicReader, which ends the process
// when a callback panics, exports nothing when one returns an error, and has a
// Shutdown that waits for one that blocks, whatever its deadline.
type pusher struct {
	exporter sdkmetric.Exporter
	source   *source
	resource *resource.Resource
	failures *failures // nil: those of the console count nowhere
	report   *report   // of callbacks that fail
	interval time.Duration
	timeout  time.Duration // of a push at an interval
	pace     pace
	delta    bool // what a push has collected, no later one has

	turn   chan struct{}      // holds a value while somebody collects and exports
	failed chan struct{}      // gets a value when a push fails that somebody else asked for
	ctx    context.Context    // of pushes at an interval
	cancel context.CancelFunc // calls them off
	life   context.Context    // of those that somebody waits for
	end    context.CancelFunc // calls them off
	stop   chan struct{}      // closed by halt
	halt   func()
	done   chan struct{}

	rm metricdata.ResourceMetrics // of whose turn it is
}

func newPusher(s settings, res *resource.Resource, src *source, e sdkmetric.Exporter, f *failures) *pusher {
	p := &pusher{
		exporter: e,
		source:   src,
		resource: res,
		failures: f,
		report:   &report{logger: s.logger, msg: "a collection has errors"},
		interval: s.interval,
		timeout:  s.exportTimeout,
		pace:     s.pace,
		delta:    isDelta(e),
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

// isDelta tells that counters are counted anew from collection to collection.
func isDelta(e sdkmetric.Exporter) bool {
	return e.Temporality(sdkmetric.InstrumentKindCounter) == metricdata.DeltaTemporality
}

// run pushes until stop is closed.
func (p *pusher) run() {
	defer close(p.done)
	timer := time.NewTimer(p.pace.first)
	defer timer.Stop()
	wait := p.pace.first
	for {
		select {
		case <-p.stop:
			return
		case <-p.failed:
			wait = min(p.pace.min, p.interval)
			timer.Reset(wait)
			continue
		case <-timer.C:
		}
		began := time.Now()
		ctx, cancel := context.WithTimeout(p.ctx, p.timeout)
		err := p.push(ctx)
		cancel()
		if err != nil {
			wait = min(max(2*wait, p.pace.min), p.pace.max, p.interval)
			timer.Reset(wait)
		} else {
			wait = 0
			timer.Reset(p.interval - time.Since(began))
		}
	}
}

// flush pushes for somebody who waits for it.
func (p *pusher) flush(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.life, cancel)()
	err := p.pushWithin(ctx)
	if err != nil {
		select {
		case p.failed <- struct{}{}:
		default:
		}
	}
	return err
}

// pushWithin pushes, and leaves a push to itself when ctx is done: to the console
// it may wait for who reads it, and with delta temporality a collection that a
// callback holds up is not given up, see patient.
func (p *pusher) pushWithin(ctx context.Context) error {
	if !p.delta && p.failures != nil {
		return p.push(ctx)
	}
	done := make(chan error, 1)
	go func() { done <- p.push(ctx) }() // ends with the callbacks, or with who reads the console
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("exporters: metrics not delivered: %w", ctx.Err())
	}
}

// shutdown makes the last push. One that is under way is called off, since the
// last one has all that it has; with delta temporality it does not, and has
// until ctx is done. A collection that a callback holds up is left behind, see
// [source].
func (p *pusher) shutdown(ctx context.Context) error {
	p.halt()
	if !p.delta {
		p.cancel()
	}
	defer p.cancel()
	select {
	case <-p.done:
	case <-ctx.Done():
		p.cancel()
		select {
		case <-p.done:
		case <-time.After(callOff):
		}
	}
	err := p.pushWithin(ctx)
	p.end() // a flush that took longer than ctx has the exporter, whose Shutdown would wait for it
	return errors.Join(err, p.exporter.Shutdown(ctx))
}

// callOff is how long Shutdown waits for a push to notice that it was called
// off.
const callOff = 100 * time.Millisecond

// push collects and exports once. The error is what was not delivered, or not
// collected.
func (p *pusher) push(ctx context.Context) error {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return fmt.Errorf("exporters: metrics not collected: %w", ctx.Err())
	}
	collected, err := p.source.collect(p.patient(ctx), &p.rm)
	if err != nil {
		if calledOff := errors.Is(err, context.Canceled) && ctx.Err() != nil; !calledOff && !errors.Is(err, sdkmetric.ErrReaderShutdown) {
			p.report.Handle(err)
		}
		err = fmt.Errorf("exporters: collecting metrics: %w", err)
	}
	if !collected {
		return err
	}
	if p.delta && ctx.Err() != nil { // what is collected gets its time, also where the collection took all there was
		select {
		case <-p.stop:
		default:
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(p.ctx, p.timeout)
			defer cancel()
		}
	}
	p.rm.Resource = p.resource // the SDK has put the environment's raw one under it
	delivered := true
	for part := range parts(&p.rm, maxBatch) {
		e := p.exporter.Export(ctx, part)
		if notUTF8(e) {
			validPoints(part)
			e = p.exporter.Export(ctx, part)
		}
		if e != nil {
			delivered = false
			err = errors.Join(err, p.undelivered(ctx, e))
		}
	}
	if delivered && p.failures != nil {
		p.failures.worked()
	}
	return err
}

// patient returns the context of a collection. One with delta temporality is
// not given up before Shutdown: what it has collected, no later one has.
func (p *pusher) patient(ctx context.Context) context.Context {
	select {
	case <-p.stop:
		return ctx
	default:
	}
	if p.delta {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

// undelivered notes that an export under ctx ended in err.
func (p *pusher) undelivered(ctx context.Context, err error) error {
	if p.failures == nil {
		return fmt.Errorf("exporters: metrics not written: %w", err)
	}
	if p.delta {
		ctx = context.WithoutCancel(ctx) // called off or not, it is lost
	}
	p.failures.failed(ctx, err)
	return p.failures.wrap(err)
}
