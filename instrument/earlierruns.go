package instrument

import (
	"slices"

	"github.com/stagemeter/stagemeter/instrument/internal/eta"
)

// named reports whether the times have the name of one stage; "other" stands for many.
func (t StageTimes) named() bool {
	_, ok := cleanName(t.Stage)
	return ok && t.Stage != other
}

func (r StageRun) valid() bool { return r.Took >= 0 && r.Video >= 0 }

// earlierRuns are runs of earlier processes by stage. They are never changed.
type earlierRuns map[string][]eta.Run

// newEarlierRuns returns the valid runs of the declared stages and of at most nameLimit others.
func newEarlierRuns(c *config) earlierRuns {
	all := make(earlierRuns)
	others := 0
	for _, t := range c.stageTimes {
		if !t.named() {
			continue
		}
		runs, known := all[t.Stage]
		if !known && !slices.Contains(c.stages, t.Stage) {
			if others == c.nameLimit {
				continue
			}
			others++
		}
		for _, r := range t.Runs {
			if r.valid() {
				runs = append(runs, eta.Run(r))
			}
		}
		if len(runs) > 0 {
			all[t.Stage] = slices.Clone(runs[max(0, len(runs)-eta.Kept):])
		}
	}
	return all
}

// newStage returns a handle for name that has the runs of earlier processes.
func (e earlierRuns) newStage(name string) *stageHandle {
	h := newStageHandle(name)
	for _, r := range e[name] {
		h.usual.Add(r)
	}
	return h
}
