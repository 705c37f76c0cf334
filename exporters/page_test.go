package exporters

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// A page is what a scrape shows, by the families' names. Those of counters end in _total, also where OpenMetrics
// leaves it out.
type page struct {
	families map[string]*family
	order    []string // of the families
}

// A family is a metric: its comments and its samples.
type family struct {
	name, typ, help, unit string
	samples               map[string]sample // by name and labels, as in x{a="b"}; these sorted by their names
	order                 []string          // of the samples
}

// A sample is one line. The exemplar is a text with labels and value; at is its time, in seconds.
type sample struct {
	name     string
	labels   map[string]string
	value    float64
	exemplar string
	at       float64
}

// key is the sample's name with its labels.
func (s sample) key() string { return s.name + labelText(s.labels) }

// equal tells whether two samples have the same value and exemplar. Times are written to the microsecond here, and
// there as what a float64 of so many seconds tells apart.
func (s sample) equal(other sample) bool {
	same := s.value == other.value || math.IsNaN(s.value) && math.IsNaN(other.value)
	return same && s.exemplar == other.exemplar && math.Abs(s.at-other.at) < 2e-6
}

// add adds a sample, of which there must be no other.
func (f *family) add(s sample) error {
	if _, twice := f.samples[s.key()]; twice {
		return fmt.Errorf("series twice: %s", s.key())
	}
	f.samples[s.key()] = s
	f.order = append(f.order, s.key())
	return nil
}

// errorsTotal is how many scrapes the handler says had errors, before this one.
func (p page) errorsTotal(t *testing.T) float64 {
	t.Helper()
	f := p.families["promhttp_metric_handler_errors_total"]
	if f == nil {
		t.Fatal("the handler's own metric is missing")
	}
	for _, s := range f.samples {
		if s.labels["cause"] == "encoding" && s.value != 0 {
			t.Errorf("%v errors of encoding", s.value)
		}
	}
	s, ok := f.samples[`promhttp_metric_handler_errors_total{cause="gathering"}`]
	if !ok {
		t.Fatalf("the handler's own metric lacks what it counts: %v", f.order)
	}
	return s.value
}

// readText reads the text format with the parser of prometheus/common.
func readText(body string) (map[string]*family, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	parsed, err := parser.TextToMetricFamilies(strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	families := map[string]*family{}
	for name, mf := range parsed {
		f := &family{name: name, typ: strings.ToLower(mf.GetType().String()), help: mf.GetHelp(), samples: map[string]sample{}}
		for _, m := range mf.Metric {
			if err := f.flatten(m); err != nil {
				return nil, err
			}
		}
		families[name] = f
	}
	return families, nil
}

// flatten adds the samples of a metric.
func (f *family) flatten(m *dto.Metric) error {
	labels := map[string]string{}
	for _, l := range m.Label {
		labels[l.GetName()] = l.GetValue()
	}
	h := m.Histogram
	if h == nil {
		return f.add(sample{name: f.name, labels: labels, value: m.GetCounter().GetValue() + m.GetGauge().GetValue()})
	}
	for _, b := range h.Bucket {
		own := map[string]string{"le": spellBound(b.GetUpperBound())}
		for name, value := range labels {
			own[name] = value
		}
		if err := f.add(sample{name: f.name + "_bucket", labels: own, value: float64(b.GetCumulativeCount())}); err != nil {
			return err
		}
	}
	if err := f.add(sample{name: f.name + "_sum", labels: labels, value: h.GetSampleSum()}); err != nil {
		return err
	}
	return f.add(sample{name: f.name + "_count", labels: labels, value: float64(h.GetSampleCount())})
}

// spellBound is a bound as the text format has it.
func spellBound(f float64) string {
	if math.IsInf(f, 1) {
		return "+Inf"
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// readPage reads an answer, and checks that the readers of the two formats agree where both read it.
func readPage(t *testing.T, body string, open bool) page {
	t.Helper()
	p, err := readStrictly(body, open)
	if err != nil {
		t.Fatalf("%v:\n%s", err, body)
	}
	if open {
		return p
	}
	other, err := readText(body)
	if err != nil {
		t.Fatalf("expfmt.TextParser: %v:\n%s", err, body)
	}
	for _, diff := range compare(page{families: other}, p, nil) {
		t.Errorf("expfmt.TextParser reads it differently: %s", diff)
	}
	return p
}
