package instrumenttest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/attribute"

	"github.com/stagemeter/stagemeter/internal/registry"
)

// find returns the series of a metric that have these attributes. It ends the test for an unknown
// name, key, value or kind.
func (s *Snapshot) find(name string, attrs []attribute.KeyValue, kinds ...registry.Kind) []*series {
	s.t.Helper()
	known, err := lookup(name)
	f := s.families[known.Name]
	switch {
	case err == nil:
		attrs, err = resolve(known, f, attrs)
	case s.families[name] != nil: // an instrument of the program's own
		f, known.Kind, err = s.families[name], s.families[name].kind, nil
	}
	if err == nil && !slices.Contains(kinds, known.Kind) {
		err = fmt.Errorf("%s is a %s, not a %s", name, known.Kind, kinds[0])
	}
	if err != nil {
		s.t.Fatalf("instrumenttest: %v", err)
	}
	if f == nil {
		return nil
	}
	var found []*series
	for _, series := range f.series {
		if has(&series.attrs, attrs) {
			found = append(found, series)
		}
	}
	return found
}

// labelled reports whether a series of f has the key.
func (f *family) labelled(key attribute.Key) bool {
	if f == nil {
		return false
	}
	for _, s := range f.series {
		if s.attrs.HasValue(key) {
			return true
		}
	}
	return false
}

func has(set *attribute.Set, attrs []attribute.KeyValue) bool {
	for _, a := range attrs {
		if v, ok := set.Value(a.Key); !ok || v.String() != a.Value.String() {
			return false
		}
	}
	return true
}

// lookup returns the metric of the registry with this OpenTelemetry or Prometheus name.
func lookup(name string) (registry.Metric, error) {
	var names []string
	for _, m := range registry.Metrics() {
		if m.Name == name || m.Prometheus == name {
			return m, nil
		}
		if strings.Contains(name, ".") {
			names = append(names, m.Name)
		} else {
			names = append(names, m.Prometheus)
		}
	}
	return registry.Metric{}, fmt.Errorf("no metric is called %q; nearest: %s", name, nearest(name, names))
}

// resolve translates Prometheus labels to OpenTelemetry keys. It returns an error for attributes
// that no series of m can have. The labels of instrument.WithLabels are those that a series of f
// has.
func resolve(m registry.Metric, f *family, attrs []attribute.KeyValue) ([]attribute.KeyValue, error) {
	out := slices.Clone(attrs)
	for i, a := range attrs {
		at := slices.IndexFunc(m.Attributes, func(k registry.Attribute) bool {
			return a.Key == k.Key || string(a.Key) == k.Label
		})
		if at < 0 && f.labelled(a.Key) {
			continue
		}
		if at < 0 {
			var keys []string
			for _, k := range m.Attributes {
				keys = append(keys, string(k.Key))
			}
			return nil, fmt.Errorf("%s has no attribute %q; it has: %s", m.Name, a.Key, list(keys))
		}
		k := m.Attributes[at]
		if v := a.Value.String(); k.Values != nil && !slices.Contains(k.Values, v) {
			return nil, fmt.Errorf("%s is never recorded with %s=%q; the values are: %s", m.Name, a.Key, v, list(k.Values))
		}
		out[i].Key = k.Key
	}
	return out, nil
}

// nearest returns the three names that take the fewest edits to become name. Adding or dropping an
// end counts as none.
func nearest(name string, names []string) string {
	distance := func(other string) int {
		if strings.HasPrefix(name, other) || strings.HasPrefix(other, name) {
			return 0
		}
		return edits(name, other)
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(distance(a), distance(b)) })
	return list(names[:min(3, len(names))])
}

func list(words []string) string {
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}

// edits returns the Levenshtein distance in bytes.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitute := diagonal
			if a[i] != b[j] {
				substitute++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitute, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
