package instrument

import (
	"math"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/stagemeter/stagemeter/semconv"
)

// live is the registry of the jobs under way. Per-job series come from here alone and are observed, so they end with
// their job. It holds every live job, so that its totals are exact, and shows series of at most limit ids.
type live struct {
	mu          sync.Mutex
	limit       int
	shown       int
	runs        int64
	first, last *Job // every live run, in the order of their starts
	byID        map[string]*liveJob
}

// liveJob is what the runs of one id share while at least one of them lives.
type liveJob struct {
	label  attribute.KeyValue
	shown  bool // under the cap: has series of its own
	runs   int  // guarded by live.mu
	budget budget
	opened []Account // of all runs, closed with the last; guarded by live.mu

	mu    sync.Mutex
	costs []apiCost // as many as there are apis
}

type apiCost struct {
	api  *apiHandle
	cost USD
	set  metric.MeasurementOption
}

// add registers a run that starts and tells whether its id has series.
func (l *live) add(j *Job) (shown bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.byID[j.id]
	if e == nil {
		e = &liveJob{label: semconv.AttrJobID.String(j.shown), shown: l.shown < l.limit}
		if e.shown {
			l.shown++
		}
		l.byID[j.id] = e
	}
	e.runs++
	j.live = e
	l.runs++
	if j.prev = l.last; j.prev == nil {
		l.first = j
	} else {
		j.prev.next = j
	}
	l.last = j
	return e.shown
}

// remove ends a run. With the last run of an id its series end, and its accounts are to be closed.
func (l *live) remove(j *Job) (accounts []Account) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.runs--
	if j.prev == nil {
		l.first = j.next
	} else {
		j.prev.next = j.next
	}
	if j.next == nil {
		l.last = j.prev
	} else {
		j.next.prev = j.prev
	}
	j.prev, j.next = nil, nil
	if j.live.runs--; j.live.runs == 0 {
		delete(l.byID, j.id)
		if j.live.shown {
			l.shown--
		}
		return j.live.opened
	}
	return nil
}

// snapshot is the state that a collection reports, taken under the lock and observed outside of it.
func (l *live) snapshot() (runs int64, oldest time.Time, shown []*liveJob) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.first != nil {
		oldest = l.first.start
	}
	shown = make([]*liveJob, 0, l.shown)
	for _, e := range l.byID {
		if e.shown {
			shown = append(shown, e)
		}
	}
	return l.runs, oldest, shown
}

func (e *liveJob) spend(api *apiHandle, amount USD) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range e.costs {
		if e.costs[i].api == api {
			e.costs[i].cost = e.costs[i].cost.plus(amount)
			return
		}
	}
	e.costs = append(e.costs, apiCost{api: api, cost: amount})
}

// observe reports the series of one job id.
func (e *liveJob) observe(o metric.Observer, inst *instruments) {
	if r, ok := e.budget.remaining(); ok && r != Unlimited {
		o.ObserveFloat64(inst.BudgetRemaining, r.Float64(), metric.WithAttributes(e.label))
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range e.costs {
		c := &e.costs[i]
		if c.set == nil {
			c.set = metric.WithAttributeSet(attribute.NewSet(e.label, semconv.AttrAPI.String(c.api.name)))
		}
		o.ObserveFloat64(inst.JobCost, c.cost.Float64(), c.set)
	}
}

// observe is the pipeline's one callback. It reads atomics and short-lived locks, calls the users' pool functions
// with their panics contained, and never returns an error: a reader would drop everything for one.
func (p *Pipeline) observe(o metric.Observer) {
	runs, oldest, shown := p.live.snapshot()
	o.ObserveInt64(p.inst.JobsInProgress, runs)
	start := 0.0
	if !oldest.IsZero() {
		start = math.Round(float64(oldest.UnixMicro())/1e3) / 1e3
	}
	o.ObserveFloat64(p.inst.OldestJobStartTimestamp, start)
	for _, e := range shown {
		e.observe(o, &p.inst)
	}
	for _, h := range p.stages.all() {
		o.ObserveInt64(p.inst.StagesInProgress, h.inProgress.Load(), h.set)
	}
	o.ObserveInt64(p.inst.FfmpegProcesses, p.processes.Load())
	p.pools.observe(o, &p.inst)
}
