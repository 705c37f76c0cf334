package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"
)

// resolver collects the registry and every error on the way, so that one run
// shows all that is wrong.
type resolver struct {
	reg     registry
	attrs   map[string]*attr
	enums   map[string]*enum
	buckets map[string][]float64 // shared lists
	used    map[string]bool      // attribute keys and "buckets:" names that metrics use
	seen    map[string]string    // names that have to be unique, and where they were seen
	errs    []error
}

// resolve follows the references of groups and validates them.
func resolve(groups []group) (*registry, error) {
	r := &resolver{
		attrs:   map[string]*attr{},
		enums:   map[string]*enum{},
		buckets: map[string][]float64{},
		used:    map[string]bool{},
		seen:    map[string]string{},
	}
	for _, g := range groups {
		r.unique(g, "group id", g.ID)
		switch g.Type {
		case "attribute_group":
			r.attributeGroup(g)
		case "metric":
		default:
			r.errorf(g, "type %q is none of attribute_group, metric", g.Type)
		}
	}
	for _, g := range groups {
		if g.Type == "metric" {
			r.metric(g)
		}
	}
	r.unused()
	if err := errors.Join(r.errs...); err != nil {
		return nil, err
	}
	r.sort()
	return &r.reg, nil
}

func (r *resolver) errorf(g group, format string, args ...any) {
	r.errs = append(r.errs, fmt.Errorf("%s: %s: %w", g.file, g.ID, fmt.Errorf(format, args...)))
}

// unique reports a second use of name as one kind of thing.
func (r *resolver) unique(g group, kind, name string) {
	if name == "" {
		return
	}
	key := kind + "\x00" + name
	if first, ok := r.seen[key]; ok {
		r.errorf(g, "%s %q is already taken by %s", kind, name, first)
		return
	}
	r.seen[key] = g.ID
}

func (r *resolver) attributeGroup(g group) {
	r.sharedBuckets(g)
	for _, a := range g.Attributes {
		r.attribute(g, a)
	}
}

// sharedBuckets reads the lists that metrics refer to by name.
func (r *resolver) sharedBuckets(g group) {
	node := g.Annotations.Stagemeter.Buckets
	if node.IsZero() {
		return
	}
	lists := map[string][]float64{}
	if err := node.Decode(&lists); err != nil {
		r.errorf(g, "buckets: %w", err)
		return
	}
	for _, name := range sortedKeys(lists) {
		r.unique(g, "bucket list", name)
		r.checkBounds(g, name, lists[name])
		r.buckets[name] = lists[name]
	}
}

func (r *resolver) attribute(g group, a attribute) {
	if a.ID == "" {
		r.errorf(g, "an attribute of an attribute_group needs an id")
		return
	}
	label, err := prometheusLabel(a.ID)
	if err != nil {
		r.errorf(g, "attribute %q: %w", a.ID, err)
		return
	}
	r.unique(g, "attribute", a.ID)
	r.unique(g, "attribute label", label)
	r.checkText(g, fmt.Sprintf("attribute %q: ", a.ID), a.Brief, a.Stability)
	r.checkMembers(g, a)

	def := &attr{
		Key:       a.ID,
		GoName:    goName(a.ID),
		Label:     label,
		Stability: a.Stability,
		Brief:     a.Brief,
		Note:      a.Note,
		Examples:  a.Examples,
		Members:   a.Type.Members,
		GoType:    a.Annotations.Stagemeter.GoType,
	}
	r.attrs[a.ID] = def
	r.reg.Attributes = append(r.reg.Attributes, def)
}

func (r *resolver) metric(g group) {
	r.checkMetric(g)
	notes := g.Annotations.Stagemeter
	m := &metric{
		File:       g.file,
		Name:       g.MetricName,
		GoName:     metricGoName(g.MetricName),
		Instrument: g.Instrument,
		Double:     notes.Value == "double",
		Async:      notes.Async,
		Unit:       g.Unit,
		Stability:  g.Stability,
		Brief:      g.Brief,
		Note:       g.Note,
		Prometheus: notes.Prometheus,
		RecordedBy: notes.RecordedBy,
		Buckets:    r.metricBuckets(g),
	}
	seen := map[string]bool{}
	for _, ref := range g.Attributes {
		if seen[ref.Ref] {
			r.errorf(g, "attribute %q is referred to twice", ref.Ref)
			continue
		}
		seen[ref.Ref] = true
		if a, ok := r.ref(g, ref); ok {
			m.Attrs = append(m.Attrs, a)
		}
	}
	r.reg.Metrics = append(r.reg.Metrics, m)
}

