package aihttp

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/internal/seam"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// Bounds of the jobs that a Transport remembers. The package's documentation tells how they are
// booked.
const (
	maxJobs  = 10_000
	maxJobID = 1 << 10        // bytes; a longer id is none
	jobLife  = 48 * time.Hour // after which an end that nobody has seen is given up
)

// reasonUnpolled is why a job has no price whose end nobody has seen.
const reasonUnpolled = "unpolled"

// jobState is what an answer says of a job.
type jobState uint8

const (
	jobUnknown jobState = iota
	jobPending
	jobDone
	jobFailed // without a charge
)

// job is what one exchange says of a job.
type job struct {
	id    string
	state jobState
	open  bool // the call that created it goes on
}

// entry is a job that the Transport remembers.
type entry struct {
	key   string
	over  bool             // its end was seen
	since time.Time        // of its creation
	ctx   context.Context  // of the request that created it; nil once it is over
	call  *instrument.Call // that holds its price, or nil
	api   string

	model, tier, region, variant string
	extras                       []string
	usage                        *price.Usage // what the request says; nil if nothing
	reserved                     usd
}

// jobs are the jobs that a Transport remembers, the last used first: those that are under way, and
// those that are over, which are told by their key and cost little.
type jobs struct {
	mu       sync.Mutex
	known    map[string]*list.Element // of *entry
	underWay list.List
	over     list.List
}

// of returns the list of an entry.
func (s *jobs) of(e *entry) *list.List {
	if e.over {
		return &s.over
	}
	return &s.underWay
}

// begin remembers a job, and reports whether it is new. Those for which there is no room any more, or
// that are too old, are given up.
func (s *jobs) begin(e *entry, now time.Time) bool {
	s.mu.Lock()
	if s.known == nil {
		s.known = make(map[string]*list.Element)
	}
	if at := s.known[e.key]; at != nil {
		s.of(at.Value.(*entry)).MoveToFront(at)
		s.mu.Unlock()
		return false
	}
	e.since = now
	s.known[e.key] = s.of(e).PushFront(e)
	var gone []*entry
	for last := s.underWay.Back(); last != nil; last = s.underWay.Back() {
		old := last.Value.(*entry)
		if s.underWay.Len() <= maxJobs && now.Sub(old.since) < jobLife {
			break
		}
		s.underWay.Remove(last)
		delete(s.known, old.key)
		gone = append(gone, old)
	}
	s.forget()
	s.mu.Unlock()
	for _, old := range gone {
		old.giveUp()
	}
	return true
}

// forget forgets the jobs that are over and for which there is no room.
func (s *jobs) forget() {
	for s.over.Len() > maxJobs {
		last := s.over.Back()
		s.over.Remove(last)
		delete(s.known, last.Value.(*entry).key)
	}
}

// end marks a job as over. It returns what was remembered of it, or nil, and whether this was the
// first time.
func (s *jobs) end(key string, now time.Time) (e *entry, first bool) {
	s.mu.Lock()
	if at := s.known[key]; at != nil {
		defer s.mu.Unlock()
		e = at.Value.(*entry)
		if e.over {
			s.over.MoveToFront(at)
			return e, false
		}
		s.underWay.Remove(at)
		s.known[key] = s.over.PushFront(&entry{key: key, over: true})
		s.forget()
		return e, true
	}
	s.mu.Unlock()
	return nil, s.begin(&entry{key: key, over: true}, now)
}

// waits reports whether a job is remembered whose end was not seen.
func (s *jobs) waits(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.known[key]
	return at != nil && !at.Value.(*entry).over
}

func (e *entry) giveUp() {
	if e.call == nil {
		instrument.SpendUnpriced(e.ctx, e.api, reasonUnpolled)
		return
	}
	e.call.AddUnpriced(reasonUnpolled)
	seam.EndLater(e.call, nil)
}

// is takes what an answer says of a job.
func (x *exchange) is(id string, state jobState) {
	if len(id) <= maxJobID {
		x.job.id, x.job.state = id, state
	}
}

func (x *exchange) jobKey() string { return x.ep.provider + " " + x.job.id }

