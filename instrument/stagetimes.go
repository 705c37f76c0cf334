package instrument

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stagemeter/stagemeter/instrument/internal/eta"
)

// WithStageTimes gives a pipeline what [Pipeline.StageTimes] of an earlier process returned, so that
// a new process knows from its first job on how long a stage usually takes. Of a stage with more than
// 64 runs the last 64 count. Of stages that are not declared, it takes the first that [WithNameLimit]
// allows; they have no series until they run. The option includes [WithDetails].
func WithStageTimes(times ...StageTimes) Option {
	return option(func(c *config) error {
		c.details = true
		c.stageTimes = append(c.stageTimes, times...)
		for _, t := range times {
			if !t.named() {
				return fmt.Errorf("instrument: WithStageTimes: the runs of %.100q are ignored: it is not the name of a stage", t.Stage)
			}
			for _, r := range t.Runs {
				if !r.valid() {
					return fmt.Errorf("instrument: WithStageTimes: %.100q: a run of %v with a video of %v is ignored: a length is 0 or more", t.Stage, r.Took, r.Video)
				}
			}
		}
		return nil
	})
}

// StageTimes returns how long the newest successful runs of each stage took, sorted by stage. Only
// a pipeline with [WithDetails] keeps them. Those of [WithStageTimes] are among them, also of
// stages that have not run yet. It is safe for concurrent use.
func (p *Pipeline) StageTimes() []StageTimes {
	if p.inert() {
		return nil
	}
	runs := make(map[string][]eta.Run)
	for name, of := range p.earlierRuns {
		runs[name] = of
	}
	for name, h := range p.stages.all() {
		runs[name] = h.usual.Runs()
	}
	var all []StageTimes
	for name, of := range runs {
		if len(of) == 0 {
			continue
		}
		t := StageTimes{Stage: name, Runs: make([]StageRun, len(of))}
		for i, r := range of {
			t.Runs[i] = StageRun(r)
		}
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b StageTimes) int { return strings.Compare(a.Stage, b.Stage) })
	return all
}

// stageNames returns the names of the declared stages in their order, then those of others.
func (p *Pipeline) stageNames() []string {
	var names, others []string
	for _, h := range p.declared {
		names = append(names, h.name)
	}
	for name, h := range p.stages.all() {
		if !slices.Contains(p.declared, h) {
			others = append(others, name)
		}
	}
	slices.Sort(others)
	return append(names, others...)
}
