package trial

import (
	"fmt"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// exact compares what a run says of its own cost and budget with the books, to the nano-dollar.
func (p *program) exact(j *jobBook) {
	if got := j.job.Cost(); int64(got) != j.cost {
		p.wrong = append(p.wrong, fmt.Sprintf("%s has cost %s, the books say %s", j.id, got, money.USD(j.cost)))
	}
	left, ok := j.job.BudgetRemaining()
	switch want := j.left(); {
	case ok != (j.own != nil):
		p.wrong = append(p.wrong, fmt.Sprintf("%s has a budget: %v", j.id, ok))
	case ok && !j.keeps && left != want: // of a shared account it is what this job last heard of
		p.wrong = append(p.wrong, fmt.Sprintf("%s has %s left, the books say %s", j.id, left, want))
	}
	if j.own == nil || j.keeps || j.generated {
		return
	}
	for _, newest := range p.p.Snapshot(instrument.Query{Job: j.id, Limit: 1}).Ended { // none without a history
		if got := newest.Budget.Unconfirmed; int64(got) != j.own.unconfirmed {
			p.wrong = append(p.wrong, fmt.Sprintf("%s has %s unconfirmed, the books say %s", j.id, got, money.USD(j.own.unconfirmed)))
		}
	}
}

// left is what remains of the job's budget.
func (j *jobBook) left() money.USD {
	switch {
	case j.own == nil:
		return 0
	case j.own.limit == unlimited:
		return money.Unlimited
	}
	nano := j.own.limit - j.own.spent
	return money.USD(nano)
}

// leaveOpen starts a job that does not end, with a stage and a call.
func (p *program) leaveOpen(s scope) {
	s.over = &over{parent: s.over}
	in := s
	in.tally = new(tally)
	j, opts, id := p.newJob(s, in)
	in.job = j
	in.ctx, _ = instrument.StartJob(s.ctx, id, opts...)
	p.started(in)
	p.spend(in)
	if p.oneIn(2) {
		in.stage = p.stageName()
		in.ctx, _ = instrument.StartStage(in.ctx, in.stage)
		p.b.add(1, "stages_in_progress", "stage", in.stage)
	}
	p.call(in)
	p.b.add(1, "jobs_in_progress")
}

// showLive books the series of the jobs that are live at the end.
func (p *program) showLive() {
	for j := range p.live {
		if j.generated {
			continue // nobody knows its id
		}
		for api, nano := range j.costs {
			p.b.pay(nano, "job_cost_usd", "api", api, "job_id", j.id)
		}
		if j.keeps {
			left, _ := j.job.BudgetRemaining()
			if left != money.Unlimited {
				p.b.pay(int64(left), "budget_remaining_usd", "job_id", j.id)
			}
		} else if j.own != nil && j.own.limit != unlimited {
			p.b.pay(int64(j.left()), "budget_remaining_usd", "job_id", j.id)
		}
	}
}
