package instrumenttest

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/stagemeter/stagemeter/internal/corpus"
)

// quiet keeps what package otel says of hostile telemetry out of the output.
var quiet = sync.OnceFunc(func() {
	otel.SetLogger(logr.Discard())
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) {}))
})

// A twin is one program's metrics, read by this package and by OpenTelemetry's exporter for Prometheus.
type twin struct {
	reader   *sdkmetric.ManualReader
	registry *prometheus.Registry
	meters   *sdkmetric.MeterProvider
}

func newTwin(t *testing.T, views ...sdkmetric.View) *twin {
	t.Helper()
	quiet()
	w := &twin{reader: sdkmetric.NewManualReader(), registry: prometheus.NewRegistry()}
	exporter, err := otelprometheus.New(otelprometheus.WithRegisterer(w.registry),
		otelprometheus.WithoutScopeInfo(), otelprometheus.WithoutTargetInfo())
	if err != nil {
		t.Fatal(err)
	}
	w.meters = sdkmetric.NewMeterProvider(sdkmetric.WithReader(w.reader), sdkmetric.WithReader(exporter), sdkmetric.WithView(views...))
	t.Cleanup(func() { _ = w.meters.Shutdown(t.Context()) })
	return w
}

// text returns the families of this package, by name, or the error.
func (w *twin) text(t *testing.T) (map[string]string, error) {
	t.Helper()
	var rm metricdata.ResourceMetrics
	_ = w.reader.Collect(t.Context(), &rm) // a callback of the program may fail
	families, err := textFamilies(&rm)
	if err != nil {
		return nil, err
	}
	if !slices.IsSortedFunc(families, func(a, b *textFamily) int { return strings.Compare(a.name, b.name) }) {
		t.Error("the families are not sorted")
	}
	texts := make(map[string]string)
	for _, f := range families {
		var b strings.Builder
		f.writeTo(&b)
		texts[f.name] = b.String()
	}
	return texts, nil
}

// reference returns the families of Prometheus's client, by name, or the error.
func (w *twin) reference(t *testing.T) (map[string]string, error) {
	t.Helper()
	families, err := w.registry.Gather()
	if err != nil {
		return nil, err
	}
	texts := make(map[string]string)
	for _, f := range families {
		var b strings.Builder
		if _, err := expfmt.MetricFamilyToText(&b, f); err != nil {
			t.Fatal(err)
		}
		texts[f.GetName()] = b.String()
	}
	return texts, nil
}

// What a test reads is, byte for byte, what Prometheus's client would write, whatever a program measures; and what the
// client refuses is refused.
func TestTextEqualsTheClients(t *testing.T) {
	var shown, refused int
	for seed := range uint64(300) {
		p := corpus.New(corpus.Random(seed, 64<<(seed%6)))
		if strings.Contains(p.String(), "bridges/prometheus") { // the exporter leaves this scope out
			continue
		}
		w := newTwin(t, p.View())
		run := p.Start(w.meters)
		unsettled := p.Unsettled()
		for step := range p.Steps {
			run.Step(step)
			want, wantErr := w.reference(t)
			got, err := w.text(t)
			switch {
			case wantErr != nil && err == nil && strings.Contains(wantErr.Error(), "has help"):
				// The exporter takes a second help for the first one's, but not for none.
			case err != nil && wantErr == nil && strings.Contains(err.Error(), "attribute le"):
				// The client writes the label twice.
			case wantErr != nil && err == nil:
				t.Errorf("seed %d, step %d: not refused: %v", seed, step, wantErr)
			case wantErr != nil:
				refused++
			case err != nil:
				t.Errorf("seed %d, step %d: refused: %v", seed, step, err)
			default:
				for name := range unsettled { // which of two comes first is random
					delete(want, name)
					delete(got, name)
				}
				shown += len(got)
				if step > 0 { // the exporter keeps the help that it saw first, also after the series is gone
					withoutHelp(want)
					withoutHelp(got)
				}
				compareTexts(t, fmt.Sprintf("seed %d, step %d", seed, step), unordered(want), unordered(got))
			}
		}
	}
	t.Logf("%d families, %d steps refused", shown, refused)
	if shown < 500 || refused < 10 {
		t.Error("the programs do not show enough")
	}
}

