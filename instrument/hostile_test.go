package instrument_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	collectormetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/internal/registry"
	"github.com/stagemeter/stagemeter/semconv"
)

// What programs are given as names, ids and errors, by accident or on purpose.
var hostile = []string{
	"", " ", "\x00", "\xff\xfe", "caf\xe9", "a\nb\r\nc", "\x1b]0;title\x07", "\u202egnirts", "\ufeff", "\U0010ffff",
	"\u200bjob", "job\u200d", "\U000E006Aob", "jo\ufe0fb", "j\u00adob", "\u3164", "\ue000", "job\u00a0",
	`"} 1`, `\`, `\n`, "a\"\nvideo_processing_jobs_total{status=\"completed\"} 1e9\n", "{{.}}", "%s%n", "../../etc/passwd",
	"job_id", "le", "__name__", "NaN", strings.Repeat("x", 1<<16), strings.Repeat("я", 1<<12), strings.Repeat("\xff", 1<<12),
}

func recordHostile(p *instrument.Pipeline) {
	for i, text := range hostile {
		ctx := instrument.ContextWithPipeline(context.Background(), p)
		p.Enqueue(ctx, text, propagation.MapCarrier{"tracestate": text, "baggage": text})
		_, _ = p.ObservePool(instrument.PoolRedis, text, func() instrument.PoolStats { return instrument.PoolStats{Used: 1} })
		instrument.RecordError(ctx, &ownType{text})
		ctx, job := p.StartJob(ctx, text, instrument.WithBudget(instrument.Dollar), instrument.WithCarrier(propagation.MapCarrier{
			"traceparent": text, "tracestate": text, instrument.EnqueuedAtKey: text,
		}))
		_, _ = instrument.RunCallValue(ctx, text, func(string) instrument.USD { return instrument.Cent },
			func(context.Context) (string, error) { return text, nil })
		_ = recovered(func() {
			_, _ = instrument.RunStageValue(ctx, text, func(context.Context) (int, error) { panic(text) })
		})
		err := errors.New(text)
		if i%2 == 0 {
			job.End(&err) // the others live, and have series
		}
	}
}

// A label value that is not escaped, or not UTF-8, fails the whole scrape, or forges a line of another metric.
func TestHostileTextsInTheExposition(t *testing.T) {
	captureReports(t)
	p, rec := instrumenttest.New(t)
	recordHostile(p)
	text := rec.Exposition()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatalf("Prometheus can't read it: %v", err)
	}
	known := make(map[string]bool)
	for _, m := range registry.Metrics() {
		known[m.Prometheus] = true
	}
	for name, family := range families {
		if !known[name] {
			t.Errorf("there is a metric %q", name)
		}
		for _, series := range family.Metric {
			for _, l := range series.Label {
				if v := l.GetValue(); v == "" || len(v) > instrument.MaxIDLen || !utf8.ValidString(v) || strings.ContainsFunc(v, isInvisible) {
					t.Errorf("%s has %s=%q", name, l.GetName(), v)
				}
			}
		}
	}
	for _, series := range families["video_processing_jobs_total"].Metric {
		if v := series.Counter.GetValue(); v > float64(len(hostile)) {
			t.Errorf("jobs_total = %v: a line was forged", v)
		}
	}
	if got, want := len(families["video_processing_budget_remaining_usd"].Metric), len(hostile)/2; got != want {
		t.Errorf("%d live jobs are shown, want %d: ids share a series", got, want)
	}
}

// One string that is not UTF-8 and a collector refuses the whole batch, metrics and spans of everybody else included.
func TestHostileTextsOverOTLP(t *testing.T) {
	captureReports(t)
	var (
		mu      sync.Mutex
		metrics collectormetrics.ExportMetricsServiceRequest
		spans   collectortrace.ExportTraceServiceRequest
	)
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		var into proto.Message = &metrics
		if r.URL.Path == "/v1/traces" {
			into = &spans
		}
		if err := (proto.UnmarshalOptions{Merge: true}).Unmarshal(body, into); err != nil {
			t.Errorf("%s: the collector can't read it: %v", r.URL.Path, err)
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	defer collector.Close()

	ctx := t.Context()
	metricExporter, err := otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpointURL(collector.URL+"/v1/metrics"))
	if err != nil {
		t.Fatal(err)
	}
	spanExporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(collector.URL+"/v1/traces"))
	if err != nil {
		t.Fatal(err)
	}
	mp := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewPeriodicReader(metricExporter)))
	tp := sdktrace.NewTracerProvider(sdktrace.WithBatcher(spanExporter))
	p, err := instrument.New(instrument.WithMeterProvider(mp), instrument.WithTracerProvider(tp))
	if err != nil {
		t.Fatal(err)
	}
	recordHostile(p)
	if err := errors.Join(mp.Shutdown(ctx), tp.Shutdown(ctx)); err != nil {
		t.Fatalf("the exporters can't send it: %v", err)
	}

	mu.Lock()
	defer mu.Unlock()
	names := make(map[string]bool)
	for _, rm := range metrics.ResourceMetrics {
		for _, sm := range rm.ScopeMetrics {
			for _, m := range sm.Metrics {
				names[m.Name] = true
			}
		}
	}
	if len(names) < 15 || !names[semconv.JobCostName] {
		t.Errorf("the collector got %v", names)
	}
	ended := 0
	for _, rs := range spans.ResourceSpans {
		for _, ss := range rs.ScopeSpans {
			ended += len(ss.Spans)
		}
	}
	// enqueue, call and stage of each, and the jobs that ended
	if want := 3*len(hostile) + (len(hostile)+1)/2; ended != want {
		t.Errorf("the collector got %d spans, want %d", ended, want)
	}
}
