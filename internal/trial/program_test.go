package trial

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// A program is a random program and what it knows of itself.
type program struct {
	rnd    *rand.Rand
	name   string // its ids begin with it
	p      *instrument.Pipeline
	b      *books
	policy string // for unknown prices: deny, reserve or allow

	accounts   map[string]*account
	earlier    map[string]int64 // what the attempts at a job have cost
	spentLate  map[string]int64 // what calls have cost that outlived an attempt, for the next one that ends
	thresholds map[string]int
	crossed    int
	progress   int

	spentOutside float64  // by Spend, outside of a job
	log          []string // what happened, for a difference to be found

	ids   []string
	plans map[string]plan
	made  int
	live  map[*jobBook]bool
	late  []*callBook
	ended []endedBook
	wrong []string // what the program itself has seen to be wrong

	crash *crash // under way
}

// A crash is a panic or a Goexit that unwinds the program.
type crash struct {
	goexit  bool
	counted bool // a stage or a job has counted it
}

func newProgram(name string, seed uint64, p *instrument.Pipeline, b *books, policy string) *program {
	return &program{
		rnd: rand.New(rand.NewPCG(seed, 7)), name: name, p: p, b: b, policy: policy,
		accounts: make(map[string]*account), earlier: make(map[string]int64), spentLate: make(map[string]int64), thresholds: make(map[string]int),
		live: make(map[*jobBook]bool), plans: make(map[string]plan),
	}
}

func (p *program) oneIn(n int) bool { return p.rnd.IntN(n) == 0 }

func pick[T any](p *program, from ...T) T { return from[p.rnd.IntN(len(from))] }

// run runs jobs one after the other, each in a goroutine of its own, which a Goexit may end.
func (p *program) run(ctx context.Context) {
	for range 3 + p.rnd.IntN(5) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer func() { recover() }()
			p.work(scope{ctx: instrument.ContextWithPipeline(ctx, p.p)}, 0)
		}()
		<-done
		p.crash = nil
	}
	if p.oneIn(3) {
		p.leaveOpen(scope{ctx: instrument.ContextWithPipeline(ctx, p.p)})
	}
	for _, c := range p.late { // calls that have outlived their jobs; some never end
		if !p.oneIn(4) {
			p.endCall(c, p.failure(), false)
		} else {
			p.b.add(1, "api_calls_in_progress", "api", c.api)
		}
	}
	p.showLive()
}

// A scope is a place in the program: the context that it has, and what is around it.
type scope struct {
	ctx   context.Context
	over  *over // of ctx
	job   *jobBook
	stage string
	tally *tally
	depth int
}

// An over remembers when and how a context ends, as the one who ends it knows.
type over struct {
	parent   *over
	canceled time.Time
	deadline time.Time
	cancel   context.CancelFunc
}

// why returns how a context has ended, or nil: by the first end on its chain.
func (o *over) why() error {
	var err error
	var first time.Time
	for ; o != nil; o = o.parent {
		if at := o.canceled; !at.IsZero() && (err == nil || at.Before(first)) {
			err, first = context.Canceled, at
		}
		if at := o.deadline; !at.IsZero() && !time.Now().Before(at) && (err == nil || at.Before(first)) {
			err, first = context.DeadlineExceeded, at
		}
	}
	return err
}

// within returns a scope with a context of its own, that may be canceled or has a deadline.
func (p *program) within(s scope) scope {
	s.over = &over{parent: s.over}
	switch p.rnd.IntN(4) {
	case 0:
		s.over.deadline = time.Now().Add(time.Duration(1+p.rnd.IntN(20)) * time.Second)
		s.ctx, s.over.cancel = context.WithDeadline(s.ctx, s.over.deadline)
	default:
		s.ctx, s.over.cancel = context.WithCancel(s.ctx)
	}
	return s
}

func (s scope) cancel() {
	if s.over.canceled.IsZero() {
		s.over.canceled = time.Now()
	}
	s.over.cancel()
}

