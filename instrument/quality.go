package instrument

import (
	"context"
	"math"

	"github.com/stagemeter/stagemeter/semconv"
)

// When an audio was measured, for [RecordLoudnessSpread].
const (
	BeforeNormalization = semconv.PhaseBefore // as it came
	AfterNormalization  = semconv.PhaseAfter
)

// maxSegments bounds a count, so that the sum of a histogram does not overflow.
const maxSegments = 1_000_000_000

// maxLoudness bounds what is recorded, in LU or dB: anything that a person listens to spans less.
const maxLoudness = 200

// RecordLoudnessSpread records in video_processing_audio_loudness_spread_lu{phase} how far the
// segments of an audio lie apart in loudness: the maximum less the minimum of the gated integrated
// loudness (ITU-R BS.1770-4) over its segments. It is 0 to 200 LU, and not the loudness range (LRA,
// EBU Tech 3342). A value out of range, NaN or infinite, and a phase other than
// [BeforeNormalization] and [AfterNormalization], is counted as invalid instead.
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
		if d := detailsOf(ctx); d != nil {
			d.record(func(q *QualityState) {
				if phase == BeforeNormalization {
					q.LoudnessBefore = bounded(q.LoudnessBefore, spread)
				} else {
					q.LoudnessAfter = bounded(q.LoudnessAfter, spread)
				}
			})
		}
	}
}

var phaseOptions = map[semconv.Phase]recordOptions{
	BeforeNormalization: {withAttrs(BeforeNormalization.Attr())},
	AfterNormalization:  {withAttrs(AfterNormalization.Attr())},
}

// RecordNormalization records in video_processing_audio_normalization_db a gain that was applied to
// an audio, or to one of its segments: −200 to 200 dB, positive is louder. A value out of range,
// NaN or infinite is counted as invalid instead.
func RecordNormalization(ctx context.Context, gain Decibel) {
	p, ctx := pipelineOf(ctx)
	if !p.inert() && p.valid(ctx, semconv.AudioNormalizationName, float64(gain), -maxLoudness, maxLoudness) {
		p.inst.AudioNormalization.Record(ctx, float64(gain))
		if d := detailsOf(ctx); d != nil {
			d.record(func(q *QualityState) { q.Gains = bounded(q.Gains, gain) })
		}
	}
}

// RecordSegments records in video_processing_segments_detected how many segments were found in a video: 0
// to 1,000,000,000. A number out of range is counted as invalid instead.
func RecordSegments(ctx context.Context, n int) {
	p, ctx := pipelineOf(ctx)
	if !p.inert() && p.valid(ctx, semconv.SegmentsDetectedName, float64(n), 0, maxSegments) {
		p.inst.SegmentsDetected.Record(ctx, int64(n))
		if d := detailsOf(ctx); d != nil {
			d.record(func(q *QualityState) { q.Segments = max(q.Segments, 0) + n })
		}
	}
}

// RecordHighlight records in video_processing_highlight_scores the score of a highlight: 0 to 1, 1
// is the best. A value out of range, NaN or infinite is counted as invalid instead.
func RecordHighlight(ctx context.Context, score float64) {
	p, ctx := pipelineOf(ctx)
	if !p.inert() && p.valid(ctx, semconv.HighlightScoresName, score, 0, 1) {
		p.inst.HighlightScores.Record(ctx, score)
		if d := detailsOf(ctx); d != nil {
			d.record(func(q *QualityState) { q.Highlights = bounded(q.Highlights, score) })
		}
	}
}

// valid reports whether a value may be recorded, and counts it if not.
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
