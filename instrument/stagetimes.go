package instrument

import (
	"slices"
	"strings"
)

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
