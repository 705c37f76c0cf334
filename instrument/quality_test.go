package instrument_test

import (
	"context"
	"math"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/semconv"
)

// Every value at and beyond the ends of its range. One NaN in a histogram's sum stays there until the process ends.
func TestQuality(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	spread := func(ctx context.Context, v float64) {
		instrument.RecordLoudnessSpread(ctx, instrument.BeforeNormalization, instrument.LU(v))
	}
	gain := func(ctx context.Context, v float64) { instrument.RecordNormalization(ctx, instrument.Decibel(v)) }
	segments := func(ctx context.Context, v float64) { instrument.RecordSegments(ctx, int(v)) }
	for _, tt := range []struct {
		metric string
		record func(context.Context, float64)
		value  float64
		reason string // why it is invalid; empty: it is recorded
	}{
		{"audio_loudness_spread_lu", spread, 0, ""},
		{"audio_loudness_spread_lu", spread, 7.5, ""},
		{"audio_loudness_spread_lu", spread, 200, ""},
		{"audio_loudness_spread_lu", spread, 200.1, "out_of_range"},
		{"audio_loudness_spread_lu", spread, -0.1, "negative"},
		{"audio_loudness_spread_lu", spread, nan, "nan"},
		{"audio_loudness_spread_lu", spread, inf, "inf"},
		{"audio_loudness_spread_lu", spread, -inf, "inf"},

		{"audio_normalization_db", gain, 0, ""},
		{"audio_normalization_db", gain, -12.5, ""},
		{"audio_normalization_db", gain, 200, ""},
		{"audio_normalization_db", gain, -200, ""},
		{"audio_normalization_db", gain, 200.1, "out_of_range"},
		{"audio_normalization_db", gain, -200.1, "out_of_range"},
		{"audio_normalization_db", gain, nan, "nan"},
		{"audio_normalization_db", gain, inf, "inf"},
		{"audio_normalization_db", gain, -inf, "inf"},

		{"segments_detected", segments, 0, ""},
		{"segments_detected", segments, 17, ""},
		{"segments_detected", segments, -1, "negative"},
		{"segments_detected", segments, math.MinInt32, "negative"},

		{"highlight_scores", instrument.RecordHighlight, 0, ""},
		{"highlight_scores", instrument.RecordHighlight, 0.92, ""},
		{"highlight_scores", instrument.RecordHighlight, 1, ""},
		{"highlight_scores", instrument.RecordHighlight, 1.01, "out_of_range"},
		{"highlight_scores", instrument.RecordHighlight, 92, "out_of_range"},
		{"highlight_scores", instrument.RecordHighlight, -0.01, "negative"},
		{"highlight_scores", instrument.RecordHighlight, nan, "nan"},
		{"highlight_scores", instrument.RecordHighlight, inf, "inf"},
		{"highlight_scores", instrument.RecordHighlight, -inf, "inf"},
	} {
		p, rec := instrumenttest.New(t)
		tt.record(instrument.ContextWithPipeline(t.Context(), p), tt.value)
		got, invalid := rec.Histogram(vp(tt.metric)), rec.Counter(vp("invalid_values_total"))
		if tt.reason == "" {
			if got.Count != 1 || got.Sum != tt.value || invalid != 0 {
				t.Errorf("%s of %v: recorded %d times as %v, invalid %v times", tt.metric, tt.value, got.Count, got.Sum, invalid)
			}
			continue
		}
		otel := map[string]string{
			"audio_loudness_spread_lu": "audio_loudness_spread", "audio_normalization_db": "audio_normalization",
			"segments_detected": "segments_detected", "highlight_scores": "highlight_scores",
		}[tt.metric]
		counted := rec.Counter(vp("invalid_values_total"), label("metric", "video.processing."+otel), label("reason", tt.reason))
		if got.Count != 0 || invalid != 1 || counted != 1 {
			t.Errorf("%s of %v: recorded %d times, invalid %v times and as %s %v times, want 0, 1, 1",
				tt.metric, tt.value, got.Count, invalid, tt.reason, counted)
		}
	}
}

func TestLoudnessSpreadBeforeAndAfter(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job-1")
	instrument.RecordLoudnessSpread(ctx, instrument.BeforeNormalization, 9.5)
	instrument.RecordLoudnessSpread(ctx, instrument.AfterNormalization, 1.5)
	for _, phase := range []semconv.Phase{"", "during", "before "} {
		instrument.RecordLoudnessSpread(ctx, phase, 4)
	}
	job.End(nil)
	for phase, want := range map[string]float64{"before": 9.5, "after": 1.5} {
		if got := rec.Histogram(vp("audio_loudness_spread_lu"), label("phase", phase)); got.Count != 1 || got.Sum != want {
			t.Errorf("phase %s: %+v, want %v once", phase, got, want)
		}
	}
	if got := rec.Histogram(vp("audio_loudness_spread_lu")); got.Count != 2 {
		t.Errorf("%d values, want 2: a phase that is none has no series", got.Count)
	}
	if got := rec.Counter(vp("invalid_values_total"), label("metric", "video.processing.audio_loudness_spread"), label("reason", "bad_name")); got != 3 {
		t.Errorf("%v invalid phases, want 3", got)
	}
}

// The exemplar of a bad score leads to the stage that gave it.
func TestQualityIsRecordedInTheSpanOfItsStage(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job-1")
	ctx, stage := instrument.StartStage(ctx, "analysis")
	instrument.RecordHighlight(ctx, 0.92)
	stage.End(nil)
	job.End(nil)
	span := rec.Span("stage analysis").SpanContext
	if got := rec.Exemplars(vp("highlight_scores")); len(got) != 1 || got[0].SpanID != span.SpanID() || got[0].Value != 0.92 {
		t.Errorf("exemplars %+v, want one of span %s", got, span.SpanID())
	}
}

// Outside of a job it goes to the default pipeline, also without a context.
func TestQualityOutsideOfAJob(t *testing.T) {
	p, rec := instrumenttest.New(t)
	defer instrument.SetDefault(p)()
	for _, ctx := range []context.Context{t.Context(), nil} {
		instrument.RecordLoudnessSpread(ctx, instrument.BeforeNormalization, 1)
		instrument.RecordNormalization(ctx, 1)
		instrument.RecordSegments(ctx, 1)
		instrument.RecordHighlight(ctx, 1)
		instrument.RecordHighlight(ctx, 2)
	}
	for _, metric := range []string{"audio_loudness_spread_lu", "audio_normalization_db", "segments_detected", "highlight_scores"} {
		if got := rec.Histogram(vp(metric)); got.Count != 2 || got.Sum != 2 {
			t.Errorf("%s: %+v, want 1 twice", metric, got)
		}
	}
	if got := rec.Counter(vp("invalid_values_total")); got != 2 {
		t.Errorf("%v invalid values, want 2", got)
	}
}

func TestQualityOfNoPipelineIsNothing(t *testing.T) {
	ctx := instrument.ContextWithPipeline(t.Context(), nil)
	instrument.RecordLoudnessSpread(ctx, "during", 1)
	instrument.RecordNormalization(ctx, 1)
	instrument.RecordSegments(ctx, -1)
	instrument.RecordHighlight(ctx, math.NaN())
}
