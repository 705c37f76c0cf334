package exporters

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"
)

// A whole gathers the program's metrics and, with them, those of the handler
// itself. If there is nothing of the program's for an error, as when a callback
// panics, there is nothing at all, and the scrape fails: a target that is up and
// shows nothing would be a silent gap.
type whole struct {
	program, own prometheus.Gatherer
	source       *source // of the program's
}

func (w whole) Gather() ([]*dto.MetricFamily, error) {
	torn := w.source.torn.Swap(true)
	families, err := w.program.Gather()
	if torn && len(families) > 0 {
		families, err = w.program.Gather() // see source.read
	}
	if err != nil && len(families) == 0 {
		return nil, err
	}
	w.source.torn.Store(false)
	own, ownErr := w.own.Gather()
	families, badErr := readable(families, own)
	return append(families, own...), errors.Join(err, badErr, ownErr)
}

// readable leaves out what a registry lets pass and Prometheus doesn't: a
// histogram with a label of the name that its buckets' has, for which it would
// refuse the whole scrape; a second bucket for the exemplar of a NaN, beside one
// up to +Inf; a metric of a name that is the handler's own; and exemplars with a
// NUL in a label.
func readable(families, own []*dto.MetricFamily) (left []*dto.MetricFamily, err error) {
	for _, f := range families {
		all := len(f.Metric)
		switch {
		case slices.ContainsFunc(own, func(o *dto.MetricFamily) bool { return o.GetName() == f.GetName() }):
			err = errors.Join(err, fmt.Errorf("%s is a metric of the handler", f.GetName()))
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

// readableBuckets gives the exemplar of a second bucket to the first.
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

// withoutNUL returns nil for an exemplar with what Prometheus's parser of
// OpenMetrics takes for the end of the text, in exemplars alone.
func withoutNUL(e *dto.Exemplar) *dto.Exemplar {
	if slices.ContainsFunc(e.GetLabel(), func(l *dto.LabelPair) bool { return strings.Contains(l.GetValue(), "\x00") }) {
		return nil
	}
	return e
}
