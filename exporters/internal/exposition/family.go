package exposition

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/otel/attribute"
)

type kind int

const (
	counter kind = iota
	gauge
	upDown // a gauge whose name is made differently
	histogram
)

func (k kind) String() string { return [...]string{"counter", "gauge", "gauge", "histogram"}[k] }

// translated returns the kind that decides the suffix of the name.
func (k kind) translated() otlptranslator.MetricType {
	return [...]otlptranslator.MetricType{
		otlptranslator.MetricTypeMonotonicCounter, otlptranslator.MetricTypeGauge,
		otlptranslator.MetricTypeNonMonotonicCounter, otlptranslator.MetricTypeHistogram,
	}[k]
}

// A family has all series with the same name, of every scope.
type family struct {
	name     string
	kind     kind
	pieces   [2]pieces // by Format
	bounds   []float64 // of a histogram's buckets
	collides []*family // histograms that have a series of this name

	streams []stream             // of this scrape
	keys    []attribute.Distinct // of the points from which rows were made
	rows    []row                // by labels

	spread []int // exemplars of the point that is being written, by bucket
}

// A row is one series and the index of its point in the streams.
type row struct {
	labels string // a="b",c="d"
	at     int
}

// pieces are the parts of lines that every scrape repeats in a format.
type pieces struct {
	header string
	sample string   // name of the series, or of a histogram's buckets up to the brace
	sum    string   // histograms: name of the series
	count  string   // histograms: name of the series
	le     []string // histograms: from the label le to the value, by bucket
}

func newFamily(name, help string, k kind) (*family, error) {
	if !model.LegacyValidation.IsValidMetricName(name) {
		return nil, fmt.Errorf("%q is not the name of a metric", name)
	}
	f := &family{name: name, kind: k}
	shown, typ := name, k.String() // in OpenMetrics
	if k == counter {
		if s, ok := strings.CutSuffix(name, "_total"); ok {
			shown = s
		} else {
			typ = "unknown"
		}
	}
	f.pieces[Text].header = header(name, textEscaper.Replace(help), k.String())
	f.pieces[OpenMetrics].header = header(shown, valueEscaper.Replace(help), typ)
	for i := range f.pieces {
		p := &f.pieces[i]
		p.sample = name
		if k == histogram {
			p.sample, p.sum, p.count = name+"_bucket{", name+"_sum", name+"_count"
		}
	}
	return f, nil
}

func header(name, help, typ string) string {
	return "# HELP " + name + " " + help + "\n# TYPE " + name + " " + typ + "\n"
}

var (
	textEscaper  = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	valueEscaper = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
)

// update rebuilds the rows if the series have changed since the last scrape. Otherwise it costs one
// comparison for each series.
func (f *family) update() error {
	for _, h := range f.collides {
		if len(h.streams) > 0 {
			return fmt.Errorf("%s is a series of the histogram %s", f.name, h.name)
		}
	}
	if f.kind == histogram {
		if err := f.updateBounds(); err != nil {
			return err
		}
	}
	if f.settled() {
		return nil
	}
	return f.rebuild()
}

// updateBounds updates the buckets, which all points of a stream share.
func (f *family) updateBounds() error {
	for i, s := range f.streams {
		switch bounds := s.bounds(); {
		case slices.Equal(bounds, f.bounds) && f.pieces[Text].le != nil:
		case i > 0:
			return fmt.Errorf("%s has different buckets", f.name)
		default:
			f.setBounds(bounds)
		}
	}
	for _, b := range f.bounds {
		if math.IsNaN(b) || math.IsInf(b, +1) {
			return fmt.Errorf("%s has a bucket up to %v", f.name, b)
		}
	}
	return nil
}

func (f *family) setBounds(bounds []float64) {
	f.bounds = slices.Clone(bounds)
	for format := range f.pieces {
		le := make([]string, 0, len(bounds)+1)
		for _, b := range bounds {
			le = append(le, `le="`+string(appendBound(nil, b, Format(format)))+`"} `)
		}
		f.pieces[format].le = append(le, `le="+Inf"} `)
	}
}

// settled reports whether the points are those from which rows were made.
func (f *family) settled() bool {
	at := 0
	for _, s := range f.streams {
		n := s.len()
		if at+n > len(f.keys) {
			return false
		}
		for i, key := range f.keys[at : at+n] {
			if s.attributes(i).Equivalent() != key {
				return false
			}
		}
		at += n
	}
	return at == len(f.keys)
}

// rebuild makes the rows. It reuses the labels of known series.
func (f *family) rebuild() error {
	known := make(map[attribute.Distinct]string, len(f.rows))
	for _, r := range f.rows {
		known[f.keys[r.at]] = r.labels
	}
	n := 0
	for _, s := range f.streams {
		n += s.len()
	}
	f.keys, f.rows = make([]attribute.Distinct, 0, n), make([]row, 0, n)
	for _, s := range f.streams {
		for i := range s.len() {
			attrs := s.attributes(i)
			key := attrs.Equivalent()
			l, ok := known[key]
			if !ok {
				var err error
				if l, err = labels(attrs); err == nil && f.kind == histogram && hasLE(l) {
					err = errors.New("a histogram has a label le")
				}
				if err != nil {
					f.keys, f.rows = nil, nil
					return fmt.Errorf("%s: %w", f.name, err)
				}
			}
			f.rows = append(f.rows, row{l, len(f.keys)})
			f.keys = append(f.keys, key)
		}
	}
	slices.SortFunc(f.rows, func(a, b row) int { return strings.Compare(a.labels, b.labels) })
	for i := 1; i < len(f.rows); i++ {
		if f.rows[i].labels == f.rows[i-1].labels {
			err := fmt.Errorf("%s{%s} is there twice", f.name, f.rows[i].labels)
			f.keys, f.rows = nil, nil
			return err
		}
	}
	return nil
}

// hasLE reports whether labels has le, which the buckets of a histogram have too.
func hasLE(labels string) bool {
	return strings.HasPrefix(labels, `le="`) || strings.Contains(labels, `,le="`)
}

// find returns the stream of a row, and the index of its point there.
func (f *family) find(r row) (s stream, point int) {
	for _, s = range f.streams {
		if r.at < s.len() {
			break
		}
		r.at -= s.len()
	}
	return s, r.at
}
