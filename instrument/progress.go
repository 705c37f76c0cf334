package instrument

import (
	"context"
	"math"
	"time"

	"github.com/stagemeter/stagemeter/semconv"
)

// A ProgressOption says more about a report of progress.
type ProgressOption interface{ applyProgress(Progress) Progress }

type progressOption func(Progress) Progress

func (o progressOption) applyProgress(p Progress) Progress { return o(p) }

// WithUnit sets the unit of the amounts, such as "s", "frames" or "bytes".
func WithUnit(unit string) ProgressOption {
	return progressOption(func(p Progress) Progress { p.Unit, _ = cleanName(unit); return p })
}

// WithSpeed sets how much media time is worked on per elapsed time: 2 is twice as fast as it plays.
// A speed that is negative, NaN or infinite is unknown.
func WithSpeed(speed float64) ProgressOption {
	return progressOption(func(p Progress) Progress {
		if p.Speed = 0; speed > 0 && !math.IsInf(speed, 0) {
			p.Speed = speed
		}
		return p
	})
}

// ReportProgress says that done of total is done of the innermost stage of ctx, or, outside of any
// stage, of its job. [Pipeline.Snapshot] shows it, and [Events] hear of it. The last report holds. A
// total of 0 is unknown. Package ffmpeg reports by itself in a stage.
//
// Goroutines may share the work and report its sum, in any order: estimates ignore a report of less
// within a second of the last growth. A report of less after that second begins the work anew.
//
// It takes an allocation and no lock, and may be called at any rate, from any goroutine. A report
// with an amount that is negative, NaN or infinite counts as invalid and is ignored. Outside of any
// job and stage ReportProgress does nothing.
func ReportProgress(ctx context.Context, done, total float64, opts ...ProgressOption) {
	s := ownScope(ctx)
	if s == nil || s.p.inert() || s.job == nil && s.stage == nil {
		return
	}
	if !s.p.valid(ctx, semconv.StageProgressName, done, 0, math.MaxFloat64) || !s.p.valid(ctx, semconv.StageProgressName, total, 0, math.MaxFloat64) {
		return
	}
	p := Progress{Done: done, Total: total}
	for _, o := range opts {
		if o != nil {
			p = o.applyProgress(p)
		}
	}
	p.At = time.Now()
	switch r := (&progressReport{Progress: p}); {
	case s.stage != nil:
		r.Stage = s.stage.handle.name
		s.stage.scope.rare.report(r)
		if s.job != nil {
			s.job.scope.rare.get().inside.Store(r)
		}
		p = r.Progress
	default:
		s.job.scope.rare.report(r)
		p = r.Progress
	}
	if len(s.p.events.progress) > 0 {
		tell(s.p.events.progress, ctx, ProgressEvent{Job: s.job.ref(), Progress: p})
	}
}
