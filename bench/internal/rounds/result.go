package rounds

import "slices"

// A Turn is what one operation cost in one turn of a rival, on average.
type Turn struct{ Nanos, Bytes, Allocs float64 }

func (t Turn) plus(u Turn) Turn {
	return Turn{t.Nanos + u.Nanos, t.Bytes + u.Bytes, t.Allocs + u.Allocs}
}

func (t Turn) over(n float64) Turn { return Turn{t.Nanos / n, t.Bytes / n, t.Allocs / n} }

// A Result is the turns of one rival, one for each round.
type Result struct {
	Name  string
	Turns []Turn
}

// Results are those of one run.
type Results []Result

// Of returns the result of a rival, nil if it did not take part.
func (rs Results) Of(name string) *Result {
	for i := range rs {
		if rs[i].Name == name {
			return &rs[i]
		}
	}
	return nil
}

// A Spread is the median of some figures, and the quartiles around it.
type Spread struct{ Low, Median, High float64 }

// SpreadOf sorts figures.
func SpreadOf(figures []float64) Spread {
	slices.Sort(figures)
	return Spread{quantile(figures, 0.25), quantile(figures, 0.5), quantile(figures, 0.75)}
}

// quantile interpolates between the two figures around q.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 == len(sorted) {
		return sorted[i]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// Nanos is how long an operation took.
func (r Result) Nanos() Spread { return r.spread(func(t Turn) float64 { return t.Nanos }) }

// Bytes is what an operation allocated.
func (r Result) Bytes() Spread { return r.spread(func(t Turn) float64 { return t.Bytes }) }

// Allocs is how often an operation allocated.
func (r Result) Allocs() Spread { return r.spread(func(t Turn) float64 { return t.Allocs }) }

func (r Result) spread(of func(Turn) float64) Spread {
	figures := make([]float64, len(r.Turns))
	for i, t := range r.Turns {
		figures[i] = of(t)
	}
	return SpreadOf(figures)
}

// Ratio is the time that ours takes over the time of the rival: the median of the rounds' ratios. With a base, whose
// time both contain, it is the ratio of what they add to it. It is 0 if one of them did not take part, or if no round
// has a rival that takes more than the base.
func Ratio(ours, rival, base *Result) float64 {
	if ours == nil || rival == nil {
		return 0
	}
	var ratios []float64
	for i := range min(len(ours.Turns), len(rival.Turns)) {
		under := 0.0
		if base != nil {
			under = base.Turns[i].Nanos
		}
		if rest := rival.Turns[i].Nanos - under; rest > 0 {
			ratios = append(ratios, max(0, ours.Turns[i].Nanos-under)/rest)
		}
	}
	return SpreadOf(ratios).Median
}

// BytesRatio is what ours allocates over what the rival does, 0 if one of them did not take part.
func BytesRatio(ours, rival *Result) float64 {
	if ours == nil || rival == nil {
		return 0
	}
	return ours.Bytes().Median / max(1, rival.Bytes().Median)
}
