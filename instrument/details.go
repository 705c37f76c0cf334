package instrument

import (
	"slices"
	"sync"
	"time"

	"github.com/stagemeter/stagemeter/instrument/internal/eta"
	"github.com/stagemeter/stagemeter/instrument/internal/newest"
	"github.com/stagemeter/stagemeter/instrument/internal/once"
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
	start         time.Time     // of the job
	began         time.Duration // the same, on the clock of once.Now
	mu            sync.Mutex
	stages        newest.List[keptStage]
	calls         newest.List[keptCall]
	errors        []ErrorState
	moreErrors    int
	processes     []*keptProcess
	moreProcesses int // under way
	quality       QualityState
	fraction      float64 // of the job: the largest that was shown
}

func newDetails(start time.Time) *details {
	return &details{start: start, began: once.At(start), quality: QualityState{Segments: -1}}
}

// startedStage has what is known of a stage at its start. Times are on the clock of once.Now.
type startedStage struct {
	from   *scope // its own; nil once it has ended
	handle *stageHandle
	start  time.Duration
	video  time.Duration // of the stage itself; below 0: that of its job
	depth  int32
}

// keptStage is a stage as it is stored. A snapshot makes a [StageState] of it.
type keptStage struct {
	startedStage
	took            time.Duration
	errorType       string
	progress        *Progress // never changed
	reportedStall   time.Time // the start of the stall that was reported last
	reportedOverdue bool
	shown           float64 // the largest fraction that was shown
}

// startedCall has what is known of a paid call at its start.
type startedCall struct {
	api   *apiHandle
	stage *stageHandle // nil outside of any
	start time.Duration
	most  USD
}

// keptCall is a paid call.
type keptCall struct {
	startedCall
	took      time.Duration // below 0: it is under way
	cost      USD
	unpriced  string
	errorType string
}

// at returns the wall clock time of a time on the clock of once.Now.
func (d *details) at(t time.Duration) time.Time { return d.start.Add(t - d.began) }

// startStage keeps a stage that starts.
func (d *details) startStage(s startedStage) newest.Place {
	d.mu.Lock()
	at, e := d.stages.Start(keptStages, keptUnderWay)
	if e != nil {
		e.startedStage, e.reportedStall, e.reportedOverdue, e.shown = s, time.Time{}, false, 0 // an earlier stage may have had this place
	}
	d.mu.Unlock()
	return at
}

func (d *details) endStage(at newest.Place, took time.Duration, errorType string) {
	d.mu.Lock()
	e := d.stages.End(at)
	if r := e.from.rare.reported(); r != nil {
		e.progress = &r.Progress
	} else {
		e.progress = nil
	}
	e.took, e.errorType, e.from = took, errorType, nil
	d.mu.Unlock()
}

// state returns the stage as a snapshot shows it, and adds what is new of it to all. The lock of d is
// held.
func (e *keptStage) state(d *details, now time.Time, video time.Duration, all []news) (StageState, []news) {
	s := StageState{Name: e.handle.name, Depth: int(e.depth), Start: d.at(e.start)}
	if e.video >= 0 {
		video = e.video
	}
	took := e.took
	if e.from != nil {
		took = now.Sub(s.Start)
	}
	times := e.handle.usual.Of(video, took)
	if times.N > 0 {
		s.Usual = &Usual{Runs: times.N, Shorter: times.Shorter, Scaled: times.Scaled, P50: times.P50, P90: times.P90, P95: times.P95}
	}
	if e.from == nil {
		s.End, s.ErrorType, s.Progress = d.at(e.start+took), e.errorType, copied(e.progress)
		return s, all
	}
	late := times.Overdue()
	s.Overdue = late > 0 && took > late
	var track eta.Track
	if r := e.from.rare.reported(); r != nil {
		track, s.Progress = r.track, r.copied()
		if track.Stalled(now) {
			s.Stalled = track.Grown()
		}
	}
	s.Estimate = estimate(now, took, track, times)
	e.shown = s.Estimate.notBelow(e.shown)
	if !s.Stalled.Equal(e.reportedStall) {
		if e.reportedStall = s.Stalled; !s.Stalled.IsZero() {
			all = append(all, news{of: e.from, state: s})
		}
	}
	if s.Overdue && !e.reportedOverdue {
		e.reportedOverdue = true
		all = append(all, news{of: e.from, state: s, overdue: true})
	}
	return s, all
}

