package instrument

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/instrument/internal/eta"
)

// StageTimes are how long the newest runs of a stage took that went well: at most 64, the oldest
// first. They can be kept as JSON.
type StageTimes struct {
	Stage string
	Runs  []StageRun
}

// A StageRun is how long one run of a stage took, and how long its video was; 0 if unknown.
type StageRun struct{ Took, Video time.Duration }

// WithStageTimes gives a pipeline what [Pipeline.StageTimes] of an earlier process returned, so that
// a new process knows from its first job on how long a stage usually takes. Of a stage with more than
// 64 runs the last 64 count. It includes [WithDetails].
func WithStageTimes(times ...StageTimes) Option {
	return option(func(c *config) error {
		c.details = true
		c.stageTimes = append(c.stageTimes, times...)
		for _, t := range times {
			for _, r := range t.Runs {
				if r.Took < 0 || r.Video < 0 {
					return fmt.Errorf("instrument: WithStageTimes: %.100q: a run of %v with a video of %v is ignored: a length is 0 or more", t.Stage, r.Took, r.Video)
				}
			}
		}
		return nil
	})
}

// StageTimes returns how long the stages took that went well, by name, of a pipeline with
// [WithDetails]. It is safe for concurrent use.
func (p *Pipeline) StageTimes() []StageTimes {
	if p.inert() {
		return nil
	}
	var all []StageTimes
	for name, h := range p.stages.all() {
		runs := h.usual.Runs()
		if len(runs) == 0 || name == other {
			continue
		}
		t := StageTimes{Stage: name}
		for _, r := range runs {
			t.Runs = append(t.Runs, StageRun(r))
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

// remember takes over times of an earlier process, and notes which stages are declared.
func (p *Pipeline) remember(c *config) {
	for _, name := range c.stages {
		if h := p.stages.get(name); !slices.Contains(p.declared, h) {
			p.declared = append(p.declared, h)
		}
	}
	for _, t := range c.stageTimes {
		h := p.stages.get(t.Stage)
		for _, r := range t.Runs {
			h.usual.Add(eta.Run(r))
		}
	}
}
