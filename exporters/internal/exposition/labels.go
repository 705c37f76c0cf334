package exposition

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/common/model"
	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/otel/attribute"
)

// A label is one pair of a series or an exemplar.
type label struct{ name, value string }

// labels prints attributes as the labels of a series, sorted by name. The values of keys that
// become the same name are joined by semicolons, as the specification says:
// https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#metric-attributes
func labels(attrs *attribute.Set) (string, error) {
	values := make(map[string][]string, attrs.Len())
	for it := attrs.Iter(); it.Next(); {
		kv := it.Attribute()
		name, err := labelName(kv.Key)
		if err != nil {
			return "", err
		}
		values[name] = append(values[name], kv.Value.String())
	}
	pairs := make([]label, 0, len(values))
	for name, v := range values {
		slices.Sort(v)
		pairs = append(pairs, label{name, strings.Join(v, ";")})
	}
	for _, p := range pairs {
		if err := p.check(); err != nil {
			return "", err
		}
	}
	return join(pairs), nil
}

func labelName(key attribute.Key) (string, error) {
	return (&otlptranslator.LabelNamer{}).Build(string(key))
}

// check returns an error if Prometheus would not accept a label.
func (l label) check() error {
	switch {
	case strings.HasPrefix(l.name, model.ReservedLabelPrefix) || !model.LegacyValidation.IsValidLabelName(l.name):
		return fmt.Errorf("%q is not the name of a label", l.name)
	case !utf8.ValidString(l.value):
		return fmt.Errorf("the label %s is not UTF-8: %q", l.name, l.value)
	default:
		return nil
	}
}

// join sorts labels and prints them.
func join(pairs []label) string {
	slices.SortFunc(pairs, func(a, b label) int { return cmp.Compare(a.name, b.name) })
	var b strings.Builder
	for i, p := range pairs {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(p.name)
		b.WriteString(`="`)
		_, _ = valueEscaper.WriteString(&b, p.value) // never fails
		b.WriteByte('"')
	}
	return b.String()
}
