package scrape

import (
	"maps"
	"math"
	"net/http"
	"strconv"
	"testing"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/stagemeter/stagemeter/internal/corpus"
)

// An answer is, line by line, the one that the upstream exporter and promhttp would give, whatever
// a program measures.
func TestScrapesEqualUpstreams(t *testing.T) {
	quiet()
	for seed := range uint64(150) {
		data := corpus.Random(seed, 64<<(seed%6))
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) { checkProgram(t, corpus.New(data)) })
	}
}

// The same, if every measurement may become an exemplar, also outside of spans.
func TestScrapesEqualUpstreamsWithAllExemplars(t *testing.T) {
	quiet()
	t.Setenv("OTEL_METRICS_EXEMPLAR_FILTER", "always_on")
	for seed := range uint64(40) {
		data := corpus.Random(1000+seed, 64<<(seed%6))
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) { checkProgram(t, corpus.New(data)) })
	}
}

// The corpus has something of everything, in answers that this package writes itself. Otherwise
// equal answers would prove little.
func TestCorpusHasEverything(t *testing.T) {
	quiet()
	var all, direct, settled, unsettled int
	found := map[string]int{}
	for seed := range uint64(150) {
		p := corpus.New(corpus.Random(seed, 64<<(seed%6)))
		r := startProgram(t, p)
		reasons := p.Unsettled()
		var before page
		for step := range p.Steps {
			r.Step(step)
			rec := serve(r.handler, "Accept", acceptOpenMetrics)
			all++
			if r.handler.other != nil {
				continue
			}
			direct++
			now := mustRead(t, rec.Body.String(), true)
			for name, f := range now.families {
				if reasons[name] == 0 {
					settled++
				} else {
					unsettled++
				}
				f.tally(found, before.families[name])
			}
			for name, f := range before.families {
				if now.families[name] == nil {
					found["vanished "+f.typ]++
				}
			}
			before = now
		}
		r.end()
	}
	if direct < all/2 || settled < 9*unsettled {
		t.Errorf("%d of %d scrapes are direct, %d families are compared and %d not", direct, all, settled, unsettled)
	}
	for _, what := range []string{
		"counter", "gauge", "histogram", "counter with exemplar", "histogram with exemplar", "exemplar with attribute", "long exemplar",
		"NaN", "+Inf", "-Inf", "huge", "tiny", "beyond 2^53", "negative", "no bounds", "many series", "overflow",
		"quote", "backslash", "line break", "not ASCII", "joined", "long label", "long name", "strange help",
		"vanished counter", "vanished gauge", "new series", "vanished series", "changed",
	} {
		if found[what] == 0 {
			t.Errorf("no %s in %v", what, found)
		}
	}
}

// A running is a program of the corpus that runs.
type running struct {
	*corpus.Run
	program
}

// startProgram starts a program. The caller ends it.
func startProgram(t *testing.T, p *corpus.Program) running {
	t.Helper()
	r := start(t, setup{views: []sdkmetric.View{p.View()}, resource: p.Resource, series: p.Cardinality})
	return running{p.Start(r.provider), r}
}

// checkProgram runs a program, and compares the answers after each of its steps.
func checkProgram(t *testing.T, p *corpus.Program) {
	t.Helper()
	r := startProgram(t, p)
	defer r.end()
	unsettled := p.Unsettled()
	for step := range p.Steps {
		r.Step(step)
		r.check(t, unsettled)
		if t.Failed() {
			t.Fatalf("in step %d of:\n%s", step, p)
		}
	}
}

// check compares the answers in both formats, and whether the scrapes had errors.
func (r running) check(t *testing.T, unsettled map[string]corpus.Reasons) {
	t.Helper()
	if want := serve(r.handler.plain).Code; want != http.StatusOK { // nothing of the program can be shown
		if got := serve(r.handler).Code; got != want {
			t.Errorf("%d, upstream: %d", got, want)
		}
		return
	}
	var failed [2]bool
	var pages [2][2]page
	for i, h := range []http.Handler{r.handler.plain, r.handler} {
		for j, accept := range []string{acceptText, acceptOpenMetrics} {
			rec := serve(h, "Accept", accept)
			if rec.Code != http.StatusOK {
				t.Fatalf("%d: %s", rec.Code, rec.Body)
			}
			pages[i][j] = mustRead(t, rec.Body.String(), j == 1)
		}
		failed[i] = pages[i][1].errorsTotal(t) > pages[i][0].errorsTotal(t) // the text's was the scrape before
	}
	var all corpus.Reasons
	for _, reasons := range unsettled {
		all |= reasons
	}
	for j, format := range []string{"text", "OpenMetrics"} {
		for _, diff := range compare(pages[0][j], pages[1][j], unsettled) {
			t.Errorf("%s: %s", format, diff)
		}
		checkShape(t, pages[1][j])
	}
	if failed[0] != failed[1] && !all.Has(corpus.TypeOfSeveral|corpus.HelpAfterNone) {
		t.Errorf("the scrape had errors: %v; upstream: %v", failed[1], failed[0])
	}
}

// parseBound returns the bound of a label le.
func parseBound(t *testing.T, le string) float64 {
	t.Helper()
	f, err := strconv.ParseFloat(le, 64)
	if err != nil || math.IsNaN(f) {
		t.Errorf("le=%q", le)
	}
	return f
}

// withBound returns the labels of a bucket.
func withBound(labels map[string]string, le string) string {
	labels = maps.Clone(labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels["le"] = le
	return labelText(labels)
}
