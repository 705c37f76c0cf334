package instrument

import (
	"context"
	"math"

	"github.com/stagemeter/stagemeter/semconv"
)

// LU is a difference of loudness in loudness units (EBU Tech 3341; 1 LU is 1 dB).
type LU float64

// Decibel is a gain in dB: positive is louder.
type Decibel float64

// When an audio was measured, for [RecordLoudnessSpread].
const (
	Before = semconv.PhaseBefore // as it came
	After  = semconv.PhaseAfter  // as it was normalized
)

// The widest values that audio can have: 32-bit float audio spans less than 1,600 dB, anything a person listens to
// less than 200.
const maxLoudness = 200

// RecordLoudnessSpread records how far the segments of an audio lie apart in loudness in
// video_processing_audio_loudness_spread_lu{phase}: the maximum less the minimum of the gated integrated loudness
// (ITU-R BS.1770-4) over its segments. It is 0 to 200 LU; it is not the loudness range (LRA, EBU Tech 3342). A value
// out of range, NaN or infinite, and a phase other than [Before] and [After], is counted as invalid instead.
func RecordLoudnessSpread(ctx context.Context, phase semconv.Phase, spread LU) {
	p, ctx := pipelineOf(ctx)
	if p.inert() {
		return
	}
	opts, ok := phaseOptions[phase]
	if !ok {
		p.countInvalid(ctx, semconv.AudioLoudnessSpreadName, semconv.InvalidReasonBadName)
		return
	}
	if p.valid(ctx, semconv.AudioLoudnessSpreadName, float64(spread), 0, maxLoudness) {
		p.inst.AudioLoudnessSpread.Record(ctx, float64(spread), opts...)
	}
}

var phaseOptions = map[semconv.Phase]recordOptions{
	Before: {withAttrs(Before.Attr())},
	After:  {withAttrs(After.Attr())},
}

// RecordNormalization records a gain that was applied to an audio, or to one of its segments, in
// video_processing_audio_normalization_db: −200 to 200 dB, positive is louder. A value out of range, NaN or infinite
// is counted as invalid instead.
func RecordNormalization(ctx context.Context, gain Decibel) {
	p, ctx := pipelineOf(ctx)
	if !p.inert() && p.valid(ctx, semconv.AudioNormalizationName, float64(gain), -maxLoudness, maxLoudness) {
		p.inst.AudioNormalization.Record(ctx, float64(gain))
	}
}

// RecordSegments records how many segments were found in a video in video_processing_segments_detected. A negative
// number is counted as invalid instead.
func RecordSegments(ctx context.Context, n int) {
	p, ctx := pipelineOf(ctx)
	if !p.inert() && p.valid(ctx, semconv.SegmentsDetectedName, float64(n), 0, math.MaxInt64) {
		p.inst.SegmentsDetected.Record(ctx, int64(n))
	}
}

// RecordHighlight records the score of a highlight in video_processing_highlight_scores: 0 to 1, 1 is the best. A
// value out of range, NaN or infinite is counted as invalid instead.
func RecordHighlight(ctx context.Context, score float64) {
	p, ctx := pipelineOf(ctx)
	if !p.inert() && p.valid(ctx, semconv.HighlightScoresName, score, 0, 1) {
		p.inst.HighlightScores.Record(ctx, score)
	}
}

func pipelineOf(ctx context.Context) (*Pipeline, context.Context) {
	return scopeOf(ctx).p, orBackground(ctx)
}

// valid tells whether a value may be recorded, and counts it if not.
func (p *Pipeline) valid(ctx context.Context, metric string, v, lo, hi float64) bool {
	var reason semconv.InvalidReason
	switch {
	case math.IsNaN(v):
		reason = semconv.InvalidReasonNaN
	case math.IsInf(v, 0):
		reason = semconv.InvalidReasonInf
	case v < lo && lo == 0:
		reason = semconv.InvalidReasonNegative
	case v < lo || v > hi:
		reason = semconv.InvalidReasonOutOfRange
	default:
		return true
	}
	p.countInvalid(ctx, metric, reason)
	return false
}
