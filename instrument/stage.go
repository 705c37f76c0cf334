package instrument

import (
	"context"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/semconv"
)

// A Stage is one step of a job, from [StartStage] to [Stage.End]. Stages may nest, and run in parallel in one job.
// Its methods are safe for concurrent use; a nil *Stage is inert.
type Stage struct {
	scope    scope
	ctx      context.Context
	handle   *stageHandle
	span     trace.Span
	start    time.Time
	video    time.Duration
	hasVideo bool    // else the job's holds
	counted  counted // by RecordError for this stage
	ran      processTotal
	done     atomic.Bool
}

// StartStage starts a stage of the job of ctx, or of the default pipeline: adds it to
// video_processing_stages_in_progress{stage} and starts a span "stage NAME" with it. The name is a word from your code
// ("analysis"); see [WithStages]. Anything else works, and counts against [WithNameLimit].
//
//	ctx, stage := instrument.StartStage(ctx, "analysis")
//	defer stage.End(&err)
func StartStage(ctx context.Context, name string, opts ...StageOption) (context.Context, *Stage) {
	ctx = orBackground(ctx)
	outer := scopeOf(ctx)
	p := outer.p
	if p.inert() {
		return ctx, nil
	}
	s := &Stage{handle: p.stages.get(name), start: time.Now()}
	s.scope = scope{p: p, job: outer.job, stage: s}
	if len(opts) > 0 {
		s.configure(ctx, opts)
	}
	s.handle.inProgress.Add(1)
	span := s.handle.span
	if s.handle.name == other { // a span can say which
		own, _ := cleanName(name)
		span = stageSpan(own)
	}
	ctx, s.span = p.startSpan(ctx, s.handle.spanName, span...)
	s.ctx = context.WithValue(ctx, scopeKey{}, &s.scope)
	return s.ctx, s
}

func (s *Stage) configure(ctx context.Context, opts []StageOption) {
	var c stageConfig
	for _, o := range opts {
		if o != nil {
			o.applyStage(&c)
		}
	}
	if c.video < 0 {
		s.scope.p.countInvalid(ctx, semconv.RatioName, semconv.InvalidReasonNegative)
		c.video = 0
	}
	s.video, s.hasVideo = c.video, c.hasVideo
}

// End ends the stage and records video_processing_duration_seconds{stage}, video_processing_ratio{stage} if the
// length of the video is known, and, for an error or a panic, video_processing_errors_total{stage, error_type}. Each
// stage that an error passes through counts it as its own. Defer End directly, with the address of the function's
// named error; what is said of a panic, a Goexit and a second End at [Job.End] holds here.
func (s *Stage) End(errp *error) {
	if s == nil || s.scope.p.inert() || !s.done.CompareAndSwap(false, true) {
		return
	}
	o := ended(errp, recover())
	s.finish(o)
	o.deliver(s.scope.p, errp)
}

func (s *Stage) finish(o outcome) {
	p, took := s.scope.p, time.Since(s.start)
	s.handle.inProgress.Add(-1)
	p.inst.Duration.Record(s.ctx, took.Seconds(), s.handle.record...)
	video := s.video
	if !s.hasVideo && s.scope.job != nil {
		video = time.Duration(s.scope.job.video.Load())
	}
	if video > 0 {
		p.inst.Ratio.Record(s.ctx, took.Seconds()/video.Seconds(), s.handle.record...)
	}
	var errorType string
	if o.err != nil {
		errorType = o.errorType(s.ctx, p)
		if !s.counted.has(o.err) {
			p.countError(s.ctx, s.handle.name, errorType)
		}
		if s.scope.job != nil {
			s.scope.job.counted.add(o.err)
		}
	}
	o.end(s.span, errorType)
}
