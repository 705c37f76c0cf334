package instruments

import (
	"context"
	"reflect"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/stagemeter/stagemeter/internal/registry"
)

// required returns the attributes that every measurement of m carries.
func required(m registry.Metric) []registry.Attribute {
	var found []registry.Attribute
	for _, a := range m.Attributes {
		if !a.OptIn {
			found = append(found, a)
		}
	}
	return found
}

// combinations returns every combination of values of the required attributes of m: all values of a closed set, one of
// an open set. Without attributes it is one empty combination.
func combinations(m registry.Metric) [][]string {
	all := [][]string{nil}
	for _, a := range required(m) {
		values := a.Values
		if values == nil {
			values = []string{"some " + a.Label}
		}
		var longer [][]string
		for _, c := range all {
			for _, v := range values {
				longer = append(longer, append(c[:len(c):len(c)], v))
			}
		}
		all = longer
	}
	return all
}

// attributesOf returns the attributes of m with the values of one combination.
func attributesOf(m registry.Metric, values []string) attribute.Set {
	var kvs []attribute.KeyValue
	for i, a := range required(m) {
		kvs = append(kvs, a.Key.String(values[i]))
	}
	return attribute.NewSet(kvs...)
}

// with calls the method With of a synchronous instrument. Its parameters are strings, or types made of them.
func with(t *testing.T, instrument any, values []string) metric.MeasurementOption {
	t.Helper()
	method := reflect.ValueOf(instrument).MethodByName("With")
	if !method.IsValid() || method.Type().NumIn() != len(values) {
		t.Fatalf("%T has no With for %d attributes", instrument, len(values))
	}
	var args []reflect.Value
	for i, v := range values {
		args = append(args, reflect.ValueOf(v).Convert(method.Type().In(i)))
	}
	return method.Call(args)[0].Interface().(metric.MeasurementOption)
}

// recordAll makes every instrument of the registry with meter and gives it a value for each combination of values.
func recordAll(t *testing.T, meter metric.Meter) {
	t.Helper()
	for _, m := range registry.Metrics() {
		instrument, err := constructors[m.Name](meter)
		if err != nil {
			t.Fatal(err)
		}
		if m.Async {
			observe(t, meter, m, instrument)
			continue
		}
		for _, values := range combinations(m) {
			option := metric.WithAttributes()
			if len(values) > 0 {
				option = with(t, instrument, values)
			}
			record(t, instrument, option)
		}
	}
}

// record gives a synchronous instrument the value 1.
func record(t *testing.T, instrument any, option metric.MeasurementOption) {
	t.Helper()
	ctx := context.Background()
	switch i := instrument.(type) {
	case interface {
		Add(context.Context, int64, ...metric.AddOption)
	}:
		i.Add(ctx, 1, option)
	case interface {
		Add(context.Context, float64, ...metric.AddOption)
	}:
		i.Add(ctx, 1, option)
	case interface {
		Record(context.Context, int64, ...metric.RecordOption)
	}:
		i.Record(ctx, 1, option)
	case interface {
		Record(context.Context, float64, ...metric.RecordOption)
	}:
		i.Record(ctx, 1, option)
	default:
		t.Fatalf("%T records nothing", instrument)
	}
}

// observe registers a callback that gives an observable instrument the value 1. Without a meter it only looks at the
// instrument.
func observe(t *testing.T, meter metric.Meter, m registry.Metric, instrument any) {
	t.Helper()
	observable, ok := instrument.(metric.Observable)
	if !ok {
		t.Fatalf("%s: %T is no observable instrument", m.Name, instrument)
	}
	if meter == nil {
		return
	}
	_, err := meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for _, values := range combinations(m) {
			option := metric.WithAttributeSet(attributesOf(m, values))
			switch i := observable.(type) {
			case metric.Int64Observable:
				o.ObserveInt64(i, 1, option)
			case metric.Float64Observable:
				o.ObserveFloat64(i, 1, option)
			}
		}
		return nil
	}, observable)
	if err != nil {
		t.Fatal(err)
	}
}
