package screen

import (
	"fmt"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
)

// A glance is what a snapshot says about one job, in words. Unknown ones are "".
type glance struct {
	stage  string  // under way
	share  float64 // of the job that is done, from 0 on; -1: unknown
	left   string  // the time to go
	basis  string  // of left: earlier runs, or its own speed
	money  string  // spent, of its budget
	mark   string  // "stalled" or "overdue", in a few words
	why    string  // the same, as a sentence
	marked string  // identifies the mark: another one is news
}

// glanceAt returns what a snapshot says about a job, and false if the job is not live.
func glanceAt(s instrument.Snapshot, id string) (glance, bool) {
	for i := range s.Live {
		if j := &s.Live[i]; j.ID == id {
			return glanceOf(j, s.Time), true
		}
	}
	return glance{share: -1}, false
}

func glanceOf(j *instrument.JobState, now time.Time) glance {
	g := glance{share: -1, money: moneyOf(j)}
	if e := j.Estimate; e != nil {
		g.share = e.Fraction
		if e.Left >= 0 {
			g.left, g.basis = leftOf(e), basisOf(e)
		}
	}
	known := g.left != ""
	for i := range j.Stages {
		s := &j.Stages[i]
		if !s.End.IsZero() {
			continue
		}
		g.stage = s.Name
		if !known { // before an earlier run tells how long the stages to come take
			g.left, g.basis = stageLeft(s.Estimate)
		}
		switch {
		case !s.Stalled.IsZero():
			g.mark = "‖ stalled " + length(now.Sub(s.Stalled))
			g.why = fmt.Sprintf("%s has made no progress for %s%s", s.Name, length(now.Sub(s.Stalled)), processes(j, s.Name))
			g.marked = s.Name + " stalled " + s.Stalled.String()
		case s.Overdue && g.mark == "":
			g.mark = fmt.Sprintf("◔ overdue %.1f×", float64(now.Sub(s.Start))/float64(max(s.Usual.P50, time.Millisecond)))
			g.why = fmt.Sprintf("%s takes long: %d of %s were done by now", s.Name, s.Usual.Shorter, many(s.Usual.Runs, "earlier run"))
			g.marked = s.Name + " overdue"
		}
	}
	return g
}

// leftOf writes how long a job still takes, and how long at most, unless that is the same.
func leftOf(e *instrument.Estimate) string {
	text := roughly(e.Left)
	if most := about(e.Most); most != about(e.Left) {
		text += ", up to " + most
	}
	return text
}

// stageLeft writes how long a stage still takes, and what that rests on. Both are "" if it is unknown.
func stageLeft(e *instrument.Estimate) (left, basis string) {
	if e == nil || e.Left < 0 {
		return "", ""
	}
	return "stage " + roughly(e.Left), basisOf(e)
}

func basisOf(e *instrument.Estimate) string {
	switch {
	case e.Runs == 0:
		return "its own speed so far"
	case e.Scaled:
		return many(e.Runs, "earlier run") + ", scaled by video length"
	}
	return many(e.Runs, "earlier run")
}

// moneyOf writes what a job has spent, its budget, and what is held for calls under way.
func moneyOf(j *instrument.JobState) string {
	spent := j.Cost
	limited := j.Budget != nil && j.Budget.Limit != instrument.Unlimited
	if limited {
		spent = j.Budget.Spent
	}
	text := usd(spent)
	switch {
	case spent == 0 && j.Unpriced > 0:
		text = "unpriced"
	case j.Unpriced > 0:
		text += fmt.Sprintf(" + %d unpriced", j.Unpriced)
	}
	if !limited {
		return text
	}
	text += " of " + usd(j.Budget.Limit)
	if j.Budget.Held > 0 {
		text += ", " + usd(j.Budget.Held) + " held"
	}
	return text
}

// processes says whether the processes of a stalled stage use CPU time.
func processes(j *instrument.JobState, stage string) string {
	var text strings.Builder
	for _, p := range j.Processes {
		if p.Stage != stage {
			continue
		}
		fmt.Fprintf(&text, "; %s pid %d is alive", p.Name, p.PID)
		switch {
		case p.CPUSince.IsZero():
		case p.CPU < 10*time.Millisecond:
			text.WriteString(" and used no CPU")
		default:
			fmt.Fprintf(&text, " and used %s of CPU", length(p.CPU))
		}
	}
	return text.String()
}

// words writes how far a job is, when it will be done and what it costs.
func (g glance) words() string {
	var parts []string
	if g.share >= 0 {
		parts = append(parts, percent(g.share))
	}
	if g.left != "" {
		parts = append(parts, g.left+" left")
	}
	return strings.Join(append(parts, g.money), " · ")
}
