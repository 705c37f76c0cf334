package alerts

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// reader reads a value of the settings; its error says what is allowed.
type reader func(text string) (any, error)

// readers has a reader for each key that has no keys below it.
var readers = map[string]reader{
	"age":            span,
	"collector":      pattern,
	"enabled":        truth,
	"factor":         positive,
	"for":            spanOrNone,
	"long":           span,
	"min":            number,
	"monthly_budget": positive,
	"objective":      share,
	"period":         span,
	"prometheus":     pattern,
	"quantile":       share,
	"runbooks":       address,
	"severity":       severity,
	"short":          span,
	"threshold":      number,
	"window":         span,
	"worker":         pattern,
}

// merger lays a user's settings over the defaults, which also are the list of what there is, and gathers errors.
type merger struct{ errs []error }

func (m *merger) err() error { return errors.Join(m.errs...) }

func (m *merger) errorf(n *yaml.Node, path, format string, args ...any) {
	where := ""
	if n != nil {
		where = fmt.Sprintf("line %d: ", n.Line)
	}
	m.errs = append(m.errs, errors.New(where+path+": "+fmt.Sprintf(format, args...)))
}

// merge returns what is under path. Either node may be nil, user where nothing is overridden.
func (m *merger) merge(path string, base, user *yaml.Node) values {
	given := m.children(path, user)
	known := m.children(path, base)
	if strings.HasPrefix(path, "alerts.") && known["enabled"] == nil {
		known["enabled"] = &yaml.Node{Kind: yaml.ScalarNode, Value: "true"}
	}
	for _, key := range slices.Sorted(maps.Keys(given)) {
		if known[key] == nil {
			kind := "key"
			if path == "alerts" {
				kind = "alert"
			}
			m.errorf(given[key], join(path, key), "unknown %s; allowed: %s", kind,
				strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
	}
	merged := values{}
	for _, key := range slices.Sorted(maps.Keys(known)) {
		if known[key].Kind == yaml.MappingNode {
			merged[key] = m.merge(join(path, key), known[key], given[key])
			continue
		}
		node := known[key]
		if given[key] != nil {
			node = given[key]
		}
		merged[key] = m.leaf(join(path, key), key, node)
	}
	return merged
}

// children returns the nodes of a mapping by key.
func (m *merger) children(path string, n *yaml.Node) map[string]*yaml.Node {
	found := map[string]*yaml.Node{}
	if n == nil || n.Tag == "!!null" {
		return found
	}
	if n.Kind != yaml.MappingNode {
		m.errorf(n, join(path, ""), "%q; allowed: keys with values", n.Value)
		return found
	}
	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i]
		if found[key.Value] != nil {
			m.errorf(key, join(path, key.Value), "given twice")
		}
		found[key.Value] = n.Content[i+1]
	}
	return found
}

func (m *merger) leaf(path, key string, n *yaml.Node) any {
	if n.Kind != yaml.ScalarNode {
		m.errorf(n, path, "a list or a map; allowed: one value")
		return nil
	}
	v, err := readers[key](n.Value)
	if err != nil {
		m.errorf(n, path, "%v", err)
	}
	return v
}

func join(path, key string) string {
	switch {
	case path == "" && key == "":
		return "the file"
	case path == "":
		return key
	case key == "":
		return path
	default:
		return path + "." + key
	}
}

func number(s string) (any, error) {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || !(v >= 0 && v < 1e15) {
		return nil, fmt.Errorf("%q; allowed: a number from 0 up", s)
	}
	return v, nil
}

func positive(s string) (any, error) {
	if v, err := number(s); err == nil && v.(float64) > 0 {
		return v, nil
	}
	return nil, fmt.Errorf("%q; allowed: a number above 0", s)
}

func share(s string) (any, error) {
	if v, err := positive(s); err == nil && v.(float64) < 1 {
		return v, nil
	}
	return nil, fmt.Errorf("%q; allowed: a number between 0 and 1, both excluded", s)
}

func spanOrNone(s string) (any, error) { return ParseDuration(s) }

func span(s string) (any, error) {
	d, err := ParseDuration(s)
	if err == nil && d == 0 {
		err = fmt.Errorf("%q; allowed: a duration above 0, as in 5m", s)
	}
	return d, err
}

func truth(s string) (any, error) {
	if s != "true" && s != "false" {
		return nil, fmt.Errorf("%q; allowed: true, false", s)
	}
	return s == "true", nil
}

func severity(s string) (any, error) {
	if !slices.Contains([]string{"critical", "warning", "info", "none"}, s) {
		return nil, fmt.Errorf("%q; allowed: critical, warning, info, none", s)
	}
	return s, nil
}

func pattern(s string) (any, error) {
	if _, err := regexp.Compile(s); err != nil || s == "" {
		return nil, fmt.Errorf("%q; allowed: a regular expression in RE2 syntax", s)
	}
	return s, nil
}

func address(s string) (any, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.Fragment != "" {
		return nil, fmt.Errorf("%q; allowed: an http or https address without #", s)
	}
	return s, nil
}
