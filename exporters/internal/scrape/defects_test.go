package scrape

import (
	"errors"
	"math"
	"net/http"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
)

// The upstream exporter writes some metrics so that Prometheus refuses the whole scrape, and loses
// others. Here each such metric costs at most itself: every answer can be read in every format, has
// the other metrics, and counts an error if something is left out.
func TestWhatUpstreamGetsWrong(t *testing.T) {
	quiet()
	for _, tt := range []struct {
		name, reason string
		measure      func(m metric.Meter) error
		shown        []string // of what is wrong
		left         []string // out
		failed       bool
	}{
		{
			name:   "le",
			reason: "a histogram's attribute le is beside the label of its buckets; a label that is there twice fails the scrape",
			measure: func(m metric.Meter) error {
				h, err := m.Int64Histogram("bad")
				h.Record(exportertest.InSpan(1), 1, metric.WithAttributes(attribute.String("le", "x")))
				h.Record(exportertest.InSpan(1), 1, metric.WithAttributes(attribute.String("stage", "render")))
				return err
			},
			shown: []string{`bad_count{stage="render"} 1`}, left: []string{`le="x"`}, failed: true,
		},
		{
			name:   "description",
			reason: "one that is not UTF-8 fails the scrape, and is no protobuf",
			measure: func(m metric.Meter) error {
				c, err := m.Int64Counter("bad", metric.WithDescription("\xffa"))
				c.Add(exportertest.InSpan(1), 1)
				return err
			},
			shown: []string{"# HELP bad_total \uFFFDa\n", "bad_total 1"},
		},
		{
			name:   "handler's own",
			reason: "a metric that is named as the handler's makes a family twice, which parsers refuse",
			measure: func(m metric.Meter) error {
				c, err := m.Int64Counter("promhttp.metric.handler.errors")
				c.Add(exportertest.InSpan(1), 99)
				return err
			},
			shown: []string{`promhttp_metric_handler_errors_total{cause="encoding"} 0`}, left: []string{"_total 99\n"}, failed: true,
		},
		{
			name:   "NaN above infinity",
			reason: "the exemplar of a NaN gets a bucket of its own, also where there is one up to +Inf: a series twice",
			measure: func(m metric.Meter) error {
				h, err := m.Float64Histogram("bad", metric.WithExplicitBucketBoundaries(1, math.Inf(1)))
				h.Record(exportertest.InSpan(1), math.NaN())
				h.Record(exportertest.InSpan(1), 2)
				return err
			},
			shown: []string{`bad_bucket{le="+Inf"} 1`, "bad_count 2"},
		},
		{
			name:   "NUL",
			reason: "in the label of an exemplar Prometheus takes it for the end of the text, and fails the scrape",
			measure: func(m metric.Meter) error {
				c, err := m.Int64Counter("bad")
				c.Add(exportertest.InSpan(1), 1, metric.WithAttributes(attribute.String("dropped", "a\x00b")))
				h, err2 := m.Int64Histogram("bad.too", metric.WithExplicitBucketBoundaries(1, 2))
				h.Record(exportertest.InSpan(1), 1, metric.WithAttributes(attribute.String("dropped", "a\x00b")))
				h.Record(exportertest.InSpan(1), 2, metric.WithAttributes(attribute.String("dropped", "ab")))
				return errors.Join(err, err2)
			},
			shown: []string{"bad_total 1", "bad_too_count 2"}, left: []string{"dropped"},
		},
		{
			name:   "description after none",
			reason: "of two metrics of one name the second is dropped if only it has a description",
			measure: func(m metric.Meter) error {
				a, err := m.Int64Counter("bad")
				a.Add(exportertest.InSpan(1), 1, metric.WithAttributes(attribute.Int("number", 1)))
				b, err2 := m.Int64Counter("bad", metric.WithDescription("Said later."))
				b.Add(exportertest.InSpan(1), 2, metric.WithAttributes(attribute.Int("number", 2)))
				return errors.Join(err, err2)
			},
			shown: []string{`bad_total{number="1"} 1`, `bad_total{number="2"} 2`},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			book := &exportertest.LogBook{}
			p := start(t, setup{logger: book.Logger(), views: []sdkmetric.View{func(i sdkmetric.Instrument) (sdkmetric.Stream, bool) {
				return sdkmetric.Stream{
					Name: i.Name, Description: i.Description, Unit: i.Unit,
					AttributeFilter: attribute.NewDenyKeysFilter("dropped"),
				}, true
			}}})
			exportertest.Count(p.provider, "good", 7)
			if err := tt.measure(p.provider.Meter("test")); err != nil {
				t.Fatal(err)
			}
			body := serve(p.handler, "Accept", acceptText).Body.String()
			for _, want := range append(tt.shown, "good_total 7\n") {
				if !strings.Contains(body, want) {
					t.Errorf("lacks %q (%s):\n%s", want, tt.reason, body)
				}
			}
			for _, unwanted := range tt.left {
				if strings.Contains(body, unwanted) {
					t.Errorf("has %q (%s):\n%s", unwanted, tt.reason, body)
				}
			}
			first := mustRead(t, body, false)
			body = serve(p.handler, "Accept", acceptOpenMetrics).Body.String()
			open := mustRead(t, body, true)
			if strings.Contains(body, "\x00") {
				t.Errorf("has a NUL:\n%s", body)
			}
			if failed := open.errorsTotal(t) > first.errorsTotal(t); failed != tt.failed || book.Lines("a scrape has errors") > 0 != failed {
				t.Errorf("counted as failed: %v, want %v; the log:\n%s", failed, tt.failed, book)
			}
			if names := protobufNames(t, p); !names["good_total"] || !names["promhttp_metric_handler_errors_total"] {
				t.Errorf("in protobuf there is but %v", names)
			}
		})
	}
}

// protobufNames returns the families of the answer in protobuf.
func protobufNames(t *testing.T, p program) map[string]bool {
	t.Helper()
	rec := serve(p.handler, "Accept", acceptProtobuf)
	if rec.Code != http.StatusOK {
		t.Fatalf("%d: %s", rec.Code, rec.Body)
	}
	names := map[string]bool{}
	for dec := expfmt.NewDecoder(rec.Body, expfmt.ResponseFormat(rec.Header())); ; {
		var mf dto.MetricFamily
		if err := dec.Decode(&mf); err != nil {
			return names // at its end
		}
		if names[mf.GetName()] {
			t.Errorf("%s is there twice", mf.GetName())
		}
		names[mf.GetName()] = true
	}
}
