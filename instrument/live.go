package instrument

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/money"
	"github.com/stagemeter/stagemeter/internal/instruments"
	"github.com/stagemeter/stagemeter/semconv"
)

// live is the registry of the jobs under way. All series of single jobs come from here and are
// observed, so they end with their job. It holds every live job, so that its totals are exact. It
// shows series of at most limit ids, and at most costLimit series of their costs.
type live struct {
	mu          sync.Mutex
	limit       int
	shown       int
	costs       atomic.Int64 // series of job_cost_usd
	runs        int64
	started     uint64   // runs so far
	first, last *liveRun // every live run, in the order of their starts
	byID        map[string]*liveJob
}

// liveRun holds what the registry knows of one run. It is a part of its Job.
type liveRun struct {
	job        *Job
	number     uint64 // of the run in the process
	id, shown  string // as given to StartJob, and as series and spans show it
	start      time.Time
	live       *liveJob
	own        liveJob      // live points here unless another run of this id already lives; later runs keep this one for it
	generated  bool         // the id is, and never comes again
	first      bool         // no other run of this id was live when it started
	account    *openAccount // that this run has opened
	prev, next *liveRun     // guarded by live.mu
}

// liveJob holds what the runs of one id share while at least one of them lives.
type liveJob struct {
	id     string // as series show it
	shown  bool   // under the cap: has series of its own; never changed
	runs   int    // guarded by live.mu
	budget jobBudget
	opened []*openAccount // by runs that have ended; guarded by live.mu
	late   atomic.Int64   // spent by calls that outlived earlier attempts, for the next run that ends

	mu     sync.Mutex
	costs  []apiCost // one for each API that was paid
	hidden bool      // a cost has no series
	ended  bool      // the last run has
}

type apiCost struct {
	api  *apiHandle
	cost USD
	set  metric.MeasurementOption // nil: no series
}

// add registers a run that starts, and reports whether its id has series.
func (l *live) add(r *liveRun) (shown bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.byID[r.id]
	if e == nil {
		e = &r.own
		e.id, e.shown = r.shown, l.shown < l.limit
		if e.shown {
			l.shown++
		}
		l.byID[r.id] = e
	}
	e.runs++
	r.live, r.first = e, e.runs == 1
	l.runs++
	l.started++
	r.number = l.started
	if r.prev = l.last; r.prev == nil {
		l.first = r
	} else {
		r.prev.next = r
	}
	l.last = r
	return e.shown
}

// remove ends a run. With the last run of an id its series end. The caller closes the accounts that
// it returns: those that ended runs have opened, except for the one that the others go on with.
func (l *live) remove(r *liveRun) (accounts []*openAccount) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.runs--
	if r.prev == nil {
		l.first = r.next
	} else {
		r.prev.next = r.next
	}
	if r.next == nil {
		l.last = r.prev
	} else {
		r.next.prev = r.prev
	}
	r.prev, r.next = nil, nil
	if r.account != nil {
		r.live.opened = append(r.live.opened, r.account)
	}
	accounts = r.live.opened
	if r.live.runs--; r.live.runs > 0 {
		used := r.live.budget.account.Load()
		r.live.opened = slices.DeleteFunc(slices.Clone(accounts), func(a *openAccount) bool { return a != used })
		return slices.DeleteFunc(accounts, func(a *openAccount) bool { return a == used })
	}
	delete(l.byID, r.id)
	if r.live.shown {
		l.shown--
		l.costs.Add(-r.live.end())
	}
	return accounts
}

// see shows the balance of an account in the runs of an id that came after ended, if they use it.
func (l *live) see(id string, ended *liveJob, a *openAccount, bal budget.Balance) {
	l.mu.Lock()
	e := l.byID[id]
	l.mu.Unlock()
	if e == nil || e == ended {
		return
	}
	if next := e.budget.account.Load(); next != nil && next.id() == a.id() {
		e.budget.see(bal)
	}
}

// spendLate adds to what the next run of an id that ends has spent, and reports whether one lives.
func (l *live) spendLate(id string, amount USD) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.byID[id]
	if e == nil {
		return false
	}
	add(&e.late, amount)
	return true
}

// forget takes note that an account has started afresh.
func (l *live) forget(account string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.byID {
		if a := e.budget.account.Load(); a != nil && a.id() == account {
			e.budget.forget()
		}
	}
}

// snapshot returns the state that a collection reports, taken under the lock and observed outside
// of it.
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

// runsOf returns the oldest live runs that fit the query, and how many fit it.
func (l *live) runsOf(q Query) (jobs []*Job, fit int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for r := l.first; r != nil; r = r.next {
		if !q.matches(r.number, r.shown) {
			continue
		}
		if fit++; fit <= q.Limit {
			jobs = append(jobs, r.job)
		}
	}
	return jobs, fit
}

// costLimit returns 1,999, the SDK's default limit less its overflow series, or more if more jobs
// may be shown.
func (l *live) costLimit() int64 { return 2*int64(max(l.limit, 1000)) - 1 }

// spend adds to what the live job e has spent on an API, and reports whether e is not fully shown
// from now on.
func (l *live) spend(e *liveJob, api *apiHandle, amount USD) (hidden bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range e.costs {
		if e.costs[i].api == api {
			e.costs[i].cost = money.Sum(e.costs[i].cost, amount)
			return false
		}
	}
	c := apiCost{api: api, cost: amount}
	switch {
	case e.ended, !e.shown:
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

// end ends the series of a job and returns how many of its costs had one.
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

// apiCosts returns what the live runs of an id have spent by API.
func (e *liveJob) apiCosts() []APICost {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.costs) == 0 {
		return nil
	}
	costs := make([]APICost, len(e.costs))
	for i, c := range e.costs {
		costs[i] = APICost{c.api.name, c.cost}
	}
	return costs
}
