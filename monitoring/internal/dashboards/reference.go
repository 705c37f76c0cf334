package dashboards

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/stagemeter/stagemeter/internal/registry"
)

// reference is how a query names a metric: @jobs, @jobs{status="failed"}, @duration:bucket{stage=~"$stage"}. The name
// is that of the registry without its namespace, or one of foreign; a histogram's has :bucket, :count or :sum. The
// matchers of job and instance are put before those that are given. @@jobs puts none: for the variables themselves.
// @any is a selector without a name; its label __name__ takes names as above.
var reference = regexp.MustCompile(`(@@?)([A-Za-z_][A-Za-z0-9_.]*)(:[a-z]+)?(\{[^}]*\})?`)

var (
	matching = regexp.MustCompile(`([a-z_][a-z0-9_]*)(=~|!=|!~|=)"([^"]*)"`)
	grouping = regexp.MustCompile(`\b(?:by|without|on|ignoring|group_left|group_right) ?\(([^)]*)\)`)
	naming   = regexp.MustCompile(`\{\{ ?([A-Za-z_][A-Za-z0-9_]*) ?\}\}`)
)

// chosen are the matchers of the variables job and instance.
const chosen = `job=~"$job", instance=~"$instance"`

// expand gives an expression as Prometheus has it, and the names of the metrics in it. The labels that it groups by,
// and those in legend, have to be labels of these metrics.
func (c catalog) expand(expr, legend string) (string, []string, error) {
	var errs []error
	used := make(map[string]bool)
	labels := map[string]bool{"": true, "job": true, "instance": true, "__name__": true}
	expanded := reference.ReplaceAllStringFunc(expr, func(ref string) string {
		parts := reference.FindStringSubmatch(ref)
		selector, err := c.selector(parts[1] == "@@", parts[2], parts[3], strings.Trim(parts[4], "{}"), labels)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", ref, err))
		}
		used[parts[2]] = true
		return selector
	})
	for _, group := range grouping.FindAllStringSubmatch(expr, -1) {
		for label := range strings.SplitSeq(group[1], ",") {
			if label = strings.TrimSpace(label); !labels[label] {
				errs = append(errs, fmt.Errorf("groups by %s, which no metric in it has", label))
			}
		}
	}
	for _, name := range naming.FindAllStringSubmatch(legend, -1) {
		if !labels[name[1]] {
			errs = append(errs, fmt.Errorf("legend %q: no metric has %s", legend, name[1]))
		}
	}
	for _, prefix := range []string{"video_processing_", "gen_ai_client_"} {
		if strings.Contains(expr, prefix) {
			errs = append(errs, fmt.Errorf("names a metric by %s and not by the registry", prefix))
		}
	}
	if len(used) == 0 {
		errs = append(errs, errors.New("names no metric"))
	}
	if err := errors.Join(errs...); err != nil {
		return "", nil, fmt.Errorf("%s: %w", expr, err)
	}
	return expanded, slices.Sorted(maps.Keys(used)), nil
}

// selector gives the selector of one reference, and adds the labels that its series have.
func (c catalog) selector(bare bool, name, part, matchers string, labels map[string]bool) (string, error) {
	m, ok := c[name]
	if !ok {
		return "", errors.New("no such metric")
	}
	histogram := m.kind == registry.KindHistogram
	switch part {
	case "":
		if histogram {
			return "", errors.New("a histogram needs :bucket, :count or :sum")
		}
	case ":bucket", ":count", ":sum":
		if !histogram {
			return "", errors.New("not a histogram")
		}
	default:
		return "", fmt.Errorf("no such part %s", part)
	}
	for label := range m.labels {
		labels[label] = true
	}
	if part == ":bucket" {
		labels["le"] = true
	}
	rest := matching.ReplaceAllString(matchers, "")
	if strings.Trim(rest, ", ") != "" {
		return "", fmt.Errorf("matchers {%s} are not understood", matchers)
	}
	var kept []string
	if !bare {
		kept = append(kept, chosen)
	}
	for _, match := range matching.FindAllStringSubmatch(matchers, -1) {
		label, value := match[1], match[3]
		if _, ok := m.labels[label]; !ok && label != "job" {
			return "", fmt.Errorf("has no label %s", label)
		}
		if !m.allows(label, value) {
			return "", fmt.Errorf("%s is never %q", label, value)
		}
		if label == "__name__" {
			var err error
			if value, err = c.alternatives(value); err != nil {
				return "", err
			}
		}
		kept = append(kept, label+match[2]+`"`+value+`"`)
	}
	selector := m.prometheus + strings.Replace(part, ":", "_", 1)
	if len(kept) > 0 {
		selector += "{" + strings.Join(kept, ", ") + "}"
	}
	return selector, nil
}

// alternatives gives the names of metrics, with a bar between them, as Prometheus has them.
func (c catalog) alternatives(names string) (string, error) {
	var known []string
	for name := range strings.SplitSeq(names, "|") {
		m, ok := c[name]
		if !ok {
			return "", fmt.Errorf("no metric %s", name)
		}
		known = append(known, m.prometheus)
	}
	return strings.Join(known, "|"), nil
}
