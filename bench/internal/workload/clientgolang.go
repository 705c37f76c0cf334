package workload

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// clientGolang is client_golang with its own handler.
type clientGolang struct {
	workload Workload
	exemplar prometheus.Labels // nil: none
	counters []*prometheus.CounterVec
	hists    []*prometheus.HistogramVec
	handler  http.Handler
}

func newClientGolang(c Workload, traced bool) (Store, error) {
	return register(prometheus.NewRegistry(), c, traced)
}

// FillRegistry adds a workload to what a registry has.
func FillRegistry(registry *prometheus.Registry, c Workload) error {
	g, err := register(registry, c, false)
	if err == nil {
		c.Fill(g)
	}
	return err
}

func register(registry *prometheus.Registry, c Workload, traced bool) (*clientGolang, error) {
	n := len(c.Instruments)
	g := &clientGolang{workload: c, counters: make([]*prometheus.CounterVec, n), hists: make([]*prometheus.HistogramVec, n),
		handler: promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true})}
	if traced {
		g.exemplar = prometheus.Labels{"trace_id": sampled.TraceID().String(), "span_id": sampled.SpanID().String()}
	}
	for n, i := range c.Instruments {
		var err error
		if i.Kind == Histogram {
			g.hists[n] = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: i.Prometheus(), Help: i.Help, Buckets: Bounds}, i.Labels)
			err = registry.Register(g.hists[n])
		} else {
			g.counters[n] = prometheus.NewCounterVec(prometheus.CounterOpts{Name: i.Prometheus(), Help: i.Help}, i.Labels)
			err = registry.Register(g.counters[n])
		}
		if err != nil {
			return nil, err
		}
	}
	return g, nil
}

func (g *clientGolang) Record(instrument, series int, value float64) {
	i := &g.workload.Instruments[instrument]
	if i.Kind == Histogram {
		h := g.hists[instrument].WithLabelValues(i.Values[series]...)
		if g.exemplar == nil {
			h.Observe(value)
		} else {
			h.(prometheus.ExemplarObserver).ObserveWithExemplar(value, g.exemplar)
		}
		return
	}
	c := g.counters[instrument].WithLabelValues(i.Values[series]...)
	if g.exemplar == nil {
		c.Add(value)
	} else {
		c.(prometheus.ExemplarAdder).AddWithExemplar(value, g.exemplar)
	}
}

func (g *clientGolang) Handler() http.Handler { return g.handler }
func (g *clientGolang) Close() error          { return nil }
