package instrument

import (
	"context"
	"math"
	"sync/atomic"

	"go.opentelemetry.io/otel/metric"

	"github.com/stagemeter/stagemeter/internal/instruments"
)

// register registers the one callback that reports every observable instrument.
func (p *Pipeline) register(m metric.Meter) (err error) {
	p.registration, err = m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		p.observe(instruments.Observer{Observer: o})
		return nil
	}, p.inst.Observables()...)
	return err
}

// collecting counts the collections under way. While there is one, no pipeline is made: the SDK
// would make that wait for the end of the collection, which may in turn be waiting for it.
var collecting atomic.Int64

// observe reports all observed series. It reads atomics and takes short-lived locks, and contains
// the panics of the user's pool functions. It never returns an error: a reader would then drop
// everything.
func (p *Pipeline) observe(o metric.Observer) {
	collecting.Add(1)
	defer collecting.Add(-1)
	runs, oldest, shown := p.live.snapshot()
	o.ObserveInt64(p.inst.JobsInProgress, runs)
	start := 0.0
	if !oldest.IsZero() {
		start = math.Round(float64(oldest.UnixMicro())/1e3) / 1e3
	}
	if start > 0 || !p.implicit { // of two pipelines on one provider the last one's value is shown
		o.ObserveFloat64(p.inst.OldestJobStartTimestamp, start)
	}
	for _, e := range shown {
		e.observe(o, &p.inst)
	}
	for _, h := range p.stages.all() {
		o.ObserveInt64(p.inst.StagesInProgress, h.inProgress.Load(), h.set)
	}
	for _, h := range p.apis.all() {
		o.ObserveInt64(p.inst.APICallsInProgress, h.inProgress.Load(), h.set)
	}
	o.ObserveInt64(p.inst.FfmpegProcesses, p.processes.Load())
	var pending int64
	if p.far != nil {
		pending = int64(p.far.Pending())
	}
	o.ObserveInt64(p.inst.LedgerPending, pending)
	if checked := p.prices.Load(); checked != 0 {
		o.ObserveFloat64(p.inst.PriceTableTimestamp, float64(checked))
	}
	if p.details.Load() {
		p.observeWork(o, &p.inst)
	}
	p.pools.observe(o, &p.inst)
	p.lent.Observe(o)
}
