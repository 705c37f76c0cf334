package instrument

import (
	"sync/atomic"

	"github.com/stagemeter/stagemeter/instrument/internal/errs"
)

// rare holds what few jobs, stages and calls need: a record of their errors and of their processes.
type rare struct {
	counted errs.Counted // errors that are in errors_total already
	ran     processTotal

	progress atomic.Pointer[Progress] // the newest report; of a job, also of its stages
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

// report keeps a report of progress. Done grew now unless the last report already had as much.
func (l *lazyRare) report(p *Progress) {
	r := l.get()
	p.Grown = p.At
	if last := r.progress.Load(); last != nil && last.Stage == p.Stage && p.Done <= last.Done {
		p.Grown = last.Grown
	}
	r.progress.Store(p)
}

// reported returns the newest report of progress, or nil.
func (l *lazyRare) reported() *Progress {
	if r := l.p.Load(); r != nil {
		return r.progress.Load()
	}
	return nil
}
