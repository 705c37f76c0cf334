package exposition

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// An Exposition keeps the series of one reader from scrape to scrape, each in about 50 bytes and
// the text of its labels. The zero value is ready for use. It is not safe for concurrent use.
type Exposition struct {
	named     map[identity]*family
	byName    map[string]*family
	families  []*family // by name
	described bool      // info is set
	info      string    // of target_info; empty: the resource cannot be shown
	buf       []byte
}

// An identity has the parts of a family's name.
type identity struct {
	name, unit string
	kind       kind
}

// Update replaces the points by those of rm. It keeps references to rm, which [Exposition.WriteTo]
// reads. The error is not nil if rm has something that this package cannot write as the upstream
// exporter would.
func (x *Exposition) Update(rm *metricdata.ResourceMetrics) error {
	for _, f := range x.families {
		clear(f.streams)
		f.streams = f.streams[:0]
	}
	if !x.described && rm.Resource != nil {
		x.describe(rm.Resource.Set())
	}
	for i := range rm.ScopeMetrics {
		scope := &rm.ScopeMetrics[i]
		if scope.Scope.Name == bridge {
			return errors.New("metrics of the Prometheus bridge")
		}
		for j := range scope.Metrics {
			if err := x.take(&scope.Metrics[j]); err != nil {
				return err
			}
		}
	}
	for _, f := range x.families {
		if len(f.streams) == 0 {
			f.keys, f.rows = nil, nil
			continue
		}
		if err := f.update(); err != nil {
			return err
		}
	}
	return nil
}

// describe sets the labels of target_info. If it cannot be shown, the error goes to otel's error
// handler.
func (x *Exposition) describe(resource *attribute.Set) {
	x.described = true
	l, err := labels(resource)
	switch {
	case err != nil:
		otel.Handle(err)
	case l == "":
		x.info = "target_info"
	default:
		x.info = "target_info{" + l + "}"
	}
}

// bridge is a scope that the upstream exporter leaves out with an error.
const bridge = "go.opentelemetry.io/contrib/bridges/prometheus"

// take adds the points of m to their family.
func (x *Exposition) take(m *metricdata.Metrics) error {
	s, kind := newStream(m.Data)
	if s == nil {
		return fmt.Errorf("%s is a %T", m.Name, m.Data)
	}
	id := identity{m.Name, m.Unit, kind}
	f := x.named[id]
	if f == nil {
		var err error
		if f, err = x.add(id, m.Description); err != nil {
			return err
		}
	}
	f.streams = append(f.streams, s)
	return nil
}

// add returns the family of a new identity: an existing one of the same name and kind, or a new
// one.
func (x *Exposition) add(id identity, help string) (*family, error) {
	namer := otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)
	name, err := namer.Build(otlptranslator.Metric{Name: id.name, Unit: id.unit, Type: id.kind.translated()})
	if err != nil {
		return nil, err
	}
	f := x.byName[name]
	switch {
	case name == "target_info" || strings.HasPrefix(name, "promhttp_"): // the handler's own metrics
		return nil, fmt.Errorf("two metrics are named %s", name)
	case f != nil && f.kind != id.kind:
		return nil, fmt.Errorf("metrics of different kinds are named %s", name)
	case f == nil:
		if f, err = newFamily(name, help, id.kind); err != nil {
			return nil, err
		}
		for _, suffix := range []string{"_bucket", "_count", "_sum"} {
			if g := x.byName[name+suffix]; g != nil && f.kind == histogram {
				g.collides = append(g.collides, f)
			}
			if h, ok := strings.CutSuffix(name, suffix); ok && x.byName[h] != nil && x.byName[h].kind == histogram {
				f.collides = append(f.collides, x.byName[h])
			}
		}
		x.families = append(x.families, f)
		slices.SortFunc(x.families, func(a, b *family) int { return strings.Compare(a.name, b.name) })
	}
	if x.named == nil {
		x.named, x.byName = make(map[identity]*family), make(map[string]*family)
	}
	x.named[id], x.byName[name] = f, f
	return f, nil
}

// A Size is how much an answer has.
type Size struct {
	Series  int64 // each set of labels of a metric is one, also if it is a histogram
	Samples int64 // lines with a value: a histogram has one for each bucket, its sum and its count
}

// Add adds t to s.
func (s *Size) Add(t Size) {
	s.Series += t.Series
	s.Samples += t.Samples
}

// Size returns how much [Exposition.WriteTo] writes.
func (x *Exposition) Size() Size {
	var size Size
	if x.info != "" {
		size = Size{1, 1} // target_info
	}
	for _, f := range x.families {
		rows, lines := int64(len(f.rows)), int64(1)
		if f.kind == histogram {
			lines = int64(len(f.bounds)) + 3 // the bucket +Inf, sum, count
		}
		size.Add(Size{rows, rows * lines})
	}
	return size
}

// A Format is one of the text formats.
type Format int

// The formats.
const (
	Text        Format = iota // text/plain, which has no exemplars
	OpenMetrics               // without the # EOF at its end
)

// chunk is about how many bytes are written at once.
const chunk = 64 << 10

// WriteTo writes the points of the last [Exposition.Update], which must have returned no error. The
// error is from w.
func (x *Exposition) WriteTo(w io.Writer, format Format) error {
	x.buf = x.buf[:0]
	info := x.info == ""
	for _, f := range x.families {
		if len(f.streams) == 0 {
			continue
		}
		if !info && f.name > "target_info" {
			x.buf, info = x.appendInfo(x.buf, format), true
		}
		x.buf = append(x.buf, f.pieces[format].header...)
		for _, r := range f.rows {
			s, point := f.find(r)
			x.buf = s.appendTo(x.buf, f, format, r.labels, point)
			if len(x.buf) >= chunk {
				if _, err := w.Write(x.buf); err != nil {
					return err
				}
				x.buf = x.buf[:0]
			}
		}
	}
	if !info {
		x.buf = x.appendInfo(x.buf, format)
	}
	_, err := w.Write(x.buf)
	return err
}

func (x *Exposition) appendInfo(dst []byte, format Format) []byte {
	dst = append(dst, "# HELP target_info Target metadata\n# TYPE target_info gauge\n"...)
	dst = append(append(dst, x.info...), ' ')
	return append(appendFloat(dst, 1, format), '\n')
}
