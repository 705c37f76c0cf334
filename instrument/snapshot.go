package instrument

import "time"

// Snapshot returns the live jobs of the pipeline and, with [WithHistory], those that ended last. It
// locks one job at a time, and never for longer than it takes to copy that job, so it may be called
// at any time and any rate; each call takes time and memory in proportion to what it returns.
func (p *Pipeline) Snapshot(q Query) Snapshot {
	s := Snapshot{Time: time.Now()}
	if p.inert() {
		return s
	}
	if q.Limit <= 0 {
		q.Limit = defaultSnapshot
	}
	q.Job = showID(q.Job)
	jobs, n := p.live.runsOf(q)
	s.LiveJobs = n
	s.Live = make([]JobStatus, 0, len(jobs))
	for _, j := range jobs {
		s.Live = append(s.Live, j.status())
	}
	s.Ended, s.EndedJobs = p.history.last(q)
	return s
}
