package instrumenttest_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"go.opentelemetry.io/otel/propagation"
)

// edit is a job with all that a tree can show.
func edit(ctx context.Context, p *instrument.Pipeline) {
	carrier := propagation.MapCarrier{}
	p.Enqueue(ctx, "job-1", carrier)
	ctx, job := p.StartJob(ctx, "job-1", instrument.WithCarrier(carrier))
	failed := errors.New("blurred")

	analysis, stage := instrument.StartStage(ctx, "analysis")
	instrument.RecordError(analysis, failed)
	stage.End(nil)

	transcription, stage := instrument.StartStage(ctx, "transcription")
	_, call, _ := instrument.StartCall(transcription, "whisper")
	call.End(&failed)
	stage.End(&failed)

	instrument.StartStage(ctx, "forgotten")
	job.End(&failed)
}

const editTree = `
	enqueue job (producer)
	job (consumer) error=error
	  stage analysis
	  stage transcription error=error
	    call whisper (client) error=error
	  stage forgotten not ended
`

func TestSpanTree(t *testing.T) {
	p, rec := instrumenttest.New(t)
	edit(t.Context(), p)
	rec.AssertSpanTree(editTree)
	if got, want := len(rec.Spans()), 5; got != want {
		t.Errorf("%d spans have ended, want %d", got, want)
	}
}

func TestSpanTreeDifference(t *testing.T) {
	f := attempt(func(t testing.TB) {
		p, rec := instrumenttest.New(t)
		edit(t.Context(), p)
		rec.AssertSpanTree(strings.Replace(editTree, "stage analysis", "stage review", 1))
		t.Errorf("and goes on")
	})
	const want = `instrumenttest: span tree (-want +got):
  enqueue job (producer)
  job (consumer) error=error
-   stage review
+   stage analysis
    stage transcription error=error
      call whisper (client) error=error
    stage forgotten not ended

and goes on`
	if f.said() != want {
		t.Errorf("said\n%s\nwant\n%s", f.said(), want)
	}
}

func TestSpanTreeOfParallelStagesIsTheSameEachTime(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job-1")
	_, first := instrument.StartStage(ctx, "validation")
	first.End(nil)
	_, b := instrument.StartStage(ctx, "b")
	_, c := instrument.StartStage(ctx, "c")
	_, a := instrument.StartStage(ctx, "a")
	b.End(nil)
	c.End(nil)
	a.End(nil)
	_, last := instrument.StartStage(ctx, "archive")
	last.End(nil)
	job.End(nil)
	rec.AssertSpanTree(`
		job
		  stage validation
		  stage a
		  stage b
		  stage c
		  stage archive
	`)
}

func TestSpanTreeBelowASpanOfTheProgram(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, span := rec.TracerProvider().Tracer("app").Start(t.Context(), "upload")
	_, job := p.StartJob(ctx, "job-1")
	job.End(nil)
	span.End()
	rec.AssertSpanTree(`
		upload
		  job
	`)
}

func TestSpanIsTheOnlyOne(t *testing.T) {
	p, rec := instrumenttest.New(t)
	for _, id := range []string{"job-1", "job-2"} {
		_, job := p.StartJob(t.Context(), id)
		job.End(nil)
	}
	if got := rec.Span("job", label("video.processing.job.id", "job-2")); got.Name != "job" {
		t.Errorf("got %v", got)
	}
	for _, tt := range []struct {
		reason string
		find   func(*instrumenttest.Recorder)
		want   string
	}{
		{"none of that name", func(r *instrumenttest.Recorder) { r.Span("jobs") }, `0 ended spans are called "jobs"`},
		{"none with that attribute", func(r *instrumenttest.Recorder) { r.Span("job", label("a", "b")) }, `0 ended spans are called "job" and have {a=b}`},
		{"two", func(r *instrumenttest.Recorder) { r.Span("job") }, `2 ended spans are called "job" and have {}, want one of` + "\njob\njob\n"},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			f := attempt(func(t testing.TB) {
				p, rec := instrumenttest.New(t)
				for _, id := range []string{"job-1", "job-2"} {
					_, job := p.StartJob(t.Context(), id)
					job.End(nil)
				}
				tt.find(rec)
			})
			if !f.fatal || !strings.Contains(f.said(), tt.want) {
				t.Errorf("fatal %v, said\n%s\nwant\n%s", f.fatal, f.said(), tt.want)
			}
		})
	}
}
