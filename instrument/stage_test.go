package instrument_test

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/codes"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

func TestStageSpans(t *testing.T) {
	p, rec := instrumenttest.New(t)
	err := p.RunJob(t.Context(), "job-1", func(ctx context.Context) error {
		_, _ = instrument.RunStageValue(ctx, "analysis", func(ctx context.Context) (int, error) {
			_, _ = instrument.RunStageValue(ctx, "scenes", func(context.Context) (int, error) { return 3, nil })
			return instrument.RunStageValue(ctx, "loudness", func(context.Context) (int, error) { return 0, errDecoder })
		})
		_, err := instrument.RunStageValue(ctx, "transcription", func(ctx context.Context) (string, error) {
			return instrument.RunCallValue(ctx, "whisper", nil, func(context.Context) (string, error) {
				return "", context.DeadlineExceeded
			})
		})
		return err
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	rec.AssertSpanTree(`
		job error=timeout
		  stage analysis error=error
		    stage scenes
		    stage loudness error=error
		  stage transcription error=timeout
		    call whisper (client) error=timeout
	`)
	if s := rec.Span("stage scenes"); s.Status.Code != codes.Unset || s.Status.Description != "" {
		t.Errorf("status of a success = %+v, want none: Ok is for the program to say", s.Status)
	}
}

// Nested stages overlap: the outer one's time holds the inner one's, and both are in progress.
func TestNestedStages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, rec := instrumenttest.New(t)
		ctx := instrument.ContextWithPipeline(t.Context(), p)
		ctx, outer := instrument.StartStage(ctx, "analysis")
		_, inner := instrument.StartStage(ctx, "scenes")
		time.Sleep(time.Second)
		for _, stage := range []string{"analysis", "scenes"} {
			if got, _ := rec.Gauge(vp("stages_in_progress"), label("stage", stage)); got != 1 {
				t.Errorf("stages_in_progress{stage=%q} = %v, want 1", stage, got)
			}
		}
		inner.End(nil)
		time.Sleep(time.Second)
		outer.End(nil)
		for stage, want := range map[string]float64{"analysis": 2, "scenes": 1} {
			if h := rec.Histogram(vp("duration_seconds"), label("stage", stage)); h.Count != 1 || h.Sum != want {
				t.Errorf("duration_seconds{stage=%q} = %+v, want one of %v", stage, h, want)
			}
		}
	})
}

// The same stage twice in itself, as a recursive function does: what is in progress is a number, not a flag.
func TestStageWithinItself(t *testing.T) {
	p, rec := instrumenttest.New(t)
	var descend func(ctx context.Context, depth int)
	descend = func(ctx context.Context, depth int) {
		ctx, stage := instrument.StartStage(ctx, "split")
		defer stage.End(nil)
		if depth > 1 {
			descend(ctx, depth-1)
			return
		}
		if got, _ := rec.Gauge(vp("stages_in_progress"), label("stage", "split")); got != 3 {
			t.Errorf("stages_in_progress = %v, want 3", got)
		}
	}
	descend(instrument.ContextWithPipeline(t.Context(), p), 3)
	if got, ok := rec.Gauge(vp("stages_in_progress"), label("stage", "split")); !ok || got != 0 {
		t.Errorf("stages_in_progress = %v, %v, want a 0 that stays", got, ok)
	}
}

func TestParallelStagesOfOneJob(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job-1")
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			_, _ = instrument.RunStageValue(ctx, "segment", func(ctx context.Context) (int, error) {
				instrument.Spend(ctx, "gpu", instrument.Cent)
				if i%10 == 0 {
					return 0, errDecoder
				}
				return i, nil
			})
		})
	}
	wg.Wait()
	if job.Cost() != 50*instrument.Cent {
		t.Errorf("cost = %s, want $0.50", job.Cost())
	}
	job.End(nil)
	if got := rec.Histogram(vp("duration_seconds"), label("stage", "segment")).Count; got != 50 {
		t.Errorf("%d durations, want 50", got)
	}
	if got := rec.Counter(vp("errors_total"), label("stage", "segment")); got != 5 {
		t.Errorf("errors_total = %v, want 5", got)
	}
}

// A stage that is started here and ended by whoever finishes the work.
func TestStageEndedInAnotherGoroutine(t *testing.T) {
	p, rec := instrumenttest.New(t)
	_, stage := instrument.StartStage(instrument.ContextWithPipeline(t.Context(), p), "upload")
	apart(func() {
		defer stage.End(nil)
	})
	if got, _ := rec.Gauge(vp("stages_in_progress")); got != 0 {
		t.Errorf("stages_in_progress = %v, want 0", got)
	}
	rec.AssertSpanTree("stage upload")
}

// The length of the video decides the ratio; a stage may work on a part of it.
func TestStageVideoDuration(t *testing.T) {
	tests := []struct {
		reason   string
		job      time.Duration
		opts     []instrument.StageOption
		learned  time.Duration // set on the job while the stage runs
		count    uint64
		ratio    float64
		invalids float64
	}{
		{reason: "neither knows: no ratio", job: 0},
		{reason: "the job's", job: 10 * time.Second, count: 1, ratio: 0.5},
		{reason: "the stage's own before the job's", job: 10 * time.Second,
			opts: []instrument.StageOption{instrument.WithVideoDuration(time.Second)}, count: 1, ratio: 5},
		{reason: "the stage probes and tells the job", learned: 20 * time.Second, count: 1, ratio: 0.25},
		{reason: "the stage says that it works on no video", job: 10 * time.Second,
			opts: []instrument.StageOption{instrument.WithVideoDuration(0)}},
		{reason: "negative is counted, and no ratio is better than a wrong one", job: 10 * time.Second,
			opts: []instrument.StageOption{instrument.WithVideoDuration(-time.Second)}, invalids: 1},
		{reason: "nil options are none", job: 10 * time.Second, opts: []instrument.StageOption{nil}, count: 1, ratio: 0.5},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, rec := instrumenttest.New(t)
				ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithVideoDuration(tt.job))
				_, stage := instrument.StartStage(ctx, "analysis", tt.opts...)
				if tt.learned != 0 {
					job.SetVideoDuration(tt.learned)
				}
				time.Sleep(5 * time.Second)
				stage.End(nil)
				if h := rec.Histogram(vp("ratio")); h.Count != tt.count || h.Sum != tt.ratio {
					t.Errorf("ratio: %d values, sum %v, want %d of %v", h.Count, h.Sum, tt.count, tt.ratio)
				}
				if got := rec.Counter(vp("invalid_values_total"), label("metric", "video.processing.ratio"), label("reason", "negative")); got != tt.invalids {
					t.Errorf("invalid ratios = %v, want %v", got, tt.invalids)
				}
				job.End(nil)
			})
		})
	}
}

// errorsByStage is errors_total as "stage/error_type=n ...", without the zeros.
func errorsByStage(rec *instrumenttest.Recorder) string {
	var out []string
	for _, m := range errorSeries.FindAllStringSubmatch(rec.Exposition(vp("errors_total")), -1) {
		if m[3] != "0" {
			out = append(out, m[2]+"/"+m[1]+"="+m[3])
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

var errorSeries = regexp.MustCompile(`(?m)^video_processing_errors_total\{error_type="(.*)",stage="(.*)"\} (\S+)$`)