func withoutHelp(texts map[string]string) {
	for name, text := range texts {
		_, texts[name], _ = strings.Cut(text, "\n")
	}
}

// unordered sorts the lines of each family. The client has no order for series whose labels differ only by name.
func unordered(texts map[string]string) map[string]string {
	for name, text := range texts {
		texts[name] = strings.Join(slices.Sorted(strings.Lines(text)), "")
	}
	return texts
}

func compareTexts(t *testing.T, where string, want, got map[string]string) {
	t.Helper()
	for name := range want {
		if want[name] != got[name] {
			t.Errorf("%s, %s (-want +got):\n%s", where, name, diff(want[name], got[name]))
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s: there should be no %s:\n%s", where, name, got[name])
		}
	}
}

// One by one, what the corpus has by chance.
func TestText(t *testing.T) {
	attr := func(kvs ...attribute.KeyValue) metric.MeasurementOption { return metric.WithAttributes(kvs...) }
	counter := func(m metric.Meter, name string, opts ...metric.Float64CounterOption) metric.Float64Counter {
		c, _ := m.Float64Counter(name, opts...)
		return c
	}
	for _, tt := range []struct {
		reason string
		record func(metric.Meter)
		want   string // a line, or if it is refused a part of the error
		refuse bool
	}{
		{"a counter's unit and _total", func(m metric.Meter) {
			counter(m, "app.read", metric.WithUnit("By")).Add(t.Context(), 1.5)
		}, "app_read_bytes_total 1.5", false},
		{"a counter that has _total already", func(m metric.Meter) {
			counter(m, "app.total.reads").Add(t.Context(), 1)
		}, "app_reads_total 1", false},
		{"a gauge of unit 1", func(m metric.Meter) {
			g, _ := m.Float64Gauge("app.load", metric.WithUnit("1"))
			g.Record(t.Context(), math.NaN())
		}, "app_load_ratio NaN", false},
		{"a million", func(m metric.Meter) { counter(m, "n").Add(t.Context(), 1e6) }, "n_total 1e+06", false},
		{"an infinity", func(m metric.Meter) { counter(m, "n").Add(t.Context(), math.Inf(1)) }, "n_total +Inf", false},
		{"a negative zero", func(m metric.Meter) {
			g, _ := m.Float64Gauge("g")
			g.Record(t.Context(), math.Copysign(0, -1))
		}, "g 0", false},
		{"attributes that become one label", func(m metric.Meter) {
			counter(m, "n").Add(t.Context(), 1, attr(attribute.String("a.b", "2"), attribute.String("a_b", "1")))
		}, `n_total{a_b="1;2"} 1`, false},
		{"an escaped value", func(m metric.Meter) {
			counter(m, "n").Add(t.Context(), 1, attr(attribute.String("a", "\"\\\n")))
		}, `n_total{a="\"\\\n"} 1`, false},
		{"an escaped help", func(m metric.Meter) {
			counter(m, "n", metric.WithDescription("\"a\\\nb")).Add(t.Context(), 1)
		}, `# HELP n_total "a\\\nb`, false},
		{"no help", func(m metric.Meter) { counter(m, "n").Add(t.Context(), 1) }, "# HELP n_total ", false},
		{"buckets add up", func(m metric.Meter) {
			h, _ := m.Int64Histogram("h", metric.WithExplicitBucketBoundaries(1, 1e6))
			h.Record(t.Context(), 1)
			h.Record(t.Context(), 2)
		}, `h_bucket{le="1e+06"} 2`, false},
		{"a bound that is infinite", func(m metric.Meter) {
			h, _ := m.Float64Histogram("h", metric.WithExplicitBucketBoundaries(1, math.Inf(1)))
			h.Record(t.Context(), 2)
		}, `h_bucket{le="+Inf"} 1`, false},
		{"series in the order of their values", func(m metric.Meter) {
			c := counter(m, "n")
			for _, kvs := range [][]attribute.KeyValue{
				{attribute.String("a", "2"), attribute.String("b", "1")}, {attribute.String("a", "1"), attribute.String("b", "3")},
				{attribute.String("a", "10"), attribute.String("b", "2")}, {attribute.String("z", "9")},
			} {
				c.Add(t.Context(), 1, attr(kvs...))
			}
		}, `n_total{z="9"} 1` + "\n" + `n_total{a="1",b="3"} 1` + "\n" + `n_total{a="10",b="2"} 1` + "\n" + `n_total{a="2",b="1"} 1`, false},
		{"series of two instruments", func(m metric.Meter) {
			counter(m, "n").Add(t.Context(), 1)
			counter(m, "n.").Add(t.Context(), 1, attr(attribute.Int("a", 1)))
		}, `n_total{a="1"} 1`, false},
		{"a name of the registry with another kind", func(m metric.Meter) {
			g, _ := m.Float64Gauge("video.processing.jobs", metric.WithUnit("{job}"))
			g.Record(t.Context(), 1)
		}, "video_processing_jobs 1", false},
		{"a name of the registry with another unit", func(m metric.Meter) {
			counter(m, "video.processing.jobs", metric.WithUnit("By")).Add(t.Context(), 1)
		}, "video_processing_jobs_bytes_total 1", false},
		{"a value that is not UTF-8", func(m metric.Meter) {
			counter(m, "n").Add(t.Context(), 1, attr(attribute.Slice("a", attribute.StringValue("x")), attribute.String("b", "\xff")))
		}, "the label b is not UTF-8", true},
		{"a reserved label", func(m metric.Meter) {
			counter(m, "n").Add(t.Context(), 1, attr(attribute.String("__a__", "b")))
		}, "reserved", true},
		{"a label of underscores", func(m metric.Meter) {
			counter(m, "n").Add(t.Context(), 1, attr(attribute.String("_", "b")))
		}, "invalid name", true},
		{"one series from two instruments", func(m metric.Meter) {
			counter(m, "n").Add(t.Context(), 1)
			counter(m, "n.").Add(t.Context(), 1)
		}, "two series are n_total", true},
		{"one name for two kinds", func(m metric.Meter) {
			counter(m, "n").Add(t.Context(), 1)
			g, _ := m.Float64Gauge("n_total")
			g.Record(t.Context(), 1)
		}, "are named n_total", true},
		{"a metric with the name of a histogram's series", func(m metric.Meter) {
			h, _ := m.Float64Histogram("h")
			h.Record(t.Context(), 2)
			g, _ := m.Float64Gauge("h.count")
			g.Record(t.Context(), 1)
		}, "h_count is a metric and a series of the histogram h", true},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			w := newTwin(t)
			tt.record(w.meters.Meter("app"))
			want, wantErr := w.reference(t)
			got, err := w.text(t)
			if refused := err != nil; refused != tt.refuse || refused != (wantErr != nil) {
				t.Fatalf("error %v, the client's %v, want one: %v", err, wantErr, tt.refuse)
			}
			var all strings.Builder
			if err != nil {
				all.WriteString(err.Error())
			}
			for _, text := range got {
				all.WriteString(text)
			}
			compareTexts(t, "text", want, got)
			if found := strings.Contains("\n"+all.String(), "\n"+tt.want+"\n"); !found && !(tt.refuse && strings.Contains(all.String(), tt.want)) {
				t.Errorf("got\n%s\nwant the line\n%s", all.String(), tt.want)
			}
		})
	}
}

// The text format has no buckets of an exponential histogram; Prometheus's client writes the sum and the count.
func TestTextOfExponentialHistogram(t *testing.T) {
	w := newTwin(t, sdkmetric.NewView(sdkmetric.Instrument{Name: "h"},
		sdkmetric.Stream{Aggregation: sdkmetric.AggregationBase2ExponentialHistogram{MaxSize: 160, MaxScale: 8}}))
	h, err := w.meters.Meter("app").Float64Histogram("h", metric.WithUnit("s"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		h.Record(t.Context(), float64(i), metric.WithAttributes(attribute.String("stage", strconv.Itoa(i%2))))
	}
	got, err := w.text(t)
	want, wantErr := w.reference(t)
	if err != nil || wantErr != nil {
		t.Fatal(err, wantErr)
	}
	compareTexts(t, "exponential", want, got)
	if !strings.Contains(got["h_seconds"], "h_seconds_sum{stage=\"0\"} 2\n") {
		t.Errorf("got\n%s", got["h_seconds"])
	}
}
