package instrumenttest

import (
	"math"
	"slices"
)

// A Histogram is the merged series of a histogram.
type Histogram struct {
	Count    uint64
	Sum      float64
	Min, Max float64   // 0 if Count is 0; NaN after a Sub of earlier values
	Bounds   []float64 // upper bounds, inclusive, without +Inf
	Counts   []uint64  // values in each bucket, not cumulative; one more than Bounds
}

func (h Histogram) add(o Histogram) Histogram {
	switch {
	case o.Count == 0 && h.Counts != nil:
		return h
	case h.Count == 0:
		return o
	}
	// Series of one instrument have the same bounds.
	h.Counts = slices.Clone(h.Counts)
	for i := range h.Counts {
		h.Counts[i] += o.Counts[i]
	}
	h.Count += o.Count
	h.Sum += o.Sum
	h.Min, h.Max = math.Min(h.Min, o.Min), math.Max(h.Max, o.Max)
	return h
}

func (h Histogram) sub(old Histogram) Histogram {
	if old.Count == 0 {
		return h
	}
	h.Counts = slices.Clone(h.Counts)
	for i := range old.Counts {
		h.Counts[i] -= old.Counts[i]
	}
	h.Count -= old.Count
	h.Sum -= old.Sum
	h.Min, h.Max = math.NaN(), math.NaN()
	if h.Count == 0 {
		h.Sum, h.Min, h.Max = 0, 0, 0
	}
	return h
}
