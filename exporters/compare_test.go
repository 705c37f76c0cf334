package exporters

import (
	"regexp"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/stagemeter/stagemeter/internal/corpus"
)

// everything is an answer in OpenMetrics that has a bit of everything.
func everything(t *testing.T) string {
	t.Helper()
	tel := start(t, WithPrometheusAddr(""), WithServiceName("editor"))
	count(tel, "jobs", 7)
	recordTraced(t, tel)
	m := tel.MeterProvider().Meter("test")
	g, err := m.Float64Gauge("level", metric.WithUnit("lu"), metric.WithDescription("How loud it is."))
	if err != nil {
		t.Fatal(err)
	}
	g.Record(t.Context(), -23.5, metric.WithAttributes(attribute.String("phase", "before"), attribute.String("stage", "a\"b")))
	g.Record(t.Context(), -14, metric.WithAttributes(attribute.String("phase", "after"), attribute.String("stage", "a\"b")))
	h, err := m.Int64Histogram("frames", metric.WithExplicitBucketBoundaries(1, 2, 5))
	if err != nil {
		t.Fatal(err)
	}
	h.Record(inSpan(1), 2)
	return serve(tel.metrics.scraper.plain, "Accept", acceptOpenMetrics).Body.String()
}

// The comparison notices whatever may be wrong with an answer.
func TestComparisonNotices(t *testing.T) {
	good := everything(t)
	reference := readPage(t, good, true)
	if diffs := compare(reference, reference, nil); len(diffs) > 0 {
		t.Fatalf("differs from itself: %q", diffs)
	}
	at := regexp.MustCompile(`[0-9.]+e\+09`).FindString(good)
	for _, tt := range []struct{ what, old, new string }{
		{"a value", "jobs_total 7.0", "jobs_total 8.0"},
		{"a value that is no number", "jobs_total 7.0", "jobs_total NaN"},
		{"a series", `level_lu{phase="after",stage="a\"b"} -14.0` + "\n", ""},
		{"a series too many", "jobs_total 7.0\n", "jobs_total 7.0\njobs_total{a=\"b\"} 7.0\n"},
		{"a family", "# HELP jobs \n# TYPE jobs counter\njobs_total 7.0\n", ""},
		{"the help", "How loud it is.", "How loud it was."},
		{"the type", "# TYPE level_lu gauge", "# TYPE level_lu counter"},
		{"a unit", "# TYPE level_lu gauge\n", "# TYPE level_lu gauge\n# UNIT level_lu lu\n"},
		{"a label's value", `phase="after"`, `phase="AFTER"`},
		{"a label's name", `phase="after"`, `phase_="after"`},
		{"a bound", `le="5.0"`, `le="6.0"`},
		{"how a bound is written", `le="5.0"`, `le="5"`},
		{"an exemplar", `trace_id="01`, `trace_id="11`},
		{"an exemplar's value", `"} 2.0 ` + at, `"} 1.5 ` + at},
		{"an exemplar's time", at, "1.5e+09"},
		{"a count", "frames_count 1", "frames_count 2"},
		{"a bucket's count", `frames_bucket{le="5.0"} 1`, `frames_bucket{le="5.0"} 0`},
	} {
		bad := strings.Replace(good, tt.old, tt.new, 1)
		if bad == good {
			t.Errorf("%s: no %q in\n%s", tt.what, tt.old, good)
		}
		if p, err := readStrictly(bad, true); err == nil && len(compare(reference, p, nil)) == 0 {
			t.Errorf("%s: not noticed", tt.what)
		}
	}
}

// The strict reader refuses what Prometheus, or another reader, could stumble over.
func TestStrictReader(t *testing.T) {
	const head = "# HELP x A help.\n# TYPE x "
	for _, tt := range []struct{ what, body string }{
		{"no end", head + "gauge\nx 1"},
		{"an empty line", head + "gauge\n\nx 1\n"},
		{"no type", "x 1\n"},
		{"a sample of another family", head + "gauge\ny 1\n"},
		{"a type that is not known", head + "guage\nx 1\n"},
		{"a help in the middle", head + "gauge\nx 1\n# HELP x More.\nx{a=\"b\"} 1\n"},
		{"a family twice", head + "gauge\nx 1\n" + head + "gauge\nx 1\n"},
		{"a series twice", head + "gauge\nx{a=\"1\",b=\"2\"} 1\nx{b=\"2\",a=\"1\"} 1\n"},
		{"a label twice", head + "gauge\nx{a=\"1\",a=\"2\"} 1\n"},
		{"a reserved label", head + "gauge\nx{__name__=\"y\"} 1\n"},
		{"a label without a name", head + "gauge\nx{=\"1\"} 1\n"},
		{"a digit first", head + "gauge\nx{1=\"1\"} 1\n"},
		{"a bad escape", head + "gauge\nx{a=\"\\t\"} 1\n"},
		{"a quote in the value", head + "gauge\nx{a=\"\"\"} 1\n"},
		{"a label without an end", head + "gauge\nx{a=\"1} 1\n"},
		{"no value", head + "gauge\nx{a=\"1\"}\n"},
		{"no number", head + "gauge\nx one\n"},
		{"not UTF-8", head + "gauge\nx{a=\"\xff\"} 1\n"},
		{"a sum in a gauge", head + "gauge\nx_sum 1\n"},
		{"an exemplar on a gauge", head + "gauge\nx 1 # {a=\"b\"} 1 1.5e+09\n"},
		{"an exemplar on a sum", head + "histogram\nx_sum 1 # {a=\"b\"} 1 1.5e+09\n"},
		{"an exemplar without a time", head + "counter\nx_total 1 # {a=\"b\"} 1\n"},
		{"a long exemplar", head + "counter\nx_total 1 # {a=\"" + strings.Repeat("b", 128) + "\"} 1 1.5e+09\n"},
		{"a NUL in an exemplar", head + "counter\nx_total 1 # {a=\"\x00\"} 1 1.5e+09\n"},
		{"an end in the middle", head + "gauge\n# EOF\nx 1\n"},
	} {
		for _, end := range []string{"# EOF\n", ""} {
			open := end != ""
			if p, err := readStrictly(tt.body+end, open); err == nil {
				t.Errorf("%s: read as %v", tt.what, p.order)
			}
		}
	}
	if _, err := readStrictly(head+"gauge\nx 1\n", true); err == nil {
		t.Error("OpenMetrics without # EOF is read")
	}
	if _, err := readStrictly(head+"counter\nx_total 1 # {a=\""+strings.Repeat("b", 127)+"\"} 1 1.5e+09\n# EOF\n", true); err != nil {
		t.Errorf("a good one is refused: %v", err)
	}
}

// What is unsettled is all in which two programs that do the same may differ.
func TestUnsettledIsAllThatIsRandom(t *testing.T) {
	quiet()
	for seed := range uint64(40) {
		p := corpus.New(corpus.Random(2000+seed, 64<<(seed%6)))
		unsettled := p.Unsettled()
		first, second := startProgram(t, p), startProgram(t, p)
		for step := range p.Steps {
			var pages [2]page
			for i, r := range []running{first, second} {
				r.Step(step)
				rec := serve(r.plain, "Accept", acceptText)
				if rec.Code != 200 {
					continue
				}
				pages[i] = readPage(t, rec.Body.String(), false)
				delete(pages[i].families, "target_info") // which tells the two apart
			}
			for _, diff := range compare(pages[0], pages[1], unsettled) {
				t.Errorf("seed %d, step %d: %s", seed, step, diff)
			}
		}
		shutdown(first.tel)
		shutdown(second.tel)
	}
}
