package corpus

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/exemplar"
	"go.opentelemetry.io/otel/trace"
)

// A kind is one of OpenTelemetry's seven kinds of instruments.
type kind int

const (
	counter kind = iota
	upDownCounter
	gauge
	histogram
	observableCounter
	observableUpDownCounter
	observableGauge
	kinds
)

func (k kind) observable() bool { return k >= observableCounter }

func (k kind) String() string {
	return [...]string{"counter", "up-down counter", "gauge", "histogram",
		"observable counter", "observable up-down counter", "observable gauge"}[k]
}

// sdkKinds are the kinds as views see them.
var sdkKinds = [...]sdkmetric.InstrumentKind{
	sdkmetric.InstrumentKindCounter, sdkmetric.InstrumentKindUpDownCounter, sdkmetric.InstrumentKindGauge,
	sdkmetric.InstrumentKindHistogram, sdkmetric.InstrumentKindObservableCounter,
	sdkmetric.InstrumentKindObservableUpDownCounter, sdkmetric.InstrumentKindObservableGauge,
}

// An instrument is one of a program, with the view of it.
type instrument struct {
	scope, name, unit, help string
	kind                    kind
	float                   bool // of float64, not of int64
	multi                   bool // observed by a callback of the meter, not by its own

	renamed     string                 // by the view
	keep        map[attribute.Key]bool // by the view; nil: every attribute
	aggregation sdkmetric.Aggregation  // by the view; nil: the kind's own
	other       bool                   // by the view: a reservoir of several exemplars

	series  []series
	failsAt int // the step in which its callback returns an error
}

// A series is a set of attributes, and what is measured with it in each step.
type series struct {
	attrs attribute.Set
	plan  [][]measurement
}

// A measurement is one value, and the span that is around it, if any.
type measurement struct {
	int   int64
	float float64
	span  trace.SpanContext
}

func (m measurement) context() context.Context {
	if !m.span.IsValid() {
		return context.Background()
	}
	return trace.ContextWithSpanContext(context.Background(), m.span)
}

func (m measurement) text(float bool) string {
	text := strconv.FormatInt(m.int, 10)
	if float {
		text = strconv.FormatFloat(m.float, 'g', -1, 64)
	}
	if m.span.IsValid() {
		text += " in " + m.span.TraceID().String() + " " + m.span.TraceFlags().String()
	}
	return text
}

// join gives the instrument the name that another has in Prometheus, mostly from another scope.
func (in *instrument) join(other *instrument) {
	in.name, in.renamed, in.unit, in.help, in.kind = other.name, other.renamed, other.unit, other.help, other.kind
	in.aggregation = other.aggregation
}

// apart makes the SDK keep the instrument, number i of its program, apart from those before it, unless it is made
// twice: then it has one view, and one store of series.
func (in *instrument) apart(i int, before []*instrument) {
	for _, other := range before {
		switch {
		case in.scope != other.scope || in.kind != other.kind || in.help != other.help || in.unit != other.unit:
		case in.name == other.name && in.float == other.float:
			in.renamed, in.keep, in.aggregation, in.other = other.renamed, other.keep, other.aggregation, other.other
			return
		case in.name == other.name || in.float == other.float && strings.EqualFold(in.renamed, other.renamed):
			in.help = fmt.Sprintf("Help of number %d.", i)
			return
		}
	}
}

// many adds a hundred series.
func (in *instrument) many(steps int) {
	for i := range 100 {
		s := series{attrs: attribute.NewSet(attribute.Int("number", i)), plan: make([][]measurement, steps)}
		for step := range s.plan {
			s.plan[step] = []measurement{{int: int64(i), float: float64(i) / 3}}
		}
		in.series = append(in.series, s)
	}
}

func (in *instrument) String() string {
	number := "int64"
	if in.float {
		number = "float64"
	}
	text := fmt.Sprintf("%s %s %q, unit %q, help %q", number, in.kind, in.name, in.unit, in.help)
	if in.renamed != in.name {
		text += fmt.Sprintf(", renamed %q", in.renamed)
	}
	if in.keep != nil {
		text += fmt.Sprintf(", keeps %v", in.keep)
	}
	if in.aggregation != nil {
		text += fmt.Sprintf(", as %T%v", in.aggregation, in.aggregation)
	}
	if in.failsAt >= 0 && in.kind.observable() {
		text += fmt.Sprintf(", fails in step %d", in.failsAt)
	}
	return text
}

// View is the view of all instruments: what each is renamed to, keeps and is aggregated as.
func (p *Program) View() sdkmetric.View {
	return func(i sdkmetric.Instrument) (sdkmetric.Stream, bool) {
		for _, in := range p.instruments {
			if in.sees(i) {
				s := sdkmetric.Stream{Name: in.renamed, Description: i.Description, Unit: i.Unit, Aggregation: in.aggregation}
				if in.keep != nil {
					s.AttributeFilter = func(a attribute.KeyValue) bool { return in.keep[a.Key] }
				}
				if in.other {
					s.ExemplarReservoirProviderSelector = severalExemplars
				}
				return s, true
			}
		}
		return sdkmetric.Stream{}, false
	}
}

// severalExemplars keeps four of a series, whatever its buckets.
func severalExemplars(sdkmetric.Aggregation) exemplar.ReservoirProvider {
	return exemplar.FixedSizeReservoirProvider(4)
}

func (in *instrument) sees(i sdkmetric.Instrument) bool {
	return in.scope == i.Scope.Name && in.name == i.Name && sdkKinds[in.kind] == i.Kind && in.help == i.Description && in.unit == i.Unit
}
