package scrape

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// A page is an answer, by the names of the families. Those of counters end in _total, also where
// OpenMetrics leaves it out.
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

// A sample is one line. exemplar has the labels and the value; at is its time in seconds.
type sample struct {
	name     string
	labels   map[string]string
	value    float64
	exemplar string
	at       float64
}

// key is the sample's name with its labels.
func (s sample) key() string { return s.name + labelText(s.labels) }

// equal reports whether two samples have the same value and exemplar. This package writes times to
// the microsecond, and upstream as precisely as a float64 in seconds allows.
func (s sample) equal(other sample) bool {
	same := s.value == other.value || math.IsNaN(s.value) && math.IsNaN(other.value)
	return same && s.exemplar == other.exemplar && math.Abs(s.at-other.at) < 2e-6
}

// add adds a sample. It returns an error if the series is there already.
func (f *family) add(s sample) error {
	if _, twice := f.samples[s.key()]; twice {
		return fmt.Errorf("series twice: %s", s.key())
	}
	f.samples[s.key()] = s
	f.order = append(f.order, s.key())
	return nil
}

// errorsTotal returns how many scrapes before this one had errors, as the handler counts them.
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

// readText reads the text format with the parser of prometheus/common, which refuses names that are
// not of the classic character set.
func readText(body string) (page, error) {
	p := page{families: map[string]*family{}}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	parsed, err := parser.TextToMetricFamilies(strings.NewReader(body))
	if err != nil {
		return p, err
	}
	for name, mf := range parsed {
		f := &family{name: name, typ: strings.ToLower(mf.GetType().String()), help: mf.GetHelp(), samples: map[string]sample{}}
		for _, m := range mf.Metric {
			if err := f.flatten(m); err != nil {
				return p, err
			}
		}
		p.families[name] = f
	}
	for line := range strings.Lines(body) { // the parser loses the order
		if words := strings.Fields(line); len(words) > 2 && words[0] == "#" && words[1] == "TYPE" {
			p.order = append(p.order, words[2])
		}
	}
	return p, nil
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

// spellBound returns a bound as the text format has it.
func spellBound(f float64) string {
	if math.IsInf(f, 1) {
		return "+Inf"
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// readPage reads an answer. open selects OpenMetrics.
func readPage(body string, open bool) (page, error) {
	if open {
		return readOpenMetrics(body)
	}
	return readText(body)
}

// mustRead reads an answer, and fails the test if it cannot.
func mustRead(t *testing.T, body string, open bool) page {
	t.Helper()
	p, err := readPage(body, open)
	if err != nil {
		t.Fatalf("%v:\n%s", err, body)
	}
	return p
}

// labelText returns labels as {a="b"}, sorted by their names.
func labelText(labels map[string]string) string {
	if len(labels) == 0 {
		return ""
	}
	var b strings.Builder
	for i, name := range slices.Sorted(maps.Keys(labels)) {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%s=%q", name, labels[name])
	}
	return "{" + b.String() + "}"
}
