package instrument

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/stagemeter/stagemeter/instrument/internal/eta"
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
	stages        kept[keptStage]
	calls         kept[CallState]
	errors        []ErrorState
	moreErrors    int
	processes     []*keptProcess
	moreProcesses int // under way
	quality       QualityState
	fraction      float64 // the largest that was shown
}

func newDetails() *details { return &details{quality: QualityState{Segments: -1}} }

// keptStage is a stage, with what is known only while it is under way.
type keptStage struct {
	StageState
	handle      *stageHandle
	from        *scope        // its own; nil once it has ended
	video       time.Duration // of the stage itself, if hasVideo
	hasVideo    bool
	toldStalled time.Time // the last growth before the stall that was told
	toldOverdue bool
	shown       float64 // the largest fraction that was, of the stage shownOf
	shownOf     *scope
}

// A place is where a [kept] has an entry under way, counted from 1. 0 is none.
type place int32

// kept is a bounded list of entries. It uses the places of those that have ended again, so that
// keeping one more allocates nothing, and shows the newest.
type kept[E any] struct {
	list  []slot[E]
	n     uint64 // entries so far, kept or not
	drops int    // of them, those that were none
}

type slot[E any] struct {
	entry E
	n     uint64 // in the order of the starts; 0: it was none
	ended bool
}

// add makes room for an entry, if need be by dropping the oldest one that has ended. Only those
// under way may be more than limit; the result is 0 if they are too many.
func (k *kept[E]) add(e E, limit int) place {
	at := -1
	if len(k.list) >= limit {
		for i := range k.list {
			if s := &k.list[i]; s.ended && (at < 0 || s.n < k.list[at].n) {
				at = i
			}
		}
	}
	k.n++
	switch {
	case at >= 0:
		k.list[at] = slot[E]{entry: e, n: k.n}
	case len(k.list) >= keptUnderWay:
		return 0
	default:
		at = len(k.list)
		k.list = append(k.list, slot[E]{entry: e, n: k.n})
	}
	return place(at + 1)
}

// end returns the entry at a place, which has ended.
func (k *kept[E]) end(at place) *E {
	s := &k.list[at-1]
	s.ended = true
	return &s.entry
}

// drop forgets the entry at a place.
func (k *kept[E]) drop(at place) {
	k.list[at-1] = slot[E]{ended: true}
	k.drops++
}

// newest returns all entries under way and the newest that have ended, at most limit unless more are
// under way, in the order of their starts; and how many there were beside them.
func (k *kept[E]) newest(limit int) (list []*E, more int) {
	sorted := make([]*slot[E], 0, len(k.list))
	for i := range k.list {
		if k.list[i].n > 0 {
			sorted = append(sorted, &k.list[i])
		}
	}
	slices.SortFunc(sorted, func(a, b *slot[E]) int { return cmp.Compare(a.n, b.n) })
	list = make([]*E, 0, len(sorted))
	drop := len(sorted) - limit
	for _, s := range sorted {
		if drop > 0 && s.ended {
			drop--
			continue
		}
		list = append(list, &s.entry)
	}
	return list, int(k.n) - k.drops - len(list)
}

// startStage keeps a stage that starts.
func (d *details) startStage(s keptStage) place {
	if d == nil {
		return 0
	}
	s.Name, s.Start = s.handle.name, time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stages.add(s, keptStages)
}

func (d *details) endStage(at place, errorType string) {
	if at == 0 {
		return
	}
	now := time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.stages.end(at)
	s.End, s.ErrorType, s.Progress, s.from = now, errorType, s.from.rare.reported().copied(), nil
}

// state returns the stage as a snapshot shows it, and adds what is new
// of it to all. The lock of the details is held.
func (e *keptStage) state(now time.Time, video time.Duration, all []news) (StageState, []news) {
	s := e.StageState
	if e.hasVideo {
		video = e.video
	}
	end := now
	if !s.End.IsZero() {
		end = s.End
	}
	took := end.Sub(s.Start)
	times := e.handle.usual.Of(video, took)
	if times.N > 0 {
		s.Usual = &Usual{Runs: times.N, Shorter: times.Shorter, Scaled: times.Scaled, P50: times.P50, P90: times.P90, P95: times.P95}
	}
	if e.from == nil {
		s.Progress = copied(s.Progress)
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
	if e.shownOf != e.from { // its place was another's
		e.shownOf, e.shown = e.from, 0
	}
	e.shown = s.Estimate.notBelow(e.shown)
	if !s.Stalled.Equal(e.toldStalled) {
		if e.toldStalled = s.Stalled; !s.Stalled.IsZero() {
			all = append(all, news{of: e.from, state: s})
		}
	}
	if s.Overdue && !e.toldOverdue {
		e.toldOverdue = true
		all = append(all, news{of: e.from, state: s, overdue: true})
	}
	return s, all
}

// neverFalls keeps the largest fraction that a job was shown with.
func (d *details) neverFalls(e *Estimate) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fraction = e.notBelow(d.fraction)
}

// startCall keeps a call that starts.
func (d *details) startCall(api, stage string, most USD) place {
	if d == nil {
		return 0
	}
	now := time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.calls.add(CallState{API: api, Stage: stage, Start: now, MaxCost: most}, keptCalls)
}

func (d *details) endCall(at place, cost USD, unpriced, errorType string) {
	if at == 0 {
		return
	}
	now := time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.calls.end(at)
	c.End, c.Cost, c.Unpriced, c.ErrorType = now, cost, unpriced, errorType
}

// dropCall forgets a call that was none.
func (d *details) dropCall(at place) {
	if at == 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls.drop(at)
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
	stages, moreStages := d.stages.newest(keptStages)
	calls, moreCalls := d.calls.newest(keptCalls)
	s.MoreStages, s.MoreCalls = moreStages, moreCalls
	s.MoreErrors, s.MoreProcesses = d.moreErrors, d.moreProcesses
	s.Stages, s.Calls = slices.Grow(s.Stages, len(stages)), slices.Grow(s.Calls, len(calls))
	for _, e := range stages {
		var stage StageState
		stage, all = e.state(now, s.Video, all)
		s.Stages = append(s.Stages, stage)
	}
	for _, c := range calls {
		s.Calls = append(s.Calls, *c)
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
