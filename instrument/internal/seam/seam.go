// Package seam has what package instrument lends to its own packages beside its API. Package
// instrument sets the functions. Those that take a call take an *instrument.Call.
package seam

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/internal/instruments"
)

// EndLater ends an *instrument.Call as its End does, and waits for no ledger that is not in memory:
// the queue tells it what the call cost.
var EndLater func(call any, errp *error)

// Drop ends an *instrument.Call that has turned out to be none, such as one that was redirected: it
// holds nothing any more, and is counted nowhere. The span stays, as "redirect".
var Drop func(call any)

// PricesChecked says of when the prices are that an *instrument.Call is priced with. Its pipeline
// shows the oldest.
var PricesChecked func(call any, at time.Time)

// PipelineOf returns what the pipeline of a call lends, or nil if nothing is measured.
var PipelineOf func(call any) *Pipeline

// PipelineIn returns what the pipeline of a context lends, or nil if nothing is measured.
var PipelineIn func(ctx context.Context) *Pipeline

// SpanOf returns the span that a call has started.
var SpanOf func(call any) trace.Span

// StartSpan starts a span of kind client in ctx, for one attempt of a call. The context is ctx if
// nothing is traced.
var StartSpan func(ctx context.Context, call any, name string) (context.Context, trace.Span)

// EndSpan ends such a span, with the error if it is one.
var EndSpan func(call any, span trace.Span, err error)

// ErrorType returns the word for an error with which a call, or an attempt of it, has ended, or ""
// if it is no failure.
var ErrorType func(call any, err error) string

// SetModel says which model a call, or an attempt of it, asks for.
var SetModel func(call any, name string)

// A Pipeline is what a pipeline lends. It is safe for concurrent use.
type Pipeline struct {
	Set   *instruments.Set
	Limit int // of names that were not declared

	once sync.Once
	own  any

	mu        sync.Mutex
	observers []func(metric.Observer)
}

// Own returns what the borrower keeps with the pipeline. The first call makes it.
func (p *Pipeline) Own(make func(*Pipeline) any) any {
	p.once.Do(func() { p.own = make(p) })
	return p.own
}

// OnObserve adds a function to those that observe at each collection.
func (p *Pipeline) OnObserve(f func(metric.Observer)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.observers = append(p.observers, f)
}

// Observe calls the functions of OnObserve.
func (p *Pipeline) Observe(o metric.Observer) {
	p.mu.Lock()
	all := p.observers
	p.mu.Unlock()
	for _, f := range all {
		f(o)
	}
}
