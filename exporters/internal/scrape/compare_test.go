package scrape

import (
	"regexp"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
	"github.com/stagemeter/stagemeter/internal/corpus"
)

// everything returns an answer in OpenMetrics that has a bit of everything.
func everything(t *testing.T) string {
	t.Helper()
	p := start(t, setup{resource: []attribute.KeyValue{attribute.String("service.name", "editor")}})
	exportertest.Count(p.provider, "jobs", 7)
	recordWork(t, p)
	m := p.provider.Meter("test")
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
	h.Record(exportertest.InSpan(1), 2)
	return serve(p.handler.plain, "Accept", acceptOpenMetrics).Body.String()
}

// The comparison finds every difference.
func TestComparisonNotices(t *testing.T) {
	good := everything(t)
	reference := mustRead(t, good, true)
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
		if p, err := readOpenMetrics(bad); err == nil && len(compare(reference, p, nil)) == 0 {
			t.Errorf("%s: not noticed", tt.what)
		}
	}
}

// The reader of OpenMetrics refuses what Prometheus's parser would accept.
func TestReadOpenMetrics(t *testing.T) {
	const head, end = "# HELP x A help.\n# TYPE x ", "# EOF\n"
	for _, tt := range []struct{ what, body string }{
		{"no type", "x 1\n" + end},
		{"a sample of another family", head + "gauge\ny 1\n" + end},
		{"a family twice", head + "gauge\nx 1\n" + head + "gauge\nx 1\n" + end},
		{"a series twice", head + "gauge\nx{a=\"1\",b=\"2\"} 1\nx{b=\"2\",a=\"1\"} 1\n" + end},
		{"a label twice", head + "gauge\nx{a=\"1\",a=\"2\"} 1\n" + end},
		{"an end in the middle", head + "gauge\n# EOF\nx 1\n" + end},
		{"no end", head + "gauge\nx 1\n"},
		{"not a sample", head + "gauge\nx{a=1} 1\n" + end},
		{"an exemplar without a time", head + "counter\nx_total 1 # {a=\"b\"} 1\n" + end},
		{"a long exemplar", head + "counter\nx_total 1 # {a=\"" + strings.Repeat("b", 128) + "\"} 1 1.5e+09\n" + end},
	} {
		if p, err := readOpenMetrics(tt.body); err == nil {
			t.Errorf("%s: read as %v", tt.what, p.order)
		}
	}
}

// Two programs that do the same differ in nothing but the unsettled metrics.
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
				rec := serve(r.handler.plain, "Accept", acceptText)
				if rec.Code != 200 {
					continue
				}
				pages[i] = mustRead(t, rec.Body.String(), false)
				delete(pages[i].families, "target_info") // the ids of the two differ
			}
			for _, diff := range compare(pages[0], pages[1], unsettled) {
				t.Errorf("seed %d, step %d: %s", seed, step, diff)
			}
		}
		first.end()
		second.end()
	}
}
