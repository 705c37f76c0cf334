package collect

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

// A reservoir holds the newest exemplar of each bucket of a histogram, or the newest one of any
// other series. So the many quick runs of a stage do not displace the slow one, and the trace store
// still has the trace.
//
// It allocates when it is first offered a measurement; a collection allocates nothing for it. The
// SDK's own reservoirs sample at random, hold a place for each bucket of each series from the
// start, and draw random numbers for each of them at every collection: without a single exemplar, a
// histogram with 12 buckets would take 2 KB, and a scrape most of its time.
//
// The SDK guards it with a lock.
type reservoir struct {
	bounds []float64 // of the buckets
	slots  []slot    // one for each bucket with an exemplar, in the order of the buckets
}

// newest is how much newer than its predecessor an exemplar has to be: a bucket that gets thousands
// of measurements a second keeps few of them.
const newest = 10 * time.Millisecond

// A slot is one exemplar.
type slot struct {
	bucket int
	time   time.Time
	value  exemplar.Value
	attrs  []attribute.KeyValue // which a view has removed from the series
	ids    *spanIDs             // nil: no span
	lent   bool                 // a collection has ids
}

// spanIDs are the ids of a span. They do not change once a collection has them.
type spanIDs struct {
	trace trace.TraceID
	span  trace.SpanID
}

// reservoirs returns a provider of reservoirs for an aggregation. The buckets of exponential
// histograms move, so those keep the SDK's reservoirs.
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

// Offer replaces the exemplar of v's bucket, unless that is about as new.
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

// Collect copies the exemplars to dest and keeps them.
//
// The SDK passes the same slice for every series, and gives each series a copy with the slice's
// capacity, which a scrape keeps for the next one.
func (r *reservoir) Collect(dest *[]exemplar.Exemplar) {
	room := len(r.slots)
	if room > 1 {
		room = (room + 7) &^ 7 // mostly equal to that of the series before, whose memory is then reused
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
