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

	progress atomic.Pointer[progressReport] // the newest report; of a job, also of its stages
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

// A progressReport is one of ReportProgress, with what it and those before it tell of the time to go.
type progressReport struct {
	Progress
	track eta.Track
}

// report keeps a report of progress.
func (l *lazyRare) report(now *progressReport) {
	r := l.get()
	if last := r.progress.Load(); last != nil && last.Stage == now.Stage {
		now.track = last.track
	}
	now.track = now.track.Next(now.At, now.Done, now.Total)
	now.Grown = now.track.Grown()
	r.progress.Store(now)
}

// reported returns the newest report of progress, or nil.
func (l *lazyRare) reported() *progressReport {
	if r := l.p.Load(); r != nil {
		return r.progress.Load()
	}
	return nil
}

// copied returns the progress that was reported, or nil.
func (r *progressReport) copied() *Progress {
	if r == nil {
		return nil
	}
	return copied(&r.Progress)
}
