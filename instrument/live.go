package instrument

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/stagemeter/stagemeter/internal/instruments"
	"github.com/stagemeter/stagemeter/semconv"
)

// live is the registry of the jobs under way. Per-job series come from here alone and are observed, so they end with
// their job. It holds every live job, so that its totals are exact, and shows series of at most limit ids, and of
// their costs at most costLimit series.
type live struct {
	mu          sync.Mutex
	limit       int
	shown       int
	costs       atomic.Int64 // series of job_cost_usd
	runs        int64
	first, last *Job // every live run, in the order of their starts
	byID        map[string]*liveJob
}

// liveJob is what the runs of one id share while at least one of them lives.
type liveJob struct {
	id     string // as series show it
	shown  bool   // under the cap: has series of its own; never changed
	runs   int    // guarded by live.mu
	budget budget
	opened []*openAccount // by runs that have ended; guarded by live.mu

	mu     sync.Mutex
	costs  []apiCost // as many as there are apis
	hidden bool      // a cost has no series
	ended  bool      // the last run has
}

type apiCost struct {
	api  *apiHandle
	cost USD
	set  metric.MeasurementOption // nil: no series
}

// add registers a run that starts and tells whether its id has series.
func (l *live) add(j *Job) (shown bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.byID[j.id]
	if e == nil {
		e = &j.own
		e.id, e.shown = j.shown, l.shown < l.limit
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

// remove ends a run. With the last run of an id its series end. The accounts are to be closed: those that runs which
// have ended opened, but for the one that the others go on with.
func (l *live) remove(j *Job) (accounts []*openAccount) {
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
	if j.account != nil {
		j.live.opened = append(j.live.opened, j.account)
	}
	accounts = j.live.opened
	if j.live.runs--; j.live.runs > 0 {
		used := j.live.budget.account.Load()
		j.live.opened = slices.DeleteFunc(slices.Clone(accounts), func(a *openAccount) bool { return a != used })
		return slices.DeleteFunc(accounts, func(a *openAccount) bool { return a == used })
	}
	delete(l.byID, j.id)
	if j.live.shown {
		l.shown--
		l.costs.Add(-j.live.end())
	}
	return accounts
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

// costLimit is 1,999, the SDK's default limit less its overflow series, or more where more jobs are to be shown.
func (l *live) costLimit() int64 { return 2*int64(max(l.limit, 1000)) - 1 }

// spend adds to what the live job e has spent on an API, and tells whether this made e one that is not fully shown.
func (l *live) spend(e *liveJob, api *apiHandle, amount USD) (hidden bool) {
	if !e.shown {
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range e.costs {
		if e.costs[i].api == api {
			e.costs[i].cost = e.costs[i].cost.plus(amount)
			return false
		}
	}
	c := apiCost{api: api, cost: amount}
	switch {
	case e.ended:
	case l.costs.Add(1) <= l.costLimit():
		c.set = metric.WithAttributeSet(attribute.NewSet(e.label(), semconv.AttrAPI.String(api.name)))
	default:
		l.costs.Add(-1)
		hidden, e.hidden = !e.hidden, true
	}
	e.costs = append(e.costs, c)
	return hidden
}

func (e *liveJob) label() attribute.KeyValue { return semconv.AttrJobID.String(e.id) }

// end ends the series of a job and tells how many of its costs had one.
func (e *liveJob) end() (series int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ended = true
	for _, c := range e.costs {
		if c.set != nil {
			series++
		}
	}
	return series
}

// observe reports the series of one job id.
func (e *liveJob) observe(o metric.Observer, inst *instruments.Set) {
	if r, ok := e.budget.remaining(); ok && r != Unlimited {
		o.ObserveFloat64(inst.BudgetRemaining, r.Float64(), metric.WithAttributes(e.label()))
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range e.costs {
		if c := e.costs[i]; c.set != nil {
			o.ObserveFloat64(inst.JobCost, c.cost.Float64(), c.set)
		}
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
	if start > 0 || !p.implicit { // of two pipelines on one provider the last to say holds
		o.ObserveFloat64(p.inst.OldestJobStartTimestamp, start)
	}
	for _, e := range shown {
		e.observe(o, &p.inst)
	}
	for _, h := range p.stages.all() {
		o.ObserveInt64(p.inst.StagesInProgress, h.inProgress.Load(), h.set)
	}
	o.ObserveInt64(p.inst.FfmpegProcesses, p.processes.Load())
	p.pools.observe(o, &p.inst)
}
