package instrument

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel"

	"github.com/stagemeter/stagemeter/instrument/internal/errs"
)

// defaults is the pipeline that Default returns.
type defaults struct {
	p       *Pipeline
	given   bool   // by SetDefault; else
	meters  global // the global providers that Default made it for
	tracers global
	silent  bool // no meter provider is set
}

// A global is a provider that was once a global of package otel.
type global struct {
	provider   any
	comparable bool // == does not panic
}

func newGlobal(provider any) global {
	return global{provider, reflect.ValueOf(provider).Comparable()}
}

// is reports whether it is still the global, which is now current.
func (g global) is(current any) bool {
	if g.comparable {
		return g.provider == current
	}
	return errs.Identical(g.provider, current)
}

// unset reports whether the global is the one that package otel starts with, or nil.
func (g global) unset() bool {
	t := reflect.TypeOf(g.provider)
	if t == nil {
		return true
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.PkgPath() == "go.opentelemetry.io/otel/internal/global"
}

var (
	current     atomic.Pointer[defaults]
	makeDefault sync.Mutex
	saidNothing atomic.Bool
)

// Default returns the pipeline of everything that is recorded outside of a pipeline's context.
// Unless [SetDefault] gave one, it is made for the global providers at its first use, and made anew
// when others are set, as exporters.Start does. Jobs and stages under way stay with the pipeline
// that they started in. If no meter provider is set when it is used, nothing is measured, which is
// reported once to otel.Handle.
func Default() *Pipeline {
	d := current.Load()
	if d == nil || !d.fresh() && collecting.Load() == 0 {
		d = prepareDefault()
	}
	if d.silent && saidNothing.CompareAndSwap(false, true) {
		handle(errSilent)
	}
	return d.p
}

// prepareDefault makes the pipeline of Default without recording anything.
func prepareDefault() *defaults {
	d, err := newDefault()
	if err != nil { // reported without the lock: the handler is the user's code, and may record an error itself
		handle(err)
	}
	return d
}

var errSilent = errors.New("instrument: no meter provider is set, so nothing is measured: " +
	"call exporters.Start or otel.SetMeterProvider before the first recording, or instrument.SetDefault")

// fresh reports whether the global providers are still those that d was made for.
func (d *defaults) fresh() bool {
	return d.given || d.meters.is(otel.GetMeterProvider()) && d.tracers.is(otel.GetTracerProvider())
}

func newDefault() (*defaults, error) {
	makeDefault.Lock()
	defer makeDefault.Unlock()
	old := current.Load()
	if old != nil && old.fresh() {
		return old, nil
	}
	meters, tracers := otel.GetMeterProvider(), otel.GetTracerProvider()
	p, err := New(option(func(c *config) error {
		c.implicit, c.meters, c.tracers = true, meters, tracers
		return nil
	}))
	made := &defaults{p: p, meters: newGlobal(meters), tracers: newGlobal(tracers)}
	made.silent = made.meters.unset()
	for !current.CompareAndSwap(old, made) {
		if old = current.Load(); old != nil { // SetDefault was called in the meantime
			return old, errors.Join(err, p.Close(context.Background()))
		}
	}
	return made, err
}

// SetDefault makes p the pipeline that [Default] returns, and returns a function that undoes it. A
// nil p brings back one for the global providers, made anew. The former pipeline is not closed.
func SetDefault(p *Pipeline) (restore func()) {
	var d *defaults
	if p != nil {
		d = &defaults{p: p, given: true}
	}
	old := current.Swap(d)
	return sync.OnceFunc(func() { current.Store(old) })
}
