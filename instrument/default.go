package instrument

import (
	"errors"
	"reflect"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/instrument/internal/errs"
)

// defaults is the pipeline that Default returns.
type defaults struct {
	p       *Pipeline
	given   bool                 // by SetDefault; else
	meters  metric.MeterProvider // the global providers that Default made it for
	tracers trace.TracerProvider
}

var (
	current     atomic.Pointer[defaults]
	makeDefault sync.Mutex
	saidNothing atomic.Bool
)

// Default returns the pipeline of everything that is recorded outside of a pipeline's context. Unless
// [SetDefault] gave one, it is made for the global providers at its first use, and made anew when others
// are set, as exporters.Start does. If no meter provider is set when it is made, nothing is measured, and
// otel.Handle is told so once.
func Default() *Pipeline {
	if d := current.Load(); d != nil && (d.fresh() || collecting.Load() > 0) {
		return d.p
	}
	p, err := newDefault()
	if err != nil { // reported without the lock: the handler is the user's code, and may record an error itself
		handle(err)
	}
	return p
}

// fresh reports whether the global providers are still those that d was made for.
func (d *defaults) fresh() bool {
	return d.given || sameProvider(d.meters, otel.GetMeterProvider()) && sameProvider(d.tracers, otel.GetTracerProvider())
}

func newDefault() (*Pipeline, error) {
	makeDefault.Lock()
	defer makeDefault.Unlock()
	old := current.Load()
	if old != nil && old.fresh() {
		return old.p, nil
	}
	meters, tracers := otel.GetMeterProvider(), otel.GetTracerProvider()
	p, err := New(option(func(c *config) error {
		c.implicit, c.meters, c.tracers = true, meters, tracers
		return nil
	}))
	for made := (&defaults{p: p, meters: meters, tracers: tracers}); !current.CompareAndSwap(old, made); {
		if old = current.Load(); old != nil { // SetDefault was called in the meantime
			return old.p, errors.Join(err, p.Close())
		}
	}
	if unset(meters) && saidNothing.CompareAndSwap(false, true) {
		err = errors.Join(err, errors.New("instrument: no meter provider is set, so nothing is measured: "+
			"call exporters.Start or otel.SetMeterProvider before the first recording, or instrument.SetDefault"))
	}
	return p, err
}

// sameProvider reports whether a and b are one. Comparing pointers does not panic; other providers may
// hold what Go does not compare.
func sameProvider(a, b any) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	if reflect.TypeOf(a).Kind() == reflect.Pointer {
		return a == b
	}
	return errs.Identical(a, b)
}

// unset reports whether a global is still the one that package otel starts with.
func unset(global any) bool {
	t := reflect.TypeOf(global)
	if t == nil {
		return true
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.PkgPath() == "go.opentelemetry.io/otel/internal/global"
}

// SetDefault makes p the pipeline that [Default] returns, and returns a function that undoes it. A nil p
// brings back one for the global providers, made anew. The former pipeline is not closed.
func SetDefault(p *Pipeline) (restore func()) {
	var d *defaults
	if p != nil {
		d = &defaults{p: p, given: true}
	}
	old := current.Swap(d)
	return sync.OnceFunc(func() { current.Store(old) })
}
