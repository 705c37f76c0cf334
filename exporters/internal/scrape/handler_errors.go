package scrape

import (
	"bytes"
	"errors"
	"io"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/stagemeter/stagemeter/exporters/internal/exposition"
)

// The counter of promhttp's own errors, and its causes.
const (
	handlerErrorsName = "promhttp_metric_handler_errors_total"
	handlerErrorsHelp = "Total number of internal errors encountered by the promhttp metric handler."
	gathering         = "gathering"
	encoding          = "encoding"
)

// handlerErrors returns the counter that promhttp has registered. If a later promhttp has another
// one, only the answers of Handler have the counter that this returns.
func handlerErrors(own prometheus.Registerer) *prometheus.CounterVec {
	errs := prometheus.NewCounterVec(prometheus.CounterOpts{Name: handlerErrorsName, Help: handlerErrorsHelp}, []string{"cause"})
	var registered prometheus.AlreadyRegisteredError
	if errors.As(own.Register(errs), &registered) {
		if existing, ok := registered.ExistingCollector.(*prometheus.CounterVec); ok {
			return existing
		}
	}
	return errs
}

// handlerSeries is the size of the counter: a series for each cause.
var handlerSeries = exposition.Size{Series: 2, Samples: 2}

// writeErrors writes errs, for which a registry would allocate 30 KB, and the end of the answer.
func writeErrors(w io.Writer, errs *prometheus.CounterVec, format expfmt.Format) error {
	f := &dto.MetricFamily{Name: new(handlerErrorsName), Help: new(handlerErrorsHelp), Type: dto.MetricType_COUNTER.Enum()}
	var err error
	for _, cause := range []string{encoding, gathering} {
		m := &dto.Metric{}
		err = errors.Join(err, errs.WithLabelValues(cause).Write(m))
		f.Metric = append(f.Metric, m)
	}
	var text bytes.Buffer // package expfmt would wrap w into a buffer of 4 KB
	enc := expfmt.NewEncoder(&text, format)
	err = errors.Join(err, enc.Encode(f))
	if c, ok := enc.(expfmt.Closer); ok {
		err = errors.Join(err, c.Close())
	}
	_, writeErr := w.Write(text.Bytes())
	return errors.Join(err, writeErr)
}