// settleJob is settle for a request whose answer tells of a job. It reports whether nothing is left
// to book.
func (x *exchange) settleJob() bool {
	if x.job.id == "" {
		return false
	}
	switch x.job.state {
	case jobPending:
		if x.t.jobs.begin(x.remember(), time.Now()) && x.job.open {
			return true
		}
		x.job.open = false
		x.call.AddCost(0)
		return true
	case jobFailed:
		x.t.jobs.end(x.jobKey(), time.Now())
		x.call.AddCost(0)
		return true
	case jobDone:
		if _, first := x.t.jobs.end(x.jobKey(), time.Now()); !first {
			x.call.AddCost(0)
			return true
		}
	}
	return false
}

// remember returns what is needed when the job is over.
func (x *exchange) remember() *entry {
	x.askOnce()
	e := &entry{key: x.jobKey(), ctx: x.request.Context(), api: x.ep.provider, model: x.model, tier: x.tier, region: x.region, variant: x.usage.Variant, extras: x.extras, reserved: x.reserved}
	if e.model == "" {
		e.model = x.askedModel
	}
	switch {
	case x.hasUsage && x.bad == "":
		u := x.usage
		e.usage = &u
	case x.hint != nil:
		u := *x.hint
		e.usage = &u
		if e.model == "" {
			e.model = u.Model
		}
	}
	if x.own && x.limited {
		e.call, x.job.open = x.call, true
	}
	return e
}

// recall takes what was remembered, where the poll's answer tells nothing.
func (x *exchange) recall(e *entry) {
	if x.model == "" {
		x.model = e.model
	}
	if x.askedModel == "" {
		x.askedModel = e.model
	}
	if x.tier == "" {
		x.tier = e.tier
	}
	if x.region == "" {
		x.region = e.region
	}
	if x.extras == nil {
		x.extras = e.extras
	}
	if !x.hasUsage && e.usage != nil {
		x.usage, x.hasUsage = *e.usage, true
	}
	if x.usage.Variant == "" {
		x.usage.Variant = e.variant
	}
}

// errJobFailed ends the call of a job that the provider could not do.
var errJobFailed = errors.New("the provider says that its job has failed")

// settlePoll is settle for a poll.
func (x *exchange) settlePoll(err error) {
	if x.call != nil {
		x.call.AddCost(0) // the poll itself
	}
	if x.resp == nil || x.resp.StatusCode/100 != 2 && x.ep.refused == nil || !x.readRest(err) || x.job.id == "" || x.job.state < jobDone {
		return
	}
	if x.ans != nil && !x.ans.Done() && !x.ep.lines {
		return // a later poll tells the rest
	}
	e, first := x.t.jobs.end(x.jobKey(), time.Now())
	if !first {
		return
	}
	if e != nil {
		x.recall(e)
	}
	var cost usd
	reason := ""
	if x.job.state == jobDone {
		if cost, err = x.cost(); err != nil {
			reason = x.why(err)
		}
	}
	x.bookJob(e, cost, reason)
}

// why returns the reason for which there is no price.
func (x *exchange) why(err error) string {
	if x.bad != "" {
		return x.bad
	}
	x.tellUnknown(err)
	return reasonOf(err)
}

// bookJob books a job that is over. The reason is "" if its cost is known.
func (x *exchange) bookJob(e *entry, cost usd, reason string) {
	call := x.call
	if e != nil && e.call != nil {
		call = e.call
	}
	switch {
	case call == nil && e == nil:
		if x.job.state == jobFailed {
			return // the call was another process's
		}
		_, own, err := instrument.StartCall(x.request.Context(), x.ep.provider, instrument.Free()) // the money is gone
		if err != nil {
			return
		}
		tell(own, cost, reason)
		own.End(nil)
	case call == nil && reason != "":
		instrument.SpendUnpriced(x.request.Context(), x.ep.provider, reason)
	case call == nil:
		instrument.Spend(x.request.Context(), x.ep.provider, cost)
	default:
		tell(call, cost, reason)
		if e != nil && call == e.call {
			if reason == "" {
				x.showCost(call, e, cost)
			}
			var err error
			if x.job.state == jobFailed {
				err = errJobFailed
			}
			seam.EndLater(call, &err)
		}
	}
}

func tell(call *instrument.Call, cost usd, reason string) {
	if reason != "" {
		call.AddUnpriced(reason)
		return
	}
	call.AddCost(cost)
}