// work does a few things in a scope and returns how it went.
func (p *program) work(s scope, depth int) failure {
	s.depth = depth
	var last failure
	for range 1 + p.rnd.IntN(6) {
		f := p.step(s)
		if f.failed() {
			last = f
			if p.oneIn(3) {
				return p.passOn(f)
			}
		}
	}
	switch {
	case depth > 0 && p.oneIn(25):
		p.crash = &crash{}
		panic("boom")
	case depth > 0 && p.oneIn(60):
		p.crash = &crash{goexit: true}
		runtime.Goexit()
	case last.failed() && p.oneIn(2):
		return p.passOn(last)
	case p.oneIn(3):
		return p.failure()
	case p.oneIn(12):
		return say(pick(p, outcomes...))
	}
	return failure{}
}

// passOn returns an error to the caller: as it is, wrapped, or joined with another.
func (p *program) passOn(f failure) failure {
	switch p.rnd.IntN(5) {
	case 0:
		return wrap(f)
	case 1:
		return join(f, p.failed())
	}
	return f
}

// failure returns an error, or none.
func (p *program) failure() failure {
	if p.oneIn(3) {
		return failure{}
	}
	return p.failed()
}

func (p *program) failed() failure {
	k := kinds[p.rnd.IntN(len(kinds))]
	return single(k.make(), k.kind)
}

// step does one thing. A panic of it may be survived.
func (p *program) step(s scope) (f failure) {
	if p.oneIn(2) {
		defer func() {
			if p.crash != nil && !p.crash.goexit {
				recover()
				p.crash = nil
			}
		}()
	}
	// The clock moves by a part of a second more, so that nothing happens at the moment when a deadline or a lease is over.
	time.Sleep(time.Duration(p.rnd.IntN(3))*time.Second + time.Duration(1+p.rnd.IntN(999))*time.Microsecond)
	switch n := p.rnd.IntN(20); {
	case n < 4:
		return p.stage(s)
	case n < 9:
		return p.call(s)
	case n < 12:
		if s.depth < 3 {
			return p.job(s)
		}
	case n == 12:
		p.parallel(s)
	case n == 13:
		p.spend(s)
	case n == 14:
		p.recordError(s)
	case n == 15:
		p.enqueue(s)
	case n == 16 && s.over != nil && p.oneIn(2):
		s.cancel()
	case n == 17 && len(p.late) > 0:
		c := p.late[0]
		p.late = p.late[1:]
		p.endCall(c, p.failure(), false)
	case n == 18 && p.oneIn(3):
		time.Sleep(2 * time.Hour) // leases are over
	case n == 19:
		instrument.ReportProgress(s.ctx, float64(p.rnd.IntN(5)), 5)
		if s.job != nil || s.stage != "" {
			p.progress++
		}
	}
	return failure{}
}

// spend books a cost without a call, and sometimes one that is none.
func (p *program) spend(s scope) {
	nano := p.rnd.Int64N(3e8)
	if p.oneIn(6) {
		instrument.Spend(s.ctx, "gpu", -1)
		p.b.invalid("cost", "negative")
		return
	}
	instrument.Spend(s.ctx, "gpu", money.USD(nano))
	p.paid(s.job, "gpu", nano)
	if s.job == nil || s.job.ended {
		p.spentOutside += float64(nano) / 1e9
	} else {
		p.settle(&hold{accounts: s.job.accounts, own: s.job.named(), state: ended}, nano, 0)
	}
}

// paid books what an API has cost, on the innermost job as long as it runs.
func (p *program) paid(j *jobBook, api string, nano int64) {
	kind := ""
	if j != nil {
		kind = j.kind
		switch {
		case !j.ended:
			j.cost += nano
			j.costs[api] += nano
		case j.last: // completed, or of an id that never comes again
		case slices.ContainsFunc(p.runs(), func(o *jobBook) bool { return o.id == j.id }):
			p.spentLate[j.id] += nano
		case j.named() == nil:
			p.earlier[j.id] += nano
		}
	}
	p.b.pay(nano, "cost_usd_total", "api", api, "job_type", kind)
}

func (p *program) newID(what string) string {
	p.made++
	return fmt.Sprintf("%s-%s-%d", p.name, what, p.made)
}

func (p *program) note(format string, args ...any) {
	p.log = append(p.log, fmt.Sprintf(format, args...))
}
