package workload

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/VictoriaMetrics/metrics"
)

// victoria is VictoriaMetrics/metrics: text alone, without exemplars, compression and metadata. Its histograms are
// those with fixed boundaries.
type victoria struct {
	workload Workload
	set      *metrics.Set
}

func newVictoria(c Workload) Store { return &victoria{c, metrics.NewSet()} }

func (v *victoria) Record(instrument, series int, value float64) {
	i := &v.workload.Instruments[instrument]
	switch name := i.named(series); i.Kind {
	case Count:
		v.set.GetOrCreateCounter(name).Add(int(value))
	case Seconds:
		v.set.GetOrCreateFloatCounter(name).Add(value)
	default:
		v.set.GetOrCreatePrometheusHistogramExt(name, Bounds).Update(value)
	}
}

// named is the name of a series with its labels.
func (i *Instrument) named(series int) string {
	var b strings.Builder
	b.WriteString(i.Prometheus())
	for l, label := range i.Labels {
		b.WriteByte("{,"[min(l, 1)])
		b.WriteString(label + "=" + strconv.Quote(i.Values[series][l]))
	}
	return b.String() + "}"
}

func (v *victoria) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { v.set.WritePrometheus(w) })
}

func (v *victoria) Close() error { return nil }
