package exporters

import (
	"context"
	"slices"
	"sort"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/exemplar"
	"go.opentelemetry.io/otel/trace"
)

// A reservoir holds the newest exemplar of each bucket of a histogram, or of a
// series that is no histogram: the slow run of a stage is not pushed out by the
// many quick ones, and the trace is one that its store still has.
//
// It takes its memory when it is first offered something, and a collection
// allocates nothing for it. Those of the SDK sample at random, hold a place for
// each bucket of each series from the start, and draw random numbers for each
// of them at every collection: without a single exemplar that is 2 KB of a
// histogram with 12 buckets, and most of the time that a scrape takes.
//
// The SDK locks it.
type reservoir struct {
	bounds []float64 // of the buckets
	slots  []slot    // of the buckets that were offered something, in their order
}

// newest is how much younger than the one before it an exemplar has to be: a
// bucket that is hit thousands of times in a second writes down a few of them.
const newest = 10 * time.Millisecond

// A slot is one exemplar.
type slot struct {
	bucket int
	time   time.Time
	value  exemplar.Value
	attrs  []attribute.KeyValue // that a view has taken from the series
	ids    *spanIDs             // nil: no span
	lent   bool                 // ids: to a collection
}

// spanIDs are the ids of a span. Once lent they don't change.
type spanIDs struct {
	trace trace.TraceID
	span  trace.SpanID
}

// reservoirs selects them. Exponential histograms, whose buckets move, have the
// SDK's.
func reservoirs(a sdkmetric.Aggregation) exemplar.ReservoirProvider {
	var bounds []float64
	switch a := a.(type) {
	case sdkmetric.AggregationBase2ExponentialHistogram:
		return sdkmetric.DefaultExemplarReservoirProviderSelector(a)
	case sdkmetric.AggregationExplicitBucketHistogram:
		bounds = slices.Clone(a.Boundaries)
		slices.Sort(bounds)
	}
	return func(attribute.Set) exemplar.Reservoir { return &reservoir{bounds: bounds} }
}

// Offer keeps a measurement in place of the one before it, if that is not as new.
func (r *reservoir) Offer(ctx context.Context, t time.Time, v exemplar.Value, attrs []attribute.KeyValue) {
	n := v.Float64()
	if v.Type() == exemplar.Int64ValueType {
		n = float64(v.Int64())
	}
	bucket := sort.SearchFloat64s(r.bounds, n)
	i := 0
	for i < len(r.slots) && r.slots[i].bucket < bucket {
		i++
	}
	if i == len(r.slots) || r.slots[i].bucket != bucket {
		r.slots = slices.Insert(r.slots, i, slot{bucket: bucket})
	} else if t.Sub(r.slots[i].time) < newest {
		return
	}
	s := &r.slots[i]
	s.time, s.value, s.attrs = t, v, attrs
	sc := trace.SpanContextFromContext(ctx)
	switch {
	case !sc.HasTraceID() && !sc.HasSpanID():
		s.ids = nil
		return
	case s.ids == nil || s.lent:
		s.ids, s.lent = new(spanIDs), false
	}
	s.ids.trace, s.ids.span = sc.TraceID(), sc.SpanID()
}

// Collect shows what is held, and goes on holding it.
//
// The SDK hands the same slice to every series, and gives the series a copy of
// its capacity, which a scrape keeps for the next.
func (r *reservoir) Collect(dest *[]exemplar.Exemplar) {
	room := len(r.slots)
	if room > 1 {
		room = (room + 7) &^ 7 // mostly that of the series before, whose memory it then takes
	}
	d := slices.Grow((*dest)[:0], room)[:0:room]
	for i := range r.slots {
		s := &r.slots[i]
		e := exemplar.Exemplar{FilteredAttributes: s.attrs, Time: s.time, Value: s.value}
		if s.ids != nil {
			s.lent = true
			e.TraceID, e.SpanID = s.ids.trace[:], s.ids.span[:]
		}
		d = append(d, e)
	}
	*dest = d
}

// withReservoirs gives an instrument reservoirs of this file, unless a view has
// given it others. It returns all the views that the provider gets: one that
// matches takes the place of what an instrument has without. Views are asked
// twice for an instrument.
func withReservoirs(views []sdkmetric.View) []sdkmetric.View {
	all := make([]sdkmetric.View, 0, len(views)+1)
	for _, v := range views {
		all = append(all, func(i sdkmetric.Instrument) (sdkmetric.Stream, bool) {
			s, ok := v(i)
			if s.ExemplarReservoirProviderSelector == nil {
				s.ExemplarReservoirProviderSelector = reservoirs
			}
			return s, ok
		})
	}
	return append(all, func(i sdkmetric.Instrument) (sdkmetric.Stream, bool) {
		for _, v := range views {
			if _, ok := v(i); ok {
				return sdkmetric.Stream{}, false
			}
		}
		return sdkmetric.Stream{
			Name: i.Name, Description: i.Description, Unit: i.Unit,
			ExemplarReservoirProviderSelector: reservoirs,
		}, true
	})
}
