package exporters

import (
	"bytes"
	"errors"
	"io"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// What promhttp counts about itself, and by which causes.
const (
	handlerErrorsName = "promhttp_metric_handler_errors_total"
	handlerErrorsHelp = "Total number of internal errors encountered by the promhttp metric handler."
	gathering         = "gathering"
	encoding          = "encoding"
)

// handlerErrors returns the counter that promhttp has registered. Should it be
// another one day, what the scraper counts is in its own answers alone.
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

// writeErrors writes them, for which a registry takes 30 KB, and the end of the
// answer.
func writeErrors(w io.Writer, errs *prometheus.CounterVec, format expfmt.Format) error {
	f := &dto.MetricFamily{Name: new(handlerErrorsName), Help: new(handlerErrorsHelp), Type: dto.MetricType_COUNTER.Enum()}
	var err error
	for _, cause := range []string{encoding, gathering} {
		m := &dto.Metric{}
		err = errors.Join(err, errs.WithLabelValues(cause).Write(m))
		f.Metric = append(f.Metric, m)
	}
	var text bytes.Buffer // into w itself package expfmt would write through a buffer of 4 KB
	enc := expfmt.NewEncoder(&text, format)
	err = errors.Join(err, enc.Encode(f))
	if c, ok := enc.(expfmt.Closer); ok {
		err = errors.Join(err, c.Close())
	}
	_, writeErr := w.Write(text.Bytes())
	return errors.Join(err, writeErr)
}
