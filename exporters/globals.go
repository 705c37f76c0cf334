package exporters

import (
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"

	"github.com/stagemeter/stagemeter/exporters/internal/report"
	"github.com/stagemeter/stagemeter/exporters/internal/settings"
)

// globals remembers which globals of package otel a Start has set.
var globals struct {
	mu                        sync.Mutex
	meter, tracer, propagator claim
}

// A claim is a global that a Start has set. The zero value is none.
type claim struct {
	value any
	by    *Telemetry
}

// silenceGlobals makes package otel report to s.Logger, if s replaces the globals. While Start runs
// the SDK logs nothing: Start's error says it better.
//
// It also takes the logger of package otel, and gives it s.Logger at the end, if a header or an
// endpoint in the environment is malformed. The exporters read these variables too, although they
// get the values as options, and would log a malformed one whole, with its key or password. There is
// no option against it, and no way to read the logger that was set before.
func silenceGlobals(s settings.Settings) (restore func()) {
	replace := s.Config.Globals == settings.GlobalsReplace
	if replace {
		otel.SetErrorHandler(report.NewRepeated(s.Logger, "OpenTelemetry"))
	}
	if !replace && !s.Malformed {
		return func() {}
	}
	otel.SetLogger(logr.Discard())
	return func() { otel.SetLogger(logr.FromSlogHandler(s.Logger.Handler())) }
}

// setGlobals makes package otel use t, as far as s allows.
func (t *Telemetry) setGlobals(s settings.Settings) {
	if s.Config.Globals == settings.GlobalsKeep {
		return
	}
	replace := s.Config.Globals == settings.GlobalsReplace
	meters, tracers, propagator := t.MeterProvider(), t.TracerProvider(), t.Propagator()
	globals.mu.Lock()
	defer globals.mu.Unlock()
	if replace || globals.meter.free(otel.GetMeterProvider(), "meter provider", s.Logger) {
		otel.SetMeterProvider(meters)
		globals.meter = claim{meters, t}
	}
	if replace || globals.tracer.free(otel.GetTracerProvider(), "tracer provider", s.Logger) {
		otel.SetTracerProvider(tracers)
		globals.tracer = claim{tracers, t}
	}
	if replace || globals.propagator.free(otel.GetTextMapPropagator(), "propagator", s.Logger) {
		otel.SetTextMapPropagator(propagator)
		globals.propagator = claim{propagator, t}
	}
}

// free reports whether current, the global called name, may be replaced: if nobody has set it, or
// if c set it and its Telemetry has been shut down. Otherwise it logs that current is left
// unchanged.
func (c claim) free(current any, name string, logger *slog.Logger) bool {
	if isInitial(current) || c.by != nil && c.by.closed.Load() && same(current, c.value) {
		return true
	}
	logger.Info("the global "+name+" of package otel is already set and left unchanged; WithGlobals would replace it",
		"type", fmt.Sprintf("%T", current))
	return false
}

// initialPackage is the package of the types that package otel starts with. Programs cannot make
// values of them.
const initialPackage = "go.opentelemetry.io/otel/internal/global"

// isInitial reports whether v is a global that package otel starts with.
func isInitial(v any) bool {
	t := reflect.TypeOf(v)
	if t == nil {
		return false
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	path := t.PkgPath()
	return path == initialPackage || strings.HasSuffix(path, "/vendor/"+initialPackage)
}

// same reports whether a and b are the same value. Unlike ==, it does not panic: functions, maps
// and slices, of which a composite propagator is one, are the same if they share their memory;
// other values that cannot be compared are not.
func same(a, b any) bool {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	if !x.IsValid() || !y.IsValid() || x.Type() != y.Type() {
		return false
	}
	if x.Comparable() && y.Comparable() {
		return a == b
	}
	switch x.Kind() {
	case reflect.Slice:
		return x.Len() == y.Len() && x.UnsafePointer() == y.UnsafePointer()
	case reflect.Map, reflect.Func:
		return x.UnsafePointer() == y.UnsafePointer()
	default:
		return false
	}
}
