package instrument

import (
	"sync/atomic"

	"github.com/stagemeter/stagemeter/instrument/internal/errs"
)

// rare holds what few jobs, stages and calls need: a record of their errors and of their processes.
type rare struct {
	counted errs.Counted // errors that are in errors_total already
	ran     processTotal
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
