package scrape

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"

	"github.com/stagemeter/stagemeter/exporters/internal/collect"
)

// A whole gathers the program's metrics and those of the handler itself. If an error leaves nothing
// of the program, as a callback that panics does, it gathers nothing and the scrape fails: a target
// that is up and shows nothing would be a silent gap.
type whole struct {
	program, own prometheus.Gatherer
	source       *collect.Source // of program
	ended        *atomic.Bool    // the program's metrics may be missing
	figures      *figures
}

func (w whole) Gather() ([]*dto.MetricFamily, error) {
	var families []*dto.MetricFamily
	var err error
	w.source.Outside(func() bool {
		families, err = w.program.Gather()
		return err == nil || len(families) > 0
	})
	if len(families) == 0 && w.ended.Load() {
		err = errors.Join(err, errEnded)
	}
	if err != nil && len(families) == 0 {
		return nil, err
	}
	own, ownErr := w.own.Gather()
	families, badErr := readable(families, own)
	families = append(families, own...)
	w.figures.gathered(families)
	return families, errors.Join(err, badErr, ownErr)
}

// returning registers collectors that always return. A registry would wait for ever for one that
// calls runtime.Goexit, as the exporter does if a reservoir of a view does.
type returning struct{ prometheus.Registerer }

func (r returning) Register(c prometheus.Collector) error {
	return r.Registerer.Register(returningCollector{c})
}

type returningCollector struct{ prometheus.Collector }

func (c returningCollector) Collect(metrics chan<- prometheus.Metric) {
	returned := false
	var panicked any
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { panicked = recover() }()
		c.Collector.Collect(metrics)
		returned = true
	}()
	<-done
	switch {
	case panicked != nil:
		panic(panicked)
	case !returned:
		metrics <- prometheus.NewInvalidMetric(prometheus.NewInvalidDesc(errUnfinished), errUnfinished)
	}
}

// readable removes what a registry accepts and Prometheus refuses, each of which would fail the
// whole scrape:
//
//   - a histogram with a label le, which its buckets have too
//   - a second bucket up to +Inf, for the exemplar of a NaN
//   - a metric with the name of one of the handler's own
//   - an exemplar with a NUL in a label
func readable(families, own []*dto.MetricFamily) (left []*dto.MetricFamily, err error) {
	for _, f := range families {
		all := len(f.Metric)
		switch {
		case slices.ContainsFunc(own, func(o *dto.MetricFamily) bool { return o.GetName() == f.GetName() }):
			err = errors.Join(err, fmt.Errorf("%s is a metric of the handler itself", f.GetName()))
			continue
		case f.GetType() == dto.MetricType_COUNTER:
			for _, m := range f.Metric {
				m.Counter.Exemplar = withoutNUL(m.Counter.Exemplar)
			}
		case f.GetType() == dto.MetricType_HISTOGRAM:
			f.Metric = slices.DeleteFunc(f.Metric, hasBucketLabel)
			for _, m := range f.Metric {
				readableBuckets(m.Histogram)
			}
		}
		if len(f.Metric) < all {
			err = errors.Join(err, fmt.Errorf("the histogram %s has a label %s", f.GetName(), model.BucketLabel))
		}
		if len(f.Metric) > 0 {
			left = append(left, f)
		}
	}
	return left, err
}

func hasBucketLabel(m *dto.Metric) bool {
	return slices.ContainsFunc(m.Label, func(l *dto.LabelPair) bool { return l.GetName() == model.BucketLabel })
}

// readableBuckets merges two buckets with the same bound, and keeps the exemplar of the second.
func readableBuckets(h *dto.Histogram) {
	h.Exemplars = slices.DeleteFunc(h.Exemplars, func(e *dto.Exemplar) bool { return withoutNUL(e) == nil })
	for _, b := range h.Bucket {
		b.Exemplar = withoutNUL(b.Exemplar)
	}
	h.Bucket = slices.CompactFunc(h.Bucket, func(first, second *dto.Bucket) bool {
		same := first.GetUpperBound() == second.GetUpperBound()
		if same && second.Exemplar != nil {
			first.Exemplar = second.Exemplar
		}
		return same
	})
}

// withoutNUL returns nil if a label of e has a NUL. Only in exemplars, Prometheus's parser of
// OpenMetrics takes it for the end of the text.
func withoutNUL(e *dto.Exemplar) *dto.Exemplar {
	if slices.ContainsFunc(e.GetLabel(), func(l *dto.LabelPair) bool { return strings.Contains(l.GetValue(), "\x00") }) {
		return nil
	}
	return e
}
