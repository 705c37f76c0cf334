package instrument

import (
	"slices"
	"sync"
	"time"
)

// How much of one job WithDetails keeps.
const (
	keptStages   = 64
	keptCalls    = 64
	keptUnderWay = 1000 // of stages and of calls
	keptErrors   = 32
	keptProcs    = 64
	keptQuality  = 1000
)

// details holds what [Pipeline.Snapshot] shows of a job beyond its figures. A nil *details, of a
// pipeline without [WithDetails], keeps nothing.
type details struct {
	mu            sync.Mutex
	stages        kept[stageState]
	calls         kept[CallState]
	errors        []ErrorState
	moreErrors    int
	processes     []*ProcessState
	moreProcesses int // under way
	quality       QualityState
}

func newDetails() *details { return &details{quality: QualityState{Segments: -1}} }

// stageState is a stage with the place of its progress while it is under way.
type stageState struct {
	StageState
	from *lazyRare
}

// kept is a list of entries in the order of their starts.
type kept[E any] struct {
	list []*E
	more int // were dropped, or never kept
}

// add adds an entry, and reports whether there was room for it. To make room it drops the oldest
// entries that have ended. Only those under way may be more than limit.
func (k *kept[E]) add(e *E, limit int, ended func(*E) bool) bool {
	for len(k.list) >= limit {
		at := slices.IndexFunc(k.list, ended)
		if at < 0 {
			break
		}
		k.list = slices.Delete(k.list, at, at+1)
		k.more++
	}
	if len(k.list) >= keptUnderWay {
		k.more++
		return false
	}
	k.list = append(k.list, e)
	return true
}

// startStage keeps a stage that starts. The result is nil if nothing is kept.
func (d *details) startStage(name string, depth int, from *lazyRare) *stageState {
	if d == nil {
		return nil
	}
	s := &stageState{StageState{Name: name, Depth: depth, Start: time.Now()}, from}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.stages.add(s, keptStages, func(s *stageState) bool { return !s.End.IsZero() }) {
		return nil
	}
	return s
}

func (d *details) endStage(s *stageState, errorType string) {
	if s == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	s.End, s.ErrorType, s.Progress, s.from = time.Now(), errorType, s.from.reported(), nil
}

// startCall keeps a call that starts. The result is nil if nothing is kept.
func (d *details) startCall(api, stage string, most USD) *CallState {
	if d == nil {
		return nil
	}
	c := &CallState{API: api, Stage: stage, Start: time.Now(), MaxCost: most}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.calls.add(c, keptCalls, func(c *CallState) bool { return !c.End.IsZero() }) {
		return nil
	}
	return c
}

func (d *details) endCall(c *CallState, cost USD, unpriced, errorType string) {
	if c == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	c.End, c.Cost, c.Unpriced, c.ErrorType = time.Now(), cost, unpriced, errorType
}

// dropCall forgets a call that was none.
func (d *details) dropCall(c *CallState) {
	if c == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls.list = slices.DeleteFunc(d.calls.list, func(o *CallState) bool { return o == c })
}

func (d *details) addError(stage, errorType string) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.errors {
		if e := &d.errors[i]; e.Stage == stage && e.ErrorType == errorType {
			e.Count++
			return
		}
	}
	if len(d.errors) == keptErrors {
		d.moreErrors++
		return
	}
	d.errors = append(d.errors, ErrorState{stage, errorType, 1})
}

// startProcess keeps a process until done is called.
func (d *details) startProcess(pid int, name string) (done func()) {
	if d == nil {
		return func() {}
	}
	s := &ProcessState{PID: pid, Name: name, Start: time.Now()}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.processes) == keptProcs {
		d.moreProcesses++
		return func() {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.moreProcesses--
		}
	}
	d.processes = append(d.processes, s)
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.processes = slices.DeleteFunc(d.processes, func(o *ProcessState) bool { return o == s })
	}
}

// record keeps a quality value.
func (d *details) record(set func(*QualityState)) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	set(&d.quality)
}

// bounded appends a value to a list of at most 1,000.
func bounded[V any](list []V, v V) []V {
	if len(list) == keptQuality {
		return list
	}
	return append(list, v)
}

// copyTo copies what is kept into the state of the job.
func (d *details) copyTo(s *JobState) {
	if d == nil {
		s.Quality.Segments = -1
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	s.MoreStages, s.MoreCalls = d.stages.more, d.calls.more
	s.MoreErrors, s.MoreProcesses = d.moreErrors, d.moreProcesses
	for _, e := range d.stages.list {
		stage := e.StageState
		stage.Progress = copied(stage.Progress)
		if stage.End.IsZero() {
			stage.Progress = copied(e.from.reported())
		}
		s.Stages = append(s.Stages, stage)
	}
	for _, e := range d.calls.list {
		s.Calls = append(s.Calls, *e)
	}
	for _, e := range d.processes {
		s.Processes = append(s.Processes, *e)
	}
	s.Errors, s.Quality = slices.Clone(d.errors), d.quality.clone()
}
