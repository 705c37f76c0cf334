package instrument

import (
	"math"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/stagemeter/stagemeter/internal/instruments"
	"github.com/stagemeter/stagemeter/semconv"
)

// observeWork observes which stages under way are stalled or overdue, and their progress.
func (p *Pipeline) observeWork(o metric.Observer, inst *instruments.Set) {
	jobs, _ := p.live.runsOf(Query{Limit: math.MaxInt})
	stalled := make(map[string]int64)
	overdue := int64(0)
	now := time.Now()
	done := fractions{limit: p.live.costLimit(), least: make(map[*liveJob]map[string]float64)}
	for _, j := range jobs {
		s := JobState{Video: seconds(j.videoSeconds())}
		tellNews(j.ref(), j.details.copyTo(&s, now))
		if unusual(s.Stages, stalled) {
			overdue++
		}
		if j.live.shown {
			done.add(j.live, s.Stages)
		}
	}
	done.observe(o, inst)
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

// shownStages is how many stage names of one job have a series of progress.
const shownStages = 8

// fractions has the progress of the stages under way by job and name; of several with one name, the
// least.
type fractions struct {
	limit int64 // of series
	n     int64
	least map[*liveJob]map[string]float64
}

func (f *fractions) add(job *liveJob, stages []StageState) {
	for i := range stages {
		s := &stages[i]
		if s.Depth > 0 || s.Estimate == nil || s.Estimate.Fraction < 0 {
			continue
		}
		of := f.least[job]
		if known, ok := of[s.Name]; ok {
			of[s.Name] = min(known, s.Estimate.Fraction)
			continue
		}
		if len(of) == shownStages || f.n == f.limit {
			continue
		}
		if of == nil {
			of = make(map[string]float64, 1)
			f.least[job] = of
		}
		f.n++
		of[s.Name] = s.Estimate.Fraction
	}
}

func (f *fractions) observe(o metric.Observer, inst *instruments.Set) {
	for job, of := range f.least {
		for name, fraction := range of {
			o.ObserveFloat64(inst.StageProgress, fraction, metric.WithAttributes(job.label(), semconv.AttrStage.String(name)))
		}
	}
}
