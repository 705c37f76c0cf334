package event

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/stagemeter/stagemeter/bench/internal/workload"
)

// promRegistry is a registry of client_golang and its handler. Its vectors are named and bounded as the registry of metrics
// says. It records no exemplars, since people who write it by hand do not.
type promRegistry struct {
	registry *prometheus.Registry
	handler  http.Handler
}

func newPromRegistry() *promRegistry {
	r := prometheus.NewRegistry()
	return &promRegistry{r, promhttp.HandlerFor(r, promhttp.HandlerOpts{EnableOpenMetrics: true})}
}

func (r *promRegistry) histogram(name string, labels ...string) *prometheus.HistogramVec {
	m := metricOf(name)
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: m.Brief, Buckets: m.Buckets}, labels)
	r.registry.MustRegister(v)
	return v
}

func (r *promRegistry) gauge(name string, labels ...string) *prometheus.GaugeVec {
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: metricOf(name).Brief}, labels)
	r.registry.MustRegister(v)
	return v
}

func (r *promRegistry) counter(name string, labels ...string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: metricOf(name).Brief}, labels)
	r.registry.MustRegister(v)
	return v
}

func (r *promRegistry) fill(c workload.Workload) error { return workload.FillRegistry(r.registry, c) }

func nothing() {}
