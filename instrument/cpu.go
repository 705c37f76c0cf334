package instrument

import "time"

// keptProcess is a process, with the CPU time that it had used when a snapshot first found its
// stage stalled.
type keptProcess struct {
	ProcessState
	in      *scope // of its stage; nil outside of any
	base    time.Duration
	since   time.Time // when base was read
	stalled time.Time // the start of the stall in which base was read
}

// state returns the process as a snapshot shows it. stage is its stage, or zero once that has
// ended. The lock of the details is held.
func (p *keptProcess) state(stage StageState, now time.Time) ProcessState {
	if !stage.Start.IsZero() {
		p.StageStart = stage.Start
	}
	s := p.ProcessState
	if stage.Stalled.IsZero() {
		return s
	}
	used, ok := cpuTime(p.PID)
	switch {
	case !ok:
	case !stage.Stalled.Equal(p.stalled):
		p.stalled, p.base, p.since = stage.Stalled, used, now
	default:
		s.CPU, s.CPUSince = max(used-p.base, 0), p.since
	}
	return s
}
