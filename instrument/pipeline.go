package instrument

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"strconv"
	"sync/atomic"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/stagemeter/stagemeter/internal/instruments"
	"github.com/stagemeter/stagemeter/semconv"
)

// ScopeName names the meter and the tracer of this package.
const ScopeName = "github.com/stagemeter/stagemeter/instrument"

// Version is the version of this package, and of its meter and tracer.
const Version = "0.1.0"

// A Pipeline measures jobs. One program has one, made by [New] once the providers are there; its methods are safe for
// concurrent use. A nil *Pipeline and the zero Pipeline are inert: what they wrap runs unmeasured.
type Pipeline struct {
	ready        bool
	implicit     bool // nobody asked for it: the one of Default
	root         scope
	inst         instruments.Set
	tracer       trace.Tracer
	untraced     bool // the tracer is the API's no-op
	propagator   propagation.TextMapPropagator
	classify     func(error) string
	recover      bool
	jobIDLabel   bool
	ledger       Ledger
	holdPrefix   string
	holds        atomic.Uint64
	unnamed      atomic.Uint64
	live         live
	stages       *names[stageHandle]
	apis         *names[apiHandle]
	errors       errorKeys
	pools        pools
	processes    atomic.Int64
	registration metric.Registration
}

// New makes a pipeline. Without options it measures through the global providers, in-memory budgets, up to 1,000 live
// jobs with series of their own. It always returns a usable pipeline; the error joins what was wrong with the options
// and which instruments the meter refused, which then record nothing.
//
// Make one pipeline for a meter provider, when the global providers, if they are used, are in place: the zeros that
// it records at the start go to the provider of that moment.
func New(opts ...Option) (*Pipeline, error) {
	c := config{
		meters:    otel.GetMeterProvider(),
		tracers:   otel.GetTracerProvider(),
		nameLimit: 100,
		liveLimit: 1000,
		ledger:    NewMemoryLedger(),
	}
	var errs []error
	for _, o := range opts {
		if o == nil {
			errs = append(errs, errors.New("instrument: New: a nil Option is ignored"))
			continue
		}
		errs = append(errs, o.apply(&c))
	}
	meter := c.meters.Meter(ScopeName, metric.WithInstrumentationVersion(Version))
	if meter == nil {
		meter = metricnoop.Meter{}
		errs = append(errs, fmt.Errorf("instrument: New: the meter provider %T gave no meter; nothing is measured", c.meters))
	}
	tracer := c.tracers.Tracer(ScopeName, trace.WithInstrumentationVersion(Version))
	if tracer == nil {
		tracer = tracenoop.Tracer{}
		errs = append(errs, fmt.Errorf("instrument: New: the tracer provider %T gave no tracer; nothing is traced", c.tracers))
	}
	_, untraced := tracer.(tracenoop.Tracer)
	p := &Pipeline{
		ready:      true,
		implicit:   c.implicit,
		tracer:     tracer,
		untraced:   untraced,
		propagator: c.propagator,
		classify:   c.classify,
		recover:    c.recover,
		jobIDLabel: c.jobIDLabel,
		ledger:     c.ledger,
		holdPrefix: randomPrefix(),
		live:       live{limit: c.liveLimit, byID: make(map[string]*liveJob)},
		errors:     errorKeys{limit: c.nameLimit, known: make(map[string]struct{}), opts: make(map[errorKey]addOptions)},
	}
	p.root.p = p
	var err error
	p.inst, err = instruments.New(meter)
	errs = append(errs, err)
	p.stages = newNames("stage names", c.nameLimit, c.stages, newStageHandle, func() { p.badName(semconv.DurationName) })
	p.apis = newNames("API names", c.nameLimit, c.apis, p.newAPI, func() { p.badName(semconv.APICallsName) })
	p.zero()
	errs = append(errs, p.register(meter))
	return p, errors.Join(errs...)
}

// Close unregisters the pipeline's callback, so that its observable series end. What is recorded afterwards still
// counts. It is idempotent, and not needed by a program that shuts its meter provider down.
func (p *Pipeline) Close() error {
	if p.inert() || p.registration == nil {
		return nil
	}
	if err := p.registration.Unregister(); err != nil {
		return fmt.Errorf("instrument: unregister the pipeline's callback: %w", err)
	}
	return nil
}

func (p *Pipeline) inert() bool { return p == nil || !p.ready }

func (p *Pipeline) newAPI(name string) *apiHandle {
	h := newAPIHandle(name)
	p.zeroAPI(h)
	return h
}

func (p *Pipeline) badName(metric string) {
	p.countInvalid(context.Background(), metric, semconv.InvalidReasonBadName)
}

// jobID gives a job without an id one of its own, so that two such jobs do not share a budget.
func (p *Pipeline) jobID(id string) (key, shown string) {
	if shown = showID(id); shown != "" {
		return id, shown
	}
	p.badName(semconv.JobsName)
	shown = "unnamed-" + p.holdPrefix + strconv.FormatUint(p.unnamed.Add(1), 10)
	return shown, shown
}

// showID cleans an id, and ends one that had to be changed with a checksum: ids that differ in what was changed stay
// apart.
func showID(id string) string {
	if shown := clean(id, maxIDLen); shown == id || shown == "" {
		return shown
	}
	h := fnv.New64a()
	_, _ = io.WriteString(h, id) // never fails
	sum := fmt.Sprintf("~%016x", h.Sum64())
	return clean(id, maxIDLen-len(sum)) + sum
}

// holdID is unique among all processes that share a ledger.
func (p *Pipeline) holdID() string {
	var b [32]byte // 17 of the prefix and at most 13
	return string(strconv.AppendUint(append(b[:0], p.holdPrefix...), p.holds.Add(1), 36))
}

func randomPrefix() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails, as of Go 1.24
	return hex.EncodeToString(b[:]) + "-"
}

// contain calls code of the user's and makes an error of its panic.
func contain(what string, f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = panicked(what, v)
		}
	}()
	return f()
}

func panicked(what string, v any) error {
	return fmt.Errorf("instrument: %s panicked: %s", what, panicText(v))
}
