// Package page reads what a handler answers to a scrape, so that two rivals can be compared before they are timed.
package page

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// A Page is a scrape: the value of each sample, by its name and sorted labels, as in `x_bucket{le="1",stage="a"}`.
type Page struct {
	Samples   map[string]float64
	Exemplars int
}

// Parse reads the text format or OpenMetrics, with the parser of Prometheus's own library. That knows no exemplars,
// so they are counted and cut off: none of the labels measured here holds their mark.
func Parse(body []byte) (Page, error) {
	p := Page{Samples: make(map[string]float64)}
	var plain bytes.Buffer
	for line := range bytes.Lines(body) {
		switch {
		case bytes.HasPrefix(line, []byte("# EOF")), bytes.HasPrefix(line, []byte("# UNIT")), len(line) > 0 && line[0] == '\n':
			continue
		case line[0] != '#':
			if at := bytes.Index(line, []byte(" # {")); at >= 0 {
				p.Exemplars++
				line = append(slices.Clip(line[:at]), '\n')
			}
		}
		plain.Write(line)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(&plain)
	if err != nil {
		return p, fmt.Errorf("page: %w", err)
	}
	for name, f := range families {
		for _, m := range f.Metric {
			p.add(name, f.GetType(), m)
		}
	}
	return p, nil
}

func (p *Page) add(name string, kind dto.MetricType, m *dto.Metric) {
	switch kind {
	case dto.MetricType_COUNTER:
		p.Samples[key(name, m.Label, "")] = m.GetCounter().GetValue()
	case dto.MetricType_GAUGE:
		p.Samples[key(name, m.Label, "")] = m.GetGauge().GetValue()
	case dto.MetricType_HISTOGRAM:
		h := m.GetHistogram()
		p.Samples[key(name+"_count", m.Label, "")] = float64(h.GetSampleCount())
		p.Samples[key(name+"_sum", m.Label, "")] = h.GetSampleSum()
		for _, b := range h.Bucket {
			p.Samples[key(name+"_bucket", m.Label, strconv.FormatFloat(b.GetUpperBound(), 'g', -1, 64))] = float64(b.GetCumulativeCount())
		}
	default: // OpenMetrics tells a counter's type without _total, so that here it has none
		p.Samples[key(name, m.Label, "")] = m.GetUntyped().GetValue()
	}
}

func key(name string, labels []*dto.LabelPair, le string) string {
	pairs := make([]string, 0, len(labels)+1)
	for _, l := range labels {
		pairs = append(pairs, l.GetName()+"="+strconv.Quote(l.GetValue()))
	}
	if le != "" {
		pairs = append(pairs, "le="+strconv.Quote(le))
	}
	slices.Sort(pairs)
	return name + "{" + strings.Join(pairs, ",") + "}"
}

// Only keeps the samples of the metrics with these names, or, of histograms, with these before _bucket, _count and _sum.
func (p Page) Only(names ...string) Page {
	return p.filter(func(k string) bool {
		name, _, _ := strings.Cut(k, "{")
		for _, suffix := range []string{"_bucket", "_count", "_sum"} {
			if slices.Contains(names, strings.TrimSuffix(name, suffix)) {
				return true
			}
		}
		return slices.Contains(names, name)
	})
}

// Prefix keeps the samples whose names begin so.
func (p Page) Prefix(prefix string) Page {
	return p.filter(func(k string) bool { return strings.HasPrefix(k, prefix) })
}

func (p Page) filter(keep func(key string) bool) Page {
	kept := Page{Samples: make(map[string]float64), Exemplars: p.Exemplars}
	for k, v := range p.Samples {
		if keep(k) {
			kept.Samples[k] = v
		}
	}
	return kept
}

// Series is how many series there are, with a histogram as one.
func (p Page) Series() int {
	n := 0
	for k := range p.Samples {
		name, labels, _ := strings.Cut(k, "{")
		if !strings.HasSuffix(name, "_sum") && !(strings.HasSuffix(name, "_bucket") && strings.Contains(labels, `le="`)) {
			n++
		}
	}
	return n
}

// Equal says, as an error, where two pages differ: in which series there are, and in their values. Sums of floats may
// differ in the last digits, as they do with the order of what was added. With timed, sums of times are only held to
// be there and above 0.
func Equal(ours, theirs Page, timed bool) error {
	var diffs []string
	for k, v := range ours.Samples {
		w, ok := theirs.Samples[k]
		switch {
		case !ok:
			diffs = append(diffs, fmt.Sprintf("%s is ours alone (%v)", k, v))
		case timed && strings.Contains(k, "_sum{"):
			if v <= 0 || w <= 0 {
				diffs = append(diffs, fmt.Sprintf("%s is %v and %v", k, v, w))
			}
		case math.Abs(v-w) > 1e-9*math.Abs(v):
			diffs = append(diffs, fmt.Sprintf("%s is %v, the rival's %v", k, v, w))
		}
	}
	for k, w := range theirs.Samples {
		if _, ok := ours.Samples[k]; !ok {
			diffs = append(diffs, fmt.Sprintf("%s is the rival's alone (%v)", k, w))
		}
	}
	if len(ours.Samples) == 0 {
		diffs = append(diffs, "there is nothing to compare")
	}
	if len(diffs) == 0 {
		return nil
	}
	slices.Sort(diffs)
	return fmt.Errorf("%d differences: %s", len(diffs), strings.Join(diffs[:min(len(diffs), 8)], "; "))
}
