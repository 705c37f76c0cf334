package corpus

import (
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/trace"
)

// A Program is what some program measures, in steps; it is scraped after each.
type Program struct {
	Resource    []attribute.KeyValue
	Cardinality int // the limit of series; 0: the default
	Steps       int

	instruments []*instrument
}

// bridge is a scope that the upstream exporter leaves out.
const bridge = "go.opentelemetry.io/contrib/bridges/prometheus"

// New makes a program from bytes, whatever they are.
func New(data []byte) *Program {
	s := &source{data: data}
	s.wild = s.rarely(3)
	p := &Program{Steps: 1 + s.below(3)}
	scopes := either(s, []string{"a", "b", "c"}, []string{"a", "a", "b", "c", bridge})
	scopes = scopes[:1+s.below(len(scopes))]
	if s.rarely(12) {
		p.Cardinality = 3
	}
	for range s.below(4) {
		p.Resource = append(p.Resource, s.attribute(2))
	}
	for i := range s.below(12) {
		in := s.instrument(i, pick(s, scopes))
		var own []attribute.KeyValue
		if i > 0 && s.rarely(5) { // more series for another instrument
			in.join(p.instruments[s.below(i)])
			own = append(own, attribute.Int("number", i))
		}
		in.apart(i, p.instruments)
		for range 1 + s.below(4) {
			in.series = append(in.series, s.series(p.Steps, own))
		}
		if s.rarely(40) {
			in.many(p.Steps)
		}
		if in.failsAt = -1; s.rarely(20) {
			in.failsAt = s.below(p.Steps)
		}
		p.instruments = append(p.instruments, in)
	}
	return p
}

// instrument chooses the instrument number i.
func (s *source) instrument(i int, scope string) *instrument {
	in := &instrument{
		scope: scope,
		name:  fmt.Sprintf("metric.%d", i),
		unit:  pick(s, units),
		help:  pick(s, helps),
		kind:  kind(s.below(int(kinds))),
		float: s.rarely(2),
		multi: s.rarely(2),
		other: s.rarely(4),
	}
	if s.wild && s.rarely(4) {
		in.name, in.unit = pick(s, collidingNames), ""
	} else if s.rarely(3) {
		in.name = pick(s, either(s, strangeNames, wildNames))
	}
	in.renamed = in.name
	if s.rarely(10) {
		in.renamed = pick(s, either(s, strangeNames, wildNames))
	}
	if s.rarely(3) {
		in.keep = map[attribute.Key]bool{}
		for _, k := range plainKeys[:s.below(3)] {
			in.keep[attribute.Key(k)] = true
		}
	}
	if in.kind == histogram || !in.kind.observable() && s.rarely(12) {
		in.aggregation = s.aggregation(in.kind)
	} else if s.rarely(20) {
		in.aggregation = sdkmetric.AggregationDrop{}
	}
	return in
}

// aggregation chooses that of a histogram, or makes another instrument one.
func (s *source) aggregation(k kind) sdkmetric.Aggregation {
	switch s.below(5) {
	case 0:
		return nil
	case 1:
		if !s.wild {
			return nil
		}
		return sdkmetric.AggregationBase2ExponentialHistogram{
			MaxSize: pick(s, []int32{160, 4, 2}), MaxScale: pick(s, []int32{20, 8, 0, -5}), NoMinMax: s.rarely(2),
		}
	case 2:
		if k == histogram {
			return sdkmetric.AggregationSum{}
		}
	}
	return sdkmetric.AggregationExplicitBucketHistogram{Boundaries: pick(s, either(s, strangeBounds, wildBounds)), NoMinMax: s.rarely(2)}
}

// series chooses attributes, beside those that it is given, and what is measured with them in each step.
func (s *source) series(steps int, attrs []attribute.KeyValue) series {
	attrs = slices.Clip(attrs)
	for range s.below(4) {
		attrs = append(attrs, s.attribute(3))
	}
	all := series{attrs: attribute.NewSet(attrs...), plan: make([][]measurement, steps)}
	for step := range all.plan {
		for range s.below(4) {
			all.plan[step] = append(all.plan[step], s.measurement())
		}
	}
	return all
}

// attribute chooses one; a part of it is hostile once in n.
func (s *source) attribute(n int) attribute.KeyValue {
	a := attribute.KeyValue{Key: attribute.Key(pick(s, plainKeys)), Value: attribute.StringValue(pick(s, plainTexts))}
	if s.rarely(n) {
		a.Key = attribute.Key(pick(s, either(s, strangeKeys, wildKeys)))
	}
	switch {
	case s.rarely(n):
		a.Value = attribute.StringValue(pick(s, either(s, strangeTexts, wildTexts)))
	case s.rarely(n):
		a.Value = pick(s, otherValues)
	}
	return a
}

// measurement chooses a value, and the span that is around it.
func (s *source) measurement() measurement {
	m := measurement{int: pick(s, ints), float: pick(s, floats)}
	switch s.below(4) {
	case 1:
		m.span = newSpan(s, trace.FlagsSampled)
	case 2:
		m.span = newSpan(s, 0)
	}
	return m
}

func newSpan(s *source, flags trace.TraceFlags) trace.SpanContext {
	c := trace.SpanContextConfig{TraceFlags: flags}
	c.TraceID[0], c.TraceID[15] = byte(s.below(256)), 1
	c.SpanID[0], c.SpanID[7] = byte(s.below(256)), 1
	return trace.NewSpanContext(c)
}

// String tells what the program does, for who has to find out why a test failed.
func (p *Program) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "resource %q, cardinality %d, %d steps\n", p.Resource, p.Cardinality, p.Steps)
	for _, in := range p.instruments {
		fmt.Fprintf(&b, "scope %q: %s\n", in.scope, in)
		for _, s := range in.series {
			fmt.Fprintf(&b, "    %q:", s.attrs.ToSlice())
			for step, ms := range s.plan {
				fmt.Fprintf(&b, " step %d", step)
				for _, m := range ms {
					fmt.Fprintf(&b, " %s", m.text(in.float))
				}
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}
