package scrape

import (
	"math"
	"slices"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/otlptranslator"

	"github.com/stagemeter/stagemeter/exporters/internal/collect"
	"github.com/stagemeter/stagemeter/exporters/internal/exposition"
	"github.com/stagemeter/stagemeter/exporters/internal/report"
)

// Health is how the scrapes fare. A time is zero if nothing of the kind has happened.
type Health struct {
	Successes int64

	// Of the last success.
	LastSuccess time.Time
	Duration    time.Duration
	Bytes       int64
	Size        exposition.Size

	Failures       int64
	FailuresInARow int64
	LastFailure    time.Time
	LastError      string
}

// figures are what a Handler knows about its scrapes. The zero value is ready for use.
type figures struct {
	mu     sync.Mutex
	health Health
	plain  []familySize    // what the upstream exporter has collected last
	last   time.Time       // when that was
	over   map[string]bool // names of its metrics over the limit of series
}

// A familySize is the size of the metrics with a name.
type familySize struct {
	name string
	size exposition.Size
}

// An answer is what became of a request.
type answer struct {
	bytes int64
	size  exposition.Size
	err   error
}

// Health returns a copy of the figures. It waits for no scrape.
func (h *Handler) Health() Health {
	h.figures.mu.Lock()
	defer h.figures.mu.Unlock()
	return h.figures.health
}

// Overflowed returns the Prometheus names of the metrics that any collection for h has found over
// the limit of series, and when the last collection was.
func (h *Handler) Overflowed() (names []string, last time.Time) {
	h.figures.mu.Lock()
	defer h.figures.mu.Unlock()
	for name := range h.figures.over {
		names = append(names, name)
	}
	return names, h.figures.last
}

// add counts a request that began at a time and ended now.
func (f *figures) add(began time.Time, a answer) {
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	h := &f.health
	if a.err != nil {
		h.Failures++
		h.FailuresInARow++
		h.LastFailure, h.LastError = now, report.Brief(a.err).Error()
		return
	}
	h.Successes++
	h.FailuresInARow = 0
	h.LastSuccess, h.Duration, h.Bytes, h.Size = now, now.Sub(began), a.bytes, a.size
}

// gathered records what the upstream exporter has collected.
func (f *figures) gathered(families []*dto.MetricFamily) {
	sizes, over := make([]familySize, len(families)), []string(nil)
	for i, family := range families {
		size, full := exposition.Size{}, false
		for _, m := range family.Metric {
			size.Add(exposition.Size{Series: 1, Samples: samples(m)})
			full = full || len(m.Label) == 1 && m.Label[0].GetName() == overflowLabel
		}
		sizes[i] = familySize{family.GetName(), size}
		if full {
			over = append(over, family.GetName())
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.plain, f.last = sizes, time.Now()
	for _, name := range over {
		if f.over == nil {
			f.over = make(map[string]bool)
		}
		f.over[name] = true
	}
}

// upstreamSize returns the size of the upstream exporter's answer to a request for some metrics, or
// for all if there are no names.
func (f *figures) upstreamSize(names []string) (size exposition.Size) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, family := range f.plain {
		if names == nil || slices.Contains(names, family.name) {
			size.Add(family.size)
		}
	}
	return size
}

// overflowLabel is the attribute otel.metric.overflow.
const overflowLabel = "otel_metric_overflow"

// samples returns how many lines m has in a text format.
func samples(m *dto.Metric) int64 {
	switch {
	case m.Histogram != nil:
		n := len(m.Histogram.Bucket) + 2 // and sum and count
		if !slices.ContainsFunc(m.Histogram.Bucket, func(b *dto.Bucket) bool { return math.IsInf(b.GetUpperBound(), 1) }) {
			n++ // the bucket +Inf
		}
		return int64(n)
	case m.Summary != nil:
		return int64(len(m.Summary.Quantile) + 2)
	default:
		return 1
	}
}

// Names returns the Prometheus names of instruments, those that have one.
func Names(instruments []collect.Instrument) (names []string) {
	namer := otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)
	for _, i := range instruments {
		kind := map[collect.Kind]otlptranslator.MetricType{
			collect.Counter:       otlptranslator.MetricTypeMonotonicCounter,
			collect.UpDownCounter: otlptranslator.MetricTypeNonMonotonicCounter,
			collect.Gauge:         otlptranslator.MetricTypeGauge,
			collect.Histogram:     otlptranslator.MetricTypeHistogram,
		}[i.Kind]
		name, err := namer.Build(otlptranslator.Metric{Name: i.Name, Unit: i.Unit, Type: kind})
		if err != nil {
			name = i.Name
		}
		names = append(names, name)
	}
	return names
}
