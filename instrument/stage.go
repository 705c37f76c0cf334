package instrument

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/stagemeter/stagemeter/instrument/internal/eta"
	"github.com/stagemeter/stagemeter/instrument/internal/newest"
	"github.com/stagemeter/stagemeter/instrument/internal/once"
	"github.com/stagemeter/stagemeter/semconv"
)

// A Stage is one step of a job, from [StartStage] to [Stage.End]. Stages may nest, and run in
// parallel in one job. Its methods are safe for concurrent use. A nil *Stage is inert.
type Stage struct {
	scope    scope // the context that StartStage returns
	handle   *stageHandle
	start    time.Duration // on the clock of once.Now
	video    float64       // length in seconds
	hasVideo bool          // if not, the job's length is used
	kept     newest.Place  // in the details of the job
	depth    int32         // the number of stages around it; known only if details are kept
	done     atomic.Bool
}

// StartStage starts a stage in the job of ctx, or outside of any job in the pipeline of ctx or
// [Default]. It adds the stage to video_processing_stages_in_progress{stage} and starts a span
// "stage NAME". The name is a word from your code ("analysis"); see [WithStages]. Any other works
// too, and counts against [WithNameLimit].
//
//	ctx, stage := instrument.StartStage(ctx, "analysis")
//	defer stage.End(&err)
func StartStage(ctx context.Context, name string, opts ...StageOption) (context.Context, *Stage) {
	return startStage(ctx, scopeOf(ctx), name, opts)
}

// StartStage is the function [StartStage] for this pipeline: in the job of ctx if that is a job of
// p, else outside of any job.
func (p *Pipeline) StartStage(ctx context.Context, name string, opts ...StageOption) (context.Context, *Stage) {
	return startStage(ctx, p.scopeIn(ctx), name, opts)
}

func startStage(ctx context.Context, outer *scope, name string, opts []StageOption) (context.Context, *Stage) {
	ctx = orBackground(ctx)
	p := outer.p
	if p.inert() {
		return unmeasured(ctx), nil
	}
	start, h := once.Now(), p.stages.get(name)
	spanOptions := h.span
	if h.name == other { // a span can say which
		own, _ := cleanName(name)
		spanOptions = stageSpan(own)
	}
	in, span := p.startInner(ctx, h.spanName, spanOptions)
	s := &Stage{scope: scope{Context: in, span: span, p: p, job: outer.job, call: outer.call}, handle: h, start: start}
	s.scope.stage = s
	h.inProgress.Add(1)
	at := underway
	defer s.run(nil, &at) // nobody else ends the stage if a function of the user's ends this goroutine
	if len(opts) > 0 {
		s.configure(ctx, opts)
	}
	if outer.job != nil && outer.job.details != nil {
		if outer.stage != nil {
			s.depth = outer.stage.depth + 1
		}
		own := time.Duration(-1)
		if s.hasVideo {
			own = seconds(s.video)
		}
		s.kept = outer.job.details.startStage(startedStage{from: &s.scope, handle: h, start: start, video: own, depth: s.depth})
	}
	if len(p.events.stageStarted) > 0 {
		tell(p.events.stageStarted, &s.scope, StageEvent{Job: outer.job.ref(), Stage: h.name})
	}
	at = hasEnded
	return &s.scope, s
}

func (s *Stage) configure(ctx context.Context, opts []StageOption) {
	var c stageConfig
	for _, o := range opts {
		if o != nil {
			c = o.applyStage(c)
		}
	}
	if c.video < 0 {
		s.scope.p.countInvalid(ctx, semconv.RatioName, semconv.InvalidReasonNegative)
		c.video = 0
	}
	s.video, s.hasVideo = c.video.Seconds(), c.hasVideo
}

// End ends the stage and records video_processing_duration_seconds{stage},
// video_processing_ratio{stage} if the length of the video is known, and, for an error or a panic,
// video_processing_errors_total{stage, error_type}. Defer End directly, with the address of the
// function's named error. A panic, a Goexit and a second End are handled as by [Job.End].
//
// One failure is one error: it is counted by the innermost stage that it ends, and not by those that
// it passes through on its way up. The rule of [OutcomeOf] says what is a failure, with the context
// of the stage in the place of the job's. So a stage counts no error when its context was canceled,
// as that of a stage beside one that has failed is.
func (s *Stage) End(errp *error) {
	if s == nil || s.scope.p.inert() || !s.done.CompareAndSwap(false, true) {
		return
	}
	o := ended(errp, recover())
	s.finish(o)
	o.deliver(s.scope.p, errp)
}

func (s *Stage) returned(err error) {
	if s != nil && s.done.CompareAndSwap(false, true) {
		s.finish(ending{err: err})
	}
}

func (s *Stage) run(errp *error, at *progress) {
	if s == nil || *at == hasEnded || !s.done.CompareAndSwap(false, true) {
		return
	}
	o := ran(errp, recover(), *at)
	s.finish(o)
	o.deliver(s.scope.p, errp)
}

// finish ends the stage, in parts as [Job.finish] does.
func (s *Stage) finish(o ending) {
	took := once.Now() - s.start
	p, ctx := s.scope.p, s.scope.Context // the span is on its top, where exemplars look for it
	s.handle.inProgress.Add(-1)
	as := completed
	if o.err != nil {
		as = o.in(ctx, p)
		as.mark(s.scope.span)
	}
	if s.kept != 0 {
		s.scope.job.details.endStage(s.kept, took, as.ErrorType)
	}
	defer s.tellEnd(o, as, took)
	defer o.end(s.scope.span, as)
	defer s.countEnd(o, as)
	p.inst.Duration.Record(ctx, took.Seconds(), s.handle.record...)
	video := s.video
	if !s.hasVideo && s.scope.job != nil {
		video = s.scope.job.videoSeconds()
	}
	if s.kept != 0 && as.Status == semconv.JobStatusCompleted && s.handle.name != other {
		s.handle.usual.Add(eta.Run{Took: took, Video: seconds(video)})
	}
	if video > 0 {
		p.inst.Ratio.Record(ctx, took.Seconds()/video, s.handle.record...)
	}
}

func (s *Stage) countEnd(o ending, as Outcome) {
	if o.err != nil || s.scope.rare.used() {
		s.scope.countEnd(o.err, as, s.handle.name)
	}
}

func (s *Stage) tellEnd(o ending, as Outcome, took time.Duration) {
	if p := s.scope.p; len(p.events.stageEnded) > 0 {
		tell(p.events.stageEnded, &s.scope, StageEvent{
			Job: s.scope.job.ref(), Stage: s.handle.name, Duration: took, ErrorType: as.ErrorType, Err: o.err,
		})
	}
}

// name returns the name of the stage as the metrics have it, "" for no stage.
func (s *Stage) name() string {
	if s == nil {
		return ""
	}
	return s.handle.name
}
