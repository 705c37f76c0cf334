package instrument

import (
	"sync/atomic"

	"github.com/stagemeter/stagemeter/instrument/internal/errs"
	"github.com/stagemeter/stagemeter/instrument/internal/eta"
)

// rare holds what few jobs, stages and calls need: a record of their errors and of their processes.
type rare struct {
	counted errs.Counted // errors that are in errors_total already
	ran     processTotal

	progress atomic.Pointer[progressReport] // the newest report
	inside   atomic.Pointer[progressReport] // of a job, the newest one of its stages
}

// lazyRare makes it at the first need, so that a stage that goes well does not pay for it.
type lazyRare struct{ p atomic.Pointer[rare] }

func (l *lazyRare) get() *rare {
	if l.p.Load() == nil {
		l.p.CompareAndSwap(nil, new(rare))
	}
	return l.p.Load()
}

// counted reports whether err is counted already.
func (l *lazyRare) counted(err error) bool {
	r := l.p.Load()
	return r != nil && r.counted.Has(err, sameError)
}

func (l *lazyRare) used() bool { return l.p.Load() != nil }

// A progressReport is one report of progress, with the track of all reports up to it.
type progressReport struct {
	Progress
	track eta.Track
}

// report keeps a report of progress.
func (l *lazyRare) report(now *progressReport) {
	at := &l.get().progress
	for kept := false; !kept; {
		var track eta.Track
		last := at.Load()
		if last != nil {
			track = last.track
		}
		now.track = track.Next(now.At, now.Done, now.Total)
		now.Grown = now.track.Grown()
		kept = at.CompareAndSwap(last, now)
	}
}

// reported returns the newest report of progress, or nil.
func (l *lazyRare) reported() *progressReport {
	if r := l.p.Load(); r != nil {
		return r.progress.Load()
	}
	return nil
}

// newest returns the newest report of a job or one of its stages, or nil.
func (l *lazyRare) newest() *progressReport {
	r := l.p.Load()
	if r == nil {
		return nil
	}
	own, inside := r.progress.Load(), r.inside.Load()
	if own == nil || inside != nil && !inside.At.Before(own.At) {
		return inside
	}
	return own
}

// copied returns a copy of the progress that was reported, or nil.
func (r *progressReport) copied() *Progress {
	if r == nil {
		return nil
	}
	return copied(&r.Progress)
}
