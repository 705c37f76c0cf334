package e2e

import (
	"log/slog"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"

	"github.com/stagemeter/stagemeter/exporters"
	"github.com/stagemeter/stagemeter/internal/corpus"
)

const (
	openMetrics = "application/openmetrics-text; version=1.0.0"
	protobuf    = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
)

// TestPrometheusReadsTheCorpus: whatever a program measures, Prometheus's own parser reads the answer in every format,
// and reads the same. The text formats are written by this repository, protobuf by client_golang.
func TestPrometheusReadsTheCorpus(t *testing.T) {
	t.Parallel()
	parser := startParser(t)
	for seed := range uint64(100) {
		program := startCorpus(t, parser, seed)
		for step := range program.Steps {
			program.run.Step(step)
			text, open, proto := program.parsed(t, textFormat), program.parsed(t, openMetrics), program.parsed(t, protobuf)
			program.compare(t, "text", proto, text, false)
			program.compare(t, "OpenMetrics", proto, open, true)
			if t.Failed() {
				t.Fatalf("seed %d, step %d of\n%s", seed, step, program)
			}
		}
	}
}

// A corpusProgram is a program of the corpus that runs.
type corpusProgram struct {
	*corpus.Program
	run       *corpus.Run
	handler   http.Handler
	parser    *parser
	unsettled map[string]corpus.Reasons
}

func startCorpus(t *testing.T, parser *parser, seed uint64) corpusProgram {
	t.Helper()
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) {})) // which has to say much of hostile telemetry
	otel.SetLogger(logr.Discard())
	p := corpus.New(corpus.Random(seed, 64<<(seed%6)))
	opts := []exporters.Option{
		exporters.WithoutServer(), exporters.WithoutGlobals(), exporters.WithView(p.View()), exporters.WithResourceAttributes(p.Resource...),
		exporters.WithLogger(slog.New(slog.DiscardHandler)),
	}
	if p.Cardinality > 0 {
		opts = append(opts, exporters.WithCardinalityLimit(p.Cardinality))
	}
	tel, _ := exporters.Start(t.Context(), opts...) // it complains of a resource that isn't UTF-8
	t.Cleanup(func() { _ = tel.Shutdown(t.Context()) })
	return corpusProgram{p, p.Start(tel.MeterProvider()), tel.Handler(), parser, p.Unsettled()}
}

// parsed is the program's answer in a format. It is empty if nothing of the program can be shown, which is a 500.
func (p corpusProgram) parsed(t *testing.T, accept string) parsed {
	t.Helper()
	req := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	req.Header.Set("Accept", accept)
	rec := httptest.NewRecorder()
	p.handler.ServeHTTP(rec, req)
	if rec.Code == http.StatusInternalServerError {
		return parsed{}
	}
	return p.parser.parse(t, rec.Header().Get("Content-Type"), rec.Body.Bytes())
}

// compare expects the same of two answers of the same state, but for what is unsettled, and for what the handler counts
// of itself.
func (p corpusProgram) compare(t *testing.T, format string, want, got parsed, exemplars bool) {
	t.Helper()
	if (want.series == nil) != (got.series == nil) {
		t.Errorf("%s: one of the answers is 500", format)
	}
	for key, a := range want.series {
		b, ok := got.series[key]
		switch {
		case p.open(string(a.labels["__name__"])):
		case !ok:
			t.Errorf("%s lacks %s", format, key)
		case a.value != b.value && !(math.IsNaN(a.value) && math.IsNaN(b.value)):
			t.Errorf("%s: %s is %v, want %v", format, key, b.value, a.value)
		case exemplars && !slices.EqualFunc(a.exemplars, b.exemplars, exemplum.same):
			t.Errorf("%s: the exemplar of %s is %v, want %v", format, key, b.exemplars, a.exemplars)
		}
	}
	for key, b := range got.series {
		if _, ok := want.series[key]; !ok && !p.open(string(b.labels["__name__"])) {
			t.Errorf("%s has %s", format, key)
		}
	}
	settled := func(said map[string]string) map[string]string {
		said = maps.Clone(said)
		maps.DeleteFunc(said, func(name, _ string) bool { return p.open(name) || name == "total" }) // total: see expfmt
		return said
	}
	if a, b := settled(want.types), settled(got.types); !maps.Equal(a, b) {
		t.Errorf("%s: types %v, want %v", format, b, a)
	}
	if a, b := settled(want.helps), settled(got.helps); !maps.Equal(a, b) {
		t.Errorf("%s: help %q, want %q", format, b, a)
	}
}

// open tells whether a series is of a metric that two answers may show differently.
func (p corpusProgram) open(name string) bool {
	if name == "promhttp_metric_handler_errors_total" {
		return true
	}
	for _, suffix := range []string{"", "_bucket", "_count", "_sum"} {
		if family, ok := strings.CutSuffix(name, suffix); ok && p.unsettled[family]&^corpus.ExemplarsAnew != 0 {
			return true
		}
	}
	return false
}
