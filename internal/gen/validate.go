package main

import (
	"fmt"
	"go/token"
	"math"
	"slices"
	"strings"
)

// stabilities are the levels of Weaver's schema that the registry uses.
var stabilities = []string{"development", "stable"}

// checkMetric reports what is wrong with a metric apart from its references.
func (r *resolver) checkMetric(g group) {
	r.checkText(g, "", g.Brief, g.Stability)
	r.checkName(g)
	notes := g.Annotations.Stagemeter
	if notes.Value != "int" && notes.Value != "double" {
		r.errorf(g, "value %q is none of int, double", notes.Value)
	}
	if notes.Async && g.Instrument == "histogram" {
		r.errorf(g, "there is no async histogram")
	}
	if len(notes.RecordedBy) == 0 {
		r.errorf(g, "recorded_by is missing")
	}

	if _, ok := instruments[g.Instrument]; !ok {
		r.errorf(g, "instrument %q is none of %s", g.Instrument, strings.Join(sortedKeys(instruments), ", "))
		return
	}
	if g.Unit == "" {
		r.errorf(g, "unit is missing")
		return
	}
	r.checkPrometheus(g)
}

func (r *resolver) checkName(g group) {
	known := func(prefix string) bool {
		return strings.HasPrefix(g.MetricName, prefix) && g.MetricName != prefix
	}
	if !slices.ContainsFunc(metricPrefixes, known) {
		r.errorf(g, "metric_name %q begins with none of %s", g.MetricName, strings.Join(metricPrefixes, ", "))
		return
	}
	r.unique(g, "metric_name", g.MetricName)
	name := metricGoName(g.MetricName)
	if !token.IsIdentifier(name) || reserved[name] {
		r.errorf(g, "metric_name %q gives %q, which is no name for a Go type or is taken", g.MetricName, name)
	}
	r.unique(g, "Go name", name)
	r.unique(g, "Go name", "New"+name)
	if want := "metric." + g.MetricName; g.ID != want {
		r.errorf(g, "id of a metric is %q", want)
	}
}

// checkPrometheus holds the contract: the name that is written down is the one
// that Prometheus will show.
func (r *resolver) checkPrometheus(g group) {
	have := g.Annotations.Stagemeter.Prometheus
	if have == "" {
		r.errorf(g, "prometheus is missing")
		return
	}
	r.unique(g, "prometheus name", have)
	want, err := prometheusName(g.MetricName, g.Unit, g.Instrument)
	if err != nil {
		r.errorf(g, "prometheus: %w", err)
		return
	}
	if have != want {
		r.errorf(g, "prometheus is %q, but metric_name %q, unit %q and instrument %s give %q",
			have, g.MetricName, g.Unit, g.Instrument, want)
	}
}

// checkText reports a brief that would make a bad HELP, and an unknown
// stability.
func (r *resolver) checkText(g group, what, brief, stability string) {
	switch {
	case brief == "":
		r.errorf(g, "%sbrief is missing", what)
	case strings.ContainsAny(brief, "\r\n") || !strings.HasSuffix(brief, "."):
		r.errorf(g, "%sbrief %q is not one line that ends with a full stop", what, brief)
	}
	if !slices.Contains(stabilities, stability) {
		r.errorf(g, "%sstability %q is none of %s", what, stability, strings.Join(stabilities, ", "))
	}
}

// checkMembers reports what is wrong with the type of an attribute.
func (r *resolver) checkMembers(g group, a attribute) {
	if len(a.Type.Members) == 0 {
		if a.Type.Name != "string" {
			r.errorf(g, "attribute %q: type %q is neither string nor members", a.ID, a.Type.Name)
		}
		return
	}
	ids, values := map[string]bool{}, map[string]bool{}
	for _, m := range a.Type.Members {
		if m.ID == "" || m.Value == "" || m.Brief == "" {
			r.errorf(g, "attribute %q: member %q needs an id, a value and a brief", a.ID, m.ID)
		}
		if ids[m.ID] || values[m.Value] {
			r.errorf(g, "attribute %q: member %q with value %q is there twice", a.ID, m.ID, m.Value)
		}
		ids[m.ID], values[m.Value] = true, true
	}
}

// checkBounds reports boundaries that an SDK would refuse or sort. An infinite
// bucket is implied, so it can't be one of them.
func (r *resolver) checkBounds(g group, name string, bounds []float64) {
	if name != "" {
		name = " " + name
	}
	if len(bounds) == 0 {
		r.errorf(g, "buckets%s: the list is empty", name)
	}
	for i, b := range bounds {
		if math.IsNaN(b) || math.IsInf(b, 0) {
			r.errorf(g, "buckets%s: %v is not finite", name, b)
		}
		if i > 0 && b <= bounds[i-1] {
			r.errorf(g, "buckets%s: %v does not come after %v", name, b, bounds[i-1])
		}
	}
}

// unused reports what no metric refers to.
func (r *resolver) unused() {
	var gone []string
	for key := range r.attrs {
		if !r.used[key] {
			gone = append(gone, "attribute "+key)
		}
	}
	for name := range r.buckets {
		if !r.used["buckets:"+name] {
			gone = append(gone, "bucket list "+name)
		}
	}
	slices.Sort(gone)
	for _, what := range gone {
		r.errs = append(r.errs, fmt.Errorf("no metric uses %s", what))
	}
}
