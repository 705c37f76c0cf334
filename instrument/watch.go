package instrument

import (
	"math"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/stagemeter/stagemeter/internal/instruments"
	"github.com/stagemeter/stagemeter/semconv"
)

// observeWork reports what is unusual about the stages under way, and how far they are.
func (p *Pipeline) observeWork(o metric.Observer, inst *instruments.Set) {
	jobs, _ := p.live.runsOf(Query{Limit: math.MaxInt})
	stalled := make(map[string]int64)
	overdue := int64(0)
	now := time.Now()
	for _, j := range jobs {
		s := JobState{Video: seconds(j.videoSeconds())}
		tellNews(j.ref(), j.details.copyTo(&s, now))
		if unusual(s.Stages, stalled) {
			overdue++
		}
		if j.live.shown {
			observeProgress(o, inst, j, s.Stages)
		}
	}
	o.ObserveInt64(inst.JobsOverdue, overdue)
	for name, h := range p.stages.all() {
		o.ObserveInt64(inst.StagesStalled, stalled[name], h.set)
	}
}

// unusual counts the stages that are stalled, and reports whether one is overdue.
func unusual(stages []StageState, stalled map[string]int64) (overdue bool) {
	for i := range stages {
		if !stages[i].Stalled.IsZero() {
			stalled[stages[i].Name]++
		}
		overdue = overdue || stages[i].Overdue
	}
	return overdue
}

// shownStages is of how many stages of one job, by name, the progress has a series.
const shownStages = 8

func observeProgress(o metric.Observer, inst *instruments.Set, j *Job, stages []StageState) {
	least := make(map[string]float64, shownStages)
	for i := range stages {
		s := &stages[i]
		if s.Depth > 0 || s.Estimate == nil || s.Estimate.Fraction < 0 {
			continue
		}
		if known, ok := least[s.Name]; ok || len(least) < shownStages {
			if !ok {
				known = 1
			}
			least[s.Name] = min(known, s.Estimate.Fraction)
		}
	}
	for name, fraction := range least {
		o.ObserveFloat64(inst.StageProgress, fraction, metric.WithAttributes(j.live.label(), semconv.AttrStage.String(name)))
	}
}