// metricBuckets returns the boundaries of a histogram: a shared list, or one
// of its own that is named after it.
func (r *resolver) metricBuckets(g group) *buckets {
	node := g.Annotations.Stagemeter.Buckets
	switch {
	case node.IsZero():
		if g.Instrument == "histogram" {
			r.errorf(g, "a histogram needs buckets")
		}
		return nil
	case g.Instrument != "histogram":
		r.errorf(g, "a %s has no buckets", g.Instrument)
		return nil
	}

	var b buckets
	if node.Kind == yaml.ScalarNode {
		bounds, ok := r.buckets[node.Value]
		if !ok {
			r.errorf(g, "there is no bucket list %q; there are %v", node.Value, sortedKeys(r.buckets))
			return nil
		}
		r.used["buckets:"+node.Value] = true
		b = newBuckets(node.Value, bounds)
	} else {
		var bounds []float64
		if err := node.Decode(&bounds); err != nil {
			r.errorf(g, "buckets: %w", err)
			return nil
		}
		r.checkBounds(g, "", bounds)
		b = newBuckets(trimPrefix(g.MetricName), bounds)
	}
	if !slices.ContainsFunc(r.reg.Buckets, func(have buckets) bool { return have.GoName == b.GoName }) {
		r.reg.Buckets = append(r.reg.Buckets, b)
	}
	return &b
}

func newBuckets(name string, bounds []float64) buckets {
	return buckets{Name: name, GoName: goParam(name) + "Buckets", Bounds: bounds}
}

// ref resolves one attribute of a metric.
func (r *resolver) ref(g group, ref attribute) (metricAttr, bool) {
	if ref.Ref == "" {
		r.errorf(g, "attribute %q: a metric takes attributes by ref", ref.ID)
		return metricAttr{}, false
	}
	def, ok := r.attrs[ref.Ref]
	if !ok {
		r.errorf(g, "ref %q is no attribute of the registry", ref.Ref)
		return metricAttr{}, false
	}
	r.used[def.Key] = true
	if ref.RequirementLevel != "required" && ref.RequirementLevel != "opt_in" {
		r.errorf(g, "ref %q: requirement_level %q is none of required, opt_in", def.Key, ref.RequirementLevel)
	}

	a := metricAttr{
		attr:    def,
		OptIn:   ref.RequirementLevel == "opt_in",
		RefNote: ref.Note,
	}
	notes := ref.Annotations.Stagemeter
	a.GoType = cmp.Or(notes.GoType, def.GoType)
	if len(def.Members) == 0 {
		if a.GoType != "" || notes.Members != nil || notes.Open {
			r.errorf(g, "ref %q: go_type, members and open are for attributes with a closed set of values", def.Key)
		}
		return a, true
	}
	if a.GoType == "" {
		r.errorf(g, "ref %q: a closed set of values needs a go_type", def.Key)
		return a, true
	}
	a.Values = r.enumValues(g, def, a.GoType, notes.Members)
	if notes.Open {
		a.GoType, a.Values, a.Known = "", nil, a.Values
	}
	return a, true
}

// enumValues returns the values of the members with the given ids, or of all if there are none, in
// the order of the definition. It adds these members to the Go type, or all if it is the
// attribute's own type.
func (r *resolver) enumValues(g group, def *attr, goType string, ids []string) []string {
	e := r.enums[goType]
	if e == nil {
		e = &enum{GoType: goType, Attr: def}
		r.enums[goType] = e
		r.reg.Enums = append(r.reg.Enums, e)
	}
	if e.Attr != def {
		r.errorf(g, "go_type %s is of attribute %q and can't be of %q too", goType, e.Attr.Key, def.Key)
		return nil
	}
	for _, id := range ids {
		if !slices.ContainsFunc(def.Members, func(m member) bool { return m.ID == id }) {
			r.errorf(g, "ref %q: there is no member %q", def.Key, id)
		}
	}
	var values []string
	for _, m := range def.Members {
		taken := ids == nil || slices.Contains(ids, m.ID)
		if !taken && goType != def.GoType {
			continue
		}
		if taken {
			values = append(values, m.Value)
		}
		em := enumMember{GoName: goType + goName(m.ID), Value: m.Value, Brief: m.Brief}
		if !slices.Contains(e.Members, em) {
			e.Members = append(e.Members, em)
		}
	}
	return values
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// sort brings what has no order of its own into one.
func (r *resolver) sort() {
	slices.SortFunc(r.reg.Attributes, func(a, b *attr) int { return cmp.Compare(a.Key, b.Key) })
	slices.SortFunc(r.reg.Enums, func(a, b *enum) int { return cmp.Compare(a.GoType, b.GoType) })
	for _, e := range r.reg.Enums {
		order := func(m enumMember) int {
			return slices.IndexFunc(e.Attr.Members, func(d member) bool { return d.Value == m.Value })
		}
		slices.SortFunc(e.Members, func(a, b enumMember) int { return cmp.Compare(order(a), order(b)) })
	}
}
