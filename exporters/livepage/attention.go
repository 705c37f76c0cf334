package livepage

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
)

// The kinds of notices, the most urgent first.
const (
	stalled    = "stalled"
	overdue    = "overdue"
	overBudget = "over_budget"
)

var urgency = map[string]int{stalled: 0, overdue: 1, overBudget: 2}

// attention returns the lines that ask for a look, the most urgent first.
func (b *builder) attention(s instrument.Snapshot) []notice {
	type of struct {
		job  *instrument.JobState
		kind string
		text string
	}
	var found []of
	for i := range s.Live {
		j := &s.Live[i]
		for k := range j.Stages {
			stage := &j.Stages[k]
			if !stage.Stalled.IsZero() {
				text := fmt.Sprintf("%s has made no progress for %s%s", stage.Name, span(s.Time.Sub(stage.Stalled)), processText(j, stage))
				found = append(found, of{j, stalled, text})
			}
			if stage.Overdue {
				found = append(found, of{j, overdue, fmt.Sprintf("%s takes %.1f× its usual; %d of %d earlier runs were done by now",
					stage.Name, timesUsual(stage, s.Time), stage.Usual.Shorter, stage.Usual.Runs)})
			}
		}
		if over(j.Budget) {
			found = append(found, of{j, overBudget, fmt.Sprintf("has spent %s of %s", j.Budget.Spent, j.Budget.Limit)})
		}
	}
	slices.SortStableFunc(found, func(x, y of) int { return cmp.Compare(urgency[x.kind], urgency[y.kind]) })
	all := []notice{}
	for _, f := range atMost(found, sentOthers) {
		all = append(all, notice{Kind: f.kind, Run: run(f.job.Run), Job: b.id(f.job.ID), Text: f.text})
	}
	return all
}

// processText says whether the processes of a stalled stage use CPU time.
func processText(j *instrument.JobState, stage *instrument.StageState) string {
	var text strings.Builder
	for _, p := range j.Processes {
		if !startedIn(p, stage) {
			continue
		}
		fmt.Fprintf(&text, "; %s pid %d is alive", p.Name, p.PID)
		switch {
		case p.CPUSince.IsZero():
		case p.CPU < 10*time.Millisecond:
			text.WriteString(" and used no CPU")
		default:
			fmt.Fprintf(&text, " and used %s of CPU", span(p.CPU))
		}
	}
	return text.String()
}

// startedIn reports whether a stage started a process. Several stages of a job may have one name.
func startedIn(p instrument.ProcessState, s *instrument.StageState) bool {
	return p.Stage == s.Name && (p.StageStart.IsZero() || p.StageStart.Equal(s.Start))
}

// process returns a process of a job, with the speed that its stage reports.
func (b *builder) process(j instrument.JobState, p instrument.ProcessState) process {
	out := process{PID: p.PID, Name: p.Name, Run: run(j.Run), Job: b.id(j.ID), Stage: p.Stage, Start: ms(p.Start)}
	for i := range j.Stages {
		if s := &j.Stages[i]; startedIn(p, s) && s.End.IsZero() && s.Progress != nil {
			out.Speed = s.Progress.Speed
		}
	}
	if !p.CPUSince.IsZero() {
		cpu := p.CPU.Milliseconds()
		out.CPU = &cpu
	}
	return out
}

// span writes a length for people, in whole units.
func span(d time.Duration) string {
	switch s := int(d.Seconds()); {
	case d < time.Second:
		return fmt.Sprintf("%d ms", max(d.Milliseconds(), 0))
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d m %02d s", s/60, s%60)
	default:
		return fmt.Sprintf("%d h %02d m", s/3600, s/60%60)
	}
}
