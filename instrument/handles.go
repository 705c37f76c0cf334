package instrument

import (
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/instrument/internal/eta"
	"github.com/stagemeter/stagemeter/semconv"
)

// A kept slice of options makes a recording free of allocations; see metric.WithAttributeSet.
type (
	addOptions    = []metric.AddOption
	recordOptions = []metric.RecordOption
)

func withAttrs(attrs ...attribute.KeyValue) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(attrs...))
}

// stageHandle holds what all stages of one name share.
type stageHandle struct {
	name       string
	spanName   string
	span       []trace.SpanStartOption  // stage
	set        metric.MeasurementOption // stage
	record     recordOptions            // the same, for the histograms
	inProgress atomic.Int64
	usual      eta.Usual   // how long earlier runs took, if details are kept
	inner      atomic.Bool // the last job that ran it did so only inside of other stages
}

func newStageHandle(name string) *stageHandle {
	set := withAttrs(semconv.AttrStage.String(name))
	return &stageHandle{name: name, spanName: "stage " + name, span: stageSpan(name), set: set, record: recordOptions{set}}
}

func stageSpan(name string) []trace.SpanStartOption {
	return []trace.SpanStartOption{trace.WithAttributes(stageKey.String(name))}
}

// apiHandle holds what all calls of one API share.
type apiHandle struct {
	name                                 string
	spanName                             string
	span                                 []trace.SpanStartOption  // kind, api
	set                                  metric.MeasurementOption // api
	cost                                 addOptions               // api
	duration                             recordOptions            // api
	succeeded, failed, canceled, refused addOptions               // api, status
	inProgress                           atomic.Int64
	seen                                 apiCount
}

func newAPIHandle(name string) *apiHandle {
	api := semconv.AttrAPI.String(name)
	set := withAttrs(api)
	status := func(s semconv.CallStatus) addOptions { return addOptions{withAttrs(api, s.Attr())} }
	return &apiHandle{
		name:     name,
		spanName: "call " + name,
		span: []trace.SpanStartOption{
			trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(apiKey.String(name)),
		},
		set:       set,
		cost:      addOptions{set},
		duration:  recordOptions{set},
		succeeded: status(semconv.CallStatusSuccess),
		failed:    status(semconv.CallStatusError),
		canceled:  status(semconv.CallStatusCanceled),
		refused:   status(semconv.CallStatusRefused),
	}
}
