package alerts

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/stagemeter/stagemeter/internal/registry"
)

// scope holds the functions of one rule's templates, and which metrics they have named:
//
//	metric "video.processing.jobs{status='failed'}"    a selector in PromQL, for all but histograms
//	count "video.processing.ratio"                     the _count of a histogram
//	buckets "video.processing.ratio"                   its _bucket series, all of them
//	bucket "video.processing.ratio" 2.0                its bucket up to a boundary, in both spellings of le
//	selfrates "otelcol_receiver_refused" JOB WINDOW    rates of one of the collector's own metrics, of all signals
//	workers                                            matchers of label job, one for each name of jobs.worker
//	quote, times                                       a string in quotes; 30d by 1d as 30
//	percent, share, rest                               0.05 as 5%; 0.95 as 5%, what is left; 0.99 as 0.01
type scope struct {
	worker string
	used   []registry.Metric
}

func (s *scope) functions() template.FuncMap {
	return template.FuncMap{
		"metric":    s.metric,
		"count":     func(ref string) (string, error) { return s.histogram(ref, "_count") },
		"buckets":   func(ref string) (string, error) { return s.histogram(ref, "_bucket") },
		"bucket":    s.bucket,
		"selfrates": selfrates,
		"workers":   func() []string { return jobMatchers(s.worker) },
		"quote":     strconv.Quote,
		"percent":   func(v float64) string { return format(100*v) + "%" },
		"share":     func(v float64) string { return format(100*(1-v)) + "%" },
		"rest":      func(v float64) string { return format(1 - v) },
		"times":     func(a, b Duration) string { return format(float64(a) / float64(b)) },
	}
}

// format drops the noise that binary fractions have past the tenth digit.
func format(v float64) string {
	v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', 10, 64), 64)
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// findMetric returns the registry's entry for an OTel name.
func findMetric(name string) (registry.Metric, error) {
	for _, m := range registry.Metrics() {
		if m.Name == name {
			return m, nil
		}
	}
	return registry.Metric{}, fmt.Errorf("the registry has no metric %q", name)
}

var (
	refPattern     = regexp.MustCompile(`^([a-z0-9_.]+)(?:\{(.*)\})?$`)
	matcherPattern = regexp.MustCompile(`^([a-z_]+)(=~|!~|!=|=)'([^']*)'$`)
)

// resolve reads a reference and returns its metric and its matchers in PromQL.
func (s *scope) resolve(ref string) (registry.Metric, []string, error) {
	parts := refPattern.FindStringSubmatch(ref)
	if parts == nil {
		return registry.Metric{}, nil, fmt.Errorf("%q is no reference to a metric", ref)
	}
	m, err := findMetric(parts[1])
	if err != nil {
		return m, nil, err
	}
	var matchers []string
	for text := range strings.SplitSeq(parts[2], ",") {
		if text == "" {
			continue
		}
		match := matcherPattern.FindStringSubmatch(text)
		if match == nil {
			return m, nil, fmt.Errorf("%q in %s is no matcher", text, ref)
		}
		if err := checkMatcher(m, match[1], match[3]); err != nil {
			return m, nil, err
		}
		matchers = append(matchers, match[1]+match[2]+strconv.Quote(match[3]))
	}
	s.used = append(s.used, m)
	return m, matchers, nil
}

// checkMatcher finds a label that m does not have, or values that its label never takes. A pattern is taken for a
// list of values.
func checkMatcher(m registry.Metric, label, pattern string) error {
	i := slices.IndexFunc(m.Attributes, func(a registry.Attribute) bool { return a.Label == label })
	if i < 0 {
		return fmt.Errorf("%s has no label %q", m.Name, label)
	}
	for value := range strings.SplitSeq(pattern, "|") {
		if known := m.Attributes[i].Values; known != nil && !slices.Contains(known, value) {
			return fmt.Errorf("label %s of %s is never %q; allowed: %s", label, m.Name, value, strings.Join(known, ", "))
		}
	}
	return nil
}

// metric also takes matchers of Prometheus's own labels, as workers returns them.
func (s *scope) metric(ref string, more ...string) (string, error) {
	m, matchers, err := s.resolve(ref)
	if err == nil && m.Kind == registry.KindHistogram {
		err = fmt.Errorf("%s is a histogram: use count, buckets or bucket", m.Name)
	}
	return selector(m.Prometheus, append(matchers, more...)), err
}

func (s *scope) histogram(ref, suffix string, more ...string) (string, error) {
	m, matchers, err := s.resolve(ref)
	if err == nil && m.Kind != registry.KindHistogram {
		err = fmt.Errorf("%s is no histogram", m.Name)
	}
	return selector(m.Prometheus+suffix, append(matchers, more...)), err
}

// bucket selects by le, which a scrape stores as "2.0" and Prometheus's OTLP receiver as "2".
func (s *scope) bucket(ref string, boundary float64) (string, error) {
	le := "le=" + strconv.Quote(format(boundary))
	if boundary == float64(int64(boundary)) {
		le = "le=~" + strconv.Quote(format(boundary)+`(\.0)?`)
	}
	text, err := s.histogram(ref, "_bucket", le)
	if err == nil && !slices.Contains(s.used[len(s.used)-1].Buckets, boundary) {
		err = fmt.Errorf("%v is no boundary of %s", boundary, ref)
	}
	return text, err
}

func selector(name string, matchers []string) string {
	if len(matchers) == 0 {
		return name
	}
	return name + "{" + strings.Join(matchers, ", ") + "}"
}

// selfrates joins the rates of a metric that the collector has for each signal, with and without the _total that
// some versions of it leave out. One selector for all of them would fail: rate drops the name, and what is left is the
// same for each.
func selfrates(prefix, job string, window Duration) string {
	var rates []string
	for _, signal := range []string{"metric_points", "spans", "log_records"} {
		name := prefix + "_" + signal
		matcher := fmt.Sprintf(`{job=~%q}[%s]`, job, window)
		rates = append(rates, fmt.Sprintf("label_replace(\n    rate(%s_total%s)\n    or rate(%s%s),\n    %q, %q, \"\", \"\")",
			name, matcher, name, matcher, "metric", name))
	}
	return strings.Join(rates, "\n  or ")
}

var literal = regexp.MustCompile(`^[A-Za-z0-9_./:-]+$`)

// jobMatchers returns a matcher for each of the names in a pattern such as a|b, so that absent() knows which name is
// missing; for any other pattern one for the whole.
func jobMatchers(pattern string) []string {
	var matchers []string
	for name := range strings.SplitSeq(pattern, "|") {
		if !literal.MatchString(name) || strings.Contains(name, ".") {
			return []string{"job=~" + strconv.Quote(pattern)}
		}
		matchers = append(matchers, "job="+strconv.Quote(name))
	}
	return matchers
}
