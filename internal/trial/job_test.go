package trial

import (
	"context"
	"slices"
	"time"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// A jobBook is what the books keep of one run of a job.
type jobBook struct {
	id, kind      string
	attempt, most int
	parent        *jobBook
	over          *over
	own           *account   // nil without a budget
	opened        []*account // by this run
	accounts      []*account // what a call has to fit into
	job           *instrument.Job
	span          trace.SpanContext
	given         bool  // it was given a limit
	generated     bool  // its id, which never comes again
	keeps         bool  // its account is not its own: WithAccount
	first         bool  // no other run of its id was live
	before, cost  int64 // of earlier attempts, and of this one
	costs         map[string]int64
	unpriced      int
	calls         int // under way
	ended         bool
	last          bool // it has ended, and no other attempt comes
	endedOver     error
	enqueued      time.Time
}

// An endedBook is what the books know of a run that has ended: for its span, and for the history.
type endedBook struct {
	id, outcome, errorType string
	attempt, unpriced      int
	cost                   int64
	open                   int // calls
	span                   trace.SpanID
}

func (j *jobBook) more() bool { return j.attempt > 0 && j.attempt < j.most }

// named returns the account that is named after the job, or nil.
func (j *jobBook) named() *account {
	if j.own != nil && !j.keeps {
		return j.own
	}
	return nil
}

// end is how the job would end with f.
func (j *jobBook) end(f failure) ending {
	if j.ended {
		return end(j.endedOver, f, j.more())
	}
	return end(j.over.why(), f, j.more())
}

// job runs a job by one of its forms: a new one, one that comes again, or one whose id is made for it.
func (p *program) job(s scope) (f failure) {
	in := p.within(s)
	in.stage, in.tally = "", new(tally)
	j, opts, id := p.newJob(s, in)
	in.job = j
	run := p.oneIn(2)
	returned := false
	defer func() {
		if !returned {
			p.endJobInCrash(s, in, run)
		}
	}()
	if run {
		instrument.RunJob(in.ctx, id, func(ctx context.Context) error {
			in.ctx = ctx
			p.started(in)
			f = p.work(in, s.depth+1)
			return f.err
		}, opts...)
	} else {
		f = p.startedJob(in, id, opts)
	}
	returned = true
	p.endJob(s, in, f, j.end(f))
	return f
}

func (p *program) startedJob(in scope, id string, opts []instrument.JobOption) (f failure) {
	var err error
	ctx, job := instrument.StartJob(in.ctx, id, opts...)
	defer job.End(&err)
	in.ctx = ctx
	p.started(in)
	f = p.work(in, in.depth+1)
	err = f.err
	return f
}

// newJob chooses a job and its options, and opens its accounts.
func (p *program) newJob(s, in scope) (*jobBook, []instrument.JobOption, string) {
	j := &jobBook{over: in.over, parent: s.job, costs: make(map[string]int64)}
	var opts []instrument.JobOption
	id := p.newID("job")
	j.id = id
	switch {
	case p.oneIn(3) && len(p.ids) > 0:
		id = pick(p, p.ids...)
		j.id = id
	case p.oneIn(12):
		id = ""
		j.generated = true
		p.b.invalid("jobs", "bad_name")
	}
	if p.oneIn(3) {
		j.kind = pick(p, "dubbing", "highlights")
		opts = append(opts, instrument.WithJobType(j.kind))
	}
	if p.oneIn(2) {
		j.most = pick(p, 0, 1, 3, 5)
		j.attempt = 1 + p.rnd.IntN(max(j.most, 2))
		opts = append(opts, instrument.WithAttempt(j.attempt, j.most))
		if j.most > 0 && j.attempt > j.most {
			j.attempt, j.most = 0, 0
			p.b.invalid("attempts", "out_of_range")
		}
	}
	opts = append(opts, p.arrive(j)...)
	opts = append(opts, p.budgets(j, id)...)
	if s.job != nil {
		for _, a := range s.job.accounts {
			if !slices.Contains(j.accounts, a) {
				j.accounts = append(j.accounts, a)
			}
		}
	}
	if j.first = !slices.ContainsFunc(p.runs(), func(o *jobBook) bool { return o.id == j.id }); j.first {
		j.before = p.earlier[j.id]
		delete(p.earlier, j.id)
		if own := j.named(); own != nil {
			j.before = own.own
		}
	}
	p.live[j] = true
	p.b.add(1, "jobs_total", "status", "processing", "job_type", j.kind)
	return j, opts, id
}

// A plan says which account the attempts at a job spend. It is the same for all of them.
type plan int

const (
	noBudget     plan = iota
	ownBudget         // of the job's id
	sharedBudget      // of WithAccount
)

// budgets chooses the budgets of a job, and opens them.
func (p *program) budgets(j *jobBook, id string) []instrument.JobOption {
	var opts []instrument.JobOption
	plan, known := p.plans[j.id]
	if !known {
		plan = pick(p, ownBudget, ownBudget, ownBudget, sharedBudget, noBudget, noBudget)
		p.plans[j.id] = plan
	}
	if plan == noBudget {
		return nil
	}
	limit := int64(unlimited)
	name := "job:" + j.id
	limited := true
	switch p.rnd.IntN(8) {
	case 0, 1, 2:
		limit = 1 + p.rnd.Int64N(1e9)
		opts = append(opts, instrument.WithBudget(money.USD(limit)))
	case 3:
		opts = append(opts, instrument.WithBudget(instrument.Unlimited))
	case 4:
		limit = 0
		usd := money.USD(0)
		if p.oneIn(2) {
			usd = -1
			p.b.invalid("budget_remaining", "negative")
		}
		opts = append(opts, instrument.WithBudget(usd))
	default:
		limited = false
	}
	if plan == sharedBudget {
		if !limited {
			limited = true
			limit = 2e9
			opts = append(opts, instrument.WithBudget(2*money.Dollar))
		}
		order := p.name + "-order"
		name = "job:" + order
		j.keeps = true
		opts = append(opts, instrument.WithAccount(order))
	}
	var scopes []budget.Scope
	if p.oneIn(4) {
		limit := 1 + p.rnd.Int64N(3e9)
		scopes = append(scopes, budget.Scope{Kind: budget.Tenant, ID: p.name, Limit: money.USD(limit)})
	}
	if p.oneIn(4) {
		scopes = append(scopes, budget.Scope{Kind: budget.Month, ID: p.name, Limit: pick(p, 5*money.Dollar, money.Unlimited)})
	}
	if len(scopes) > 0 {
		opts = append(opts, instrument.WithScopes(scopes...))
	}
	if !limited && len(scopes) == 0 {
		opts = append(opts, instrument.WithBudget(instrument.Unlimited))
	}
	j.given = limit != unlimited
	for _, sc := range scopes {
		j.given = j.given || sc.Limit != money.Unlimited
	}
	j.own = p.open(name, limit)
	j.own.generated = j.generated && !j.keeps
	j.opened = append(j.opened, j.own)
	for _, sc := range scopes {
		j.opened = append(j.opened, p.open(string(sc.Kind)+":"+sc.ID, int64(sc.Limit)))
	}
	j.accounts = slices.Clone(j.opened)
	return opts
}

func (p *program) started(in scope) {
	in.job.job = instrument.JobFromContext(in.ctx)
	in.job.span = trace.SpanContextFromContext(in.ctx)
	p.note("start %s", (&callBook{job: in.job}).jobID())
}

// endJob ends a job in the books.
func (p *program) endJob(s, in scope, f failure, e ending) {
	p.note("end job %s over=%v %v f=%v before=%v", in.job.id, in.over.why(), e, f.parts, f.failed() && in.tally.has(f))
	p.countError(s, in, "job", e, f)
	p.closeJob(in.job, e)
}

func (p *program) endJobInCrash(s, in scope, run bool) {
	j := in.job
	word := "panic"
	if p.crash.goexit {
		word = "goexit"
	}
	e := ending{"failed", "failed", word}
	if p.crash.goexit && !run {
		e = ending{"completed", "completed", ""}
	} else if j.more() {
		e = ending{"retried", "", word}
	}
	p.countCrash(s, in, "job", run)
	p.closeJob(j, e)
}

func (p *program) closeJob(j *jobBook, e ending) {
	j.endedOver = j.over.why()
	j.ended = true
	j.last = e.status == "completed" || j.generated
	j.before += p.spentLate[j.id]
	delete(p.spentLate, j.id)
	delete(p.live, j)
	id := j.id
	if j.generated {
		id = "unnamed"
	}
	p.ended = append(p.ended, endedBook{id, e.attempt, e.errorType, j.attempt, j.unpriced, j.cost, j.calls, j.span.SpanID()})
	p.exact(j)
	p.b.add(1, "attempts_total", "outcome", e.attempt, "job_type", j.kind)
	if e.status != "" {
		total := j.before + j.cost
		p.b.add(1, "jobs_total", "status", e.status, "job_type", j.kind)
		p.b.add(1, "job_duration_seconds_count", "status", e.status, "job_type", j.kind)
		p.b.add(1, "cost_per_job_usd_count")
		p.b.pay(total, "cost_per_job_usd_sum")
	}
	if e.status == "completed" && !j.enqueued.IsZero() {
		p.b.add(1, "time_to_publish_seconds_count")
	}
	for i, a := range j.opened {
		a.opens--
		if i == 0 && !j.keeps && (e.status == "completed" || j.generated) {
			a.final = true
		}
	}
	p.forget(j.opened)
	p.ids = slices.DeleteFunc(p.ids, func(id string) bool { return id == j.id })
	switch {
	case e.status == "completed":
		delete(p.earlier, j.id)
	case j.named() == nil && !j.generated:
		p.earlier[j.id] += j.before + j.cost
	}
	if !j.generated && (e.status != "completed" || j.calls == 0) {
		p.ids = append(p.ids, j.id)
	}
}

func (p *program) runs() []*jobBook {
	var all []*jobBook
	for j := range p.live {
		all = append(all, j)
	}
	return all
}

// arrive chooses the way by which a job has come: a queue, or none.
func (p *program) arrive(j *jobBook) []instrument.JobOption {
	var opts []instrument.JobOption
	if p.oneIn(3) {
		carrier := propagation.MapCarrier{}
		instrument.Enqueue(instrument.ContextWithPipeline(context.Background(), p.p), j.id, carrier)
		p.b.add(1, "jobs_total", "status", "queued")
		j.enqueued = time.Now()
		opts = append(opts, instrument.WithCarrier(carrier))
	}
	scheduled := p.oneIn(4)
	if scheduled {
		at := time.Now().Add(-time.Second)
		if p.oneIn(3) {
			at = time.Now().Add(time.Minute)
			p.b.invalid("queue_wait", "clock_skew")
		}
		opts = append(opts, instrument.WithScheduledAt(at))
	}
	if scheduled || !j.enqueued.IsZero() && j.attempt <= 1 {
		p.b.add(1, "queue_wait_seconds_count")
	}
	return opts
}

// enqueue puts a job into a queue that may not take it.
func (p *program) enqueue(s scope) {
	carrier := propagation.MapCarrier{}
	_, insert := instrument.StartEnqueue(s.ctx, carrier)
	if p.oneIn(2) {
		f := p.failed()
		insert.End(&f.err)
		return
	}
	insert.Committed(p.newID("queued"))
	insert.Committed("again")
	insert.End(nil)
	p.b.add(1, "jobs_total", "status", "queued")
}