// neverFalls raises the fraction of e to the largest one that the job was shown with.
func (d *details) neverFalls(e *Estimate) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fraction = e.notBelow(d.fraction)
}

// startCall keeps a call that starts.
func (d *details) startCall(c startedCall) newest.Place {
	d.mu.Lock()
	at, e := d.calls.Start(keptCalls, keptUnderWay)
	if e != nil {
		e.startedCall, e.took = c, -1
	}
	d.mu.Unlock()
	return at
}

func (d *details) endCall(at newest.Place, took time.Duration, cost USD, unpriced, errorType string) {
	d.mu.Lock()
	e := d.calls.End(at)
	e.took, e.cost, e.unpriced, e.errorType = max(took, 0), cost, unpriced, errorType
	d.mu.Unlock()
}

// dropCall forgets a call that turned out not to count, such as a redirect.
func (d *details) dropCall(at newest.Place) {
	if d == nil {
		return
	}
	d.mu.Lock()
	d.calls.Drop(at)
	d.mu.Unlock()
}

// state returns the call as a snapshot shows it.
func (e *keptCall) state(d *details) CallState {
	s := CallState{API: e.api.name, Start: d.at(e.start), MaxCost: e.most}
	if e.stage != nil {
		s.Stage = e.stage.name
	}
	if e.took >= 0 {
		s.End, s.Cost, s.Unpriced, s.ErrorType = d.at(e.start+e.took), e.cost, e.unpriced, e.errorType
	}
	return s
}

func (d *details) addError(stage, errorType string) {
	if d == nil {
		return
	}
	now := time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.errors {
		if e := &d.errors[i]; e.Stage == stage && e.ErrorType == errorType {
			e.Count++
			e.Last = now
			return
		}
	}
	if len(d.errors) == keptErrors {
		d.moreErrors++
		return
	}
	d.errors = append(d.errors, ErrorState{Stage: stage, ErrorType: errorType, Count: 1, Last: now})
}

// startProcess keeps a process until done is called.
func (d *details) startProcess(pid int, name, stage string, in *scope) (done func()) {
	if d == nil {
		return func() {}
	}
	s := &keptProcess{ProcessState: ProcessState{PID: pid, Name: name, Stage: stage, Start: time.Now()}, in: in}
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
		d.processes = slices.DeleteFunc(d.processes, func(o *keptProcess) bool { return o == s })
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

// copyTo copies what is kept into the state of the job, and returns what is new about its stages.
func (d *details) copyTo(s *JobState, now time.Time) (all []news) {
	if d == nil {
		s.Quality.Segments = -1
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	stages, moreStages := d.stages.Newest(keptStages)
	calls, moreCalls := d.calls.Newest(keptCalls)
	s.MoreStages, s.MoreCalls = moreStages, moreCalls
	s.MoreErrors, s.MoreProcesses = d.moreErrors, d.moreProcesses
	s.Stages, s.Calls = slices.Grow(s.Stages, len(stages)), slices.Grow(s.Calls, len(calls))
	for _, e := range stages {
		var stage StageState
		stage, all = e.state(d, now, s.Video, all)
		s.Stages = append(s.Stages, stage)
	}
	for _, c := range calls {
		s.Calls = append(s.Calls, c.state(d))
	}
	for _, e := range d.processes {
		at := slices.IndexFunc(stages, func(k *keptStage) bool { return k.from != nil && k.from == e.in })
		var stage StageState
		if at >= 0 {
			stage = s.Stages[at]
		}
		s.Processes = append(s.Processes, e.state(stage, now))
	}
	s.Errors, s.Quality = slices.Clone(d.errors), d.quality.clone()
	return all
}
