package trial

import (
	"context"
	"errors"
	"slices"

	"github.com/stagemeter/stagemeter/instrument"
)

func (p *program) stageName() string { return pick(p, "analysis", "rendering", "upload") }

// stage runs a stage by one of its forms.
func (p *program) stage(s scope) (f failure) {
	in := p.within(s)
	in.stage = p.stageName()
	in.tally = new(tally)
	run := p.oneIn(2)
	returned := false
	defer func() {
		if !returned {
			p.endStageInCrash(s, in, run)
		}
	}()
	if run {
		instrument.RunStage(in.ctx, in.stage, func(ctx context.Context) error {
			in.ctx = ctx
			f = p.work(in, s.depth+1)
			return f.err
		})
	} else {
		f = p.startedStage(in, s.depth+1)
	}
	returned = true
	p.endStage(s, in, f)
	return f
}

func (p *program) startedStage(in scope, depth int) (f failure) {
	var err error
	ctx, stage := instrument.StartStage(in.ctx, in.stage)
	defer stage.End(&err)
	in.ctx = ctx
	f = p.work(in, depth)
	err = f.err
	return f
}

func (p *program) endStage(s, in scope, f failure) {
	p.b.add(1, "duration_seconds_count", "stage", in.stage)
	p.note("end stage %s over=%v f=%v before=%v", in.stage, in.over.why(), f.parts, f.failed() && in.tally.has(f))
	p.countError(s, in, in.stage, end(in.over.why(), f, false), f)
}

// A tally has what a stage or a job must not count again: what its parts have ended with and counted,
// and what was recorded in it.
type tally struct{ counted, recorded []error }

func (t *tally) has(f failure) bool {
	return f.countedIn(t.counted) || f.countedIn(t.recorded)
}

// met reports whether an error that is recorded is one that a part has ended with and counted. Then it is
// as good as recorded.
func (t *tally) met(f failure) bool {
	i := slices.IndexFunc(t.counted, func(e error) bool { return slices.Contains(f.parts, e) })
	if i < 0 {
		return false
	}
	t.recorded = append(t.recorded, t.counted[i])
	return true
}

// handOn tells the scope around what the part has counted.
func (s scope) handOn(in *tally, errs ...error) {
	if s.tally != nil {
		s.tally.recorded = append(s.tally.recorded, in.recorded...)
		s.tally.counted = append(s.tally.counted, errs...)
	}
}

// countError counts the failure of a stage or a job, unless a part of it has counted it.
func (p *program) countError(s, in scope, stage string, e ending, f failure) {
	before := f.failed() && in.tally.has(f)
	if e.isError() && !before {
		p.countOne(in.job, stage, e.errorType)
	}
	if e.isError() || before {
		s.handOn(in.tally, f.err)
	} else {
		s.handOn(in.tally)
	}
}

func (p *program) countOne(j *jobBook, stage, errorType string) {
	kind := ""
	if j != nil {
		kind = j.kind
	}
	p.b.add(1, "errors_total", "stage", stage, "error_type", errorType, "job_type", kind)
}

// endStageInCrash ends a stage through which a panic or a Goexit goes. A deferred End does not see a
// Goexit.
func (p *program) endStageInCrash(s, in scope, run bool) {
	p.b.add(1, "duration_seconds_count", "stage", in.stage)
	p.countCrash(s, in, in.stage, run)
}

// errBoom stands for the value that the program panics with. As with an error, two panics of one value
// are one failure if the second goes up from a stage that the first went through.
var errBoom = errors.New("boom")

// countCrash counts a panic or a Goexit once on its way up.
func (p *program) countCrash(s, in scope, stage string, run bool) {
	switch c := p.crash; {
	case !c.goexit:
		if !in.tally.has(single(errBoom, kind{})) {
			p.countOne(in.job, stage, "panic")
		}
		s.handOn(in.tally, errBoom)
	case run && !c.counted:
		c.counted = true
		p.countOne(in.job, stage, "goexit")
		fallthrough
	default:
		s.handOn(in.tally)
	}
}

// parallel runs two stages at once. The second fails; the first, canceled because of that, is no error.
func (p *program) parallel(s scope) {
	group := s
	group.over = &over{parent: s.over}
	group.ctx, group.over.cancel = context.WithCancel(s.ctx)
	a, b := p.stageName(), p.stageName()
	_, first := instrument.StartStage(group.ctx, a)
	_, second := instrument.StartStage(group.ctx, b)
	f := p.failed()
	for _, st := range []struct {
		name  string
		stage *instrument.Stage
		f     failure
	}{{b, second, f}, {a, first, single(context.Canceled, kind{word: "canceled", row: 3})}} {
		in := group
		in.stage, in.tally = st.name, new(tally)
		st.stage.End(&st.f.err)
		p.endStage(s, in, st.f)
		group.cancel()
	}
}

// recordError records an error that the program survives.
func (p *program) recordError(s scope) {
	f := p.failed()
	instrument.RecordError(s.ctx, f.err)
	var over error // an error that is recorded counts as what it is, unless it is only the end of the context
	if len(only(f.kinds, func(k kind) bool { return k.word != "canceled" })) == 0 {
		over = s.over.why()
		if s.job != nil && s.job.ended {
			over = s.job.endedOver
		}
	}
	e := end(over, f, false)
	stage := s.stage
	if stage == "" {
		stage = "none"
		if s.job != nil {
			stage = "job"
		}
	}
	p.note("record %s/%s over=%v f=%v before=%v", s.stage, stage, s.over.why(), f.parts, s.tally != nil && s.tally.has(f))
	if !e.isError() || s.tally != nil && s.tally.met(f) {
		return
	}
	p.countOne(s.job, stage, e.errorType)
	if s.tally != nil {
		s.tally.recorded = append(s.tally.recorded, f.err)
	}
}
