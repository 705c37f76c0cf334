package exporters

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"
)

// readable leaves out what a registry lets pass and Prometheus doesn't: a
// histogram with a label of the name that its buckets' has, for which it would
// refuse the whole scrape; a second bucket for the exemplar of a NaN, beside one
// up to +Inf; a metric of a name that is the handler's own; and exemplars with a
// NUL in a label, those of the other buckets with them.
func readable(families, own []*dto.MetricFamily) (left []*dto.MetricFamily, err error) {
	for _, f := range families {
		if slices.ContainsFunc(own, func(o *dto.MetricFamily) bool { return o.GetName() == f.GetName() }) {
			err = errors.Join(err, fmt.Errorf("%s is a metric of the handler", f.GetName()))
			continue
		}
		for _, m := range f.Metric {
			if e := m.GetCounter().GetExemplar(); e != nil && hasNUL(e) {
				m.Counter.Exemplar = nil
			}
		}
		if f.GetType() == dto.MetricType_HISTOGRAM {
			all := len(f.Metric)
			f.Metric = slices.DeleteFunc(f.Metric, func(m *dto.Metric) bool {
				return slices.ContainsFunc(m.Label, func(l *dto.LabelPair) bool { return l.GetName() == model.BucketLabel })
			})
			for _, m := range f.Metric {
				m.Histogram.Bucket = slices.CompactFunc(m.Histogram.Bucket, func(a, b *dto.Bucket) bool {
					return a.GetUpperBound() == b.GetUpperBound()
				})
				dropNUL(m.Histogram)
			}
			if len(f.Metric) < all {
				err = errors.Join(err, fmt.Errorf("the histogram %s has a label %s", f.GetName(), model.BucketLabel))
			}
		}
		if len(f.Metric) > 0 {
			left = append(left, f)
		}
	}
	return left, err
}

// hasNUL tells of what Prometheus's parser of OpenMetrics takes for the end of
// the text, in exemplars alone.
func hasNUL(e *dto.Exemplar) bool {
	return slices.ContainsFunc(e.GetLabel(), func(l *dto.LabelPair) bool { return strings.Contains(l.GetValue(), "\x00") })
}

// dropNUL drops the exemplars of a histogram if one can't be read.
func dropNUL(h *dto.Histogram) {
	if !slices.ContainsFunc(h.Exemplars, hasNUL) &&
		!slices.ContainsFunc(h.Bucket, func(b *dto.Bucket) bool { return hasNUL(b.GetExemplar()) }) {
		return
	}
	h.Exemplars = nil
	for _, b := range h.Bucket {
		b.Exemplar = nil
	}
}
