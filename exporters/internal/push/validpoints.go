package push

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/stagemeter/stagemeter/exporters/internal/report"
)

// validPoints makes the texts of points and of their exemplars valid UTF-8, in place. Two series
// may become equal by that.
func validPoints(rm *metricdata.ResourceMetrics) {
	for _, scope := range rm.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch d := m.Data.(type) {
			case metricdata.Gauge[int64]:
				validNumbers(d.DataPoints)
			case metricdata.Gauge[float64]:
				validNumbers(d.DataPoints)
			case metricdata.Sum[int64]:
				validNumbers(d.DataPoints)
			case metricdata.Sum[float64]:
				validNumbers(d.DataPoints)
			case metricdata.Histogram[int64]:
				validHistograms(d.DataPoints)
			case metricdata.Histogram[float64]:
				validHistograms(d.DataPoints)
			case metricdata.ExponentialHistogram[int64]:
				validExponentials(d.DataPoints)
			case metricdata.ExponentialHistogram[float64]:
				validExponentials(d.DataPoints)
			}
		}
	}
}

func validNumbers[N int64 | float64](points []metricdata.DataPoint[N]) {
	for i := range points {
		validPoint(&points[i].Attributes, points[i].Exemplars)
	}
}

func validHistograms[N int64 | float64](points []metricdata.HistogramDataPoint[N]) {
	for i := range points {
		validPoint(&points[i].Attributes, points[i].Exemplars)
	}
}

func validExponentials[N int64 | float64](points []metricdata.ExponentialHistogramDataPoint[N]) {
	for i := range points {
		validPoint(&points[i].Attributes, points[i].Exemplars)
	}
}

func validPoint[N int64 | float64](attrs *attribute.Set, exemplars []metricdata.Exemplar[N]) {
	*attrs = attribute.NewSet(ValidAttributes(attrs.ToSlice(), report.ValidUTF8)...)
	for i, e := range exemplars {
		exemplars[i].FilteredAttributes = ValidAttributes(e.FilteredAttributes, report.ValidUTF8)
	}
}
