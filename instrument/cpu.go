package instrument

import "time"

// keptProcess is a process, and the CPU time that it had used when its stage was first seen to be
// stalled.
type keptProcess struct {
	ProcessState
	base    time.Duration
	since   time.Time // when base was read
	stalled time.Time // the last growth before the stall that base is of
}

// state returns the process as a snapshot shows it. The lock of the details is held.
func (p *keptProcess) state(stages []StageState, now time.Time) ProcessState {
	s := p.ProcessState
	for i := range stages {
		stage := &stages[i]
		if stage.Name != p.Stage || stage.Stalled.IsZero() {
			continue
		}
		used, ok := cpuTime(p.PID)
		switch {
		case !ok:
		case !stage.Stalled.Equal(p.stalled):
			p.stalled, p.base, p.since = stage.Stalled, used, now
		default:
			s.CPU, s.CPUSince = used-p.base, p.since
		}
		break
	}
	return s
}
