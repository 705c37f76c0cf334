package sdktest

import (
	"math"

	"go.opentelemetry.io/otel/attribute"

	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

func status(s string) attribute.KeyValue { return attribute.String("status", s) }

// nano returns what was booked, in nano-dollars.
func nano(rec *instrumenttest.Recorder) int64 {
	return int64(math.Round(rec.Counter("video_processing_cost_usd_total") * 1e9))
}

// unpriced returns how many calls had no price.
func unpriced(rec *instrumenttest.Recorder) float64 {
	return rec.Counter("video_processing_api_unpriced_total")
}

// calls returns how many calls there were.
func calls(rec *instrumenttest.Recorder) float64 {
	return rec.Counter("video_processing_api_calls_total")
}
