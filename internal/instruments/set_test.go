package instruments

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/stagemeter/stagemeter/internal/registry"
)

// A set has what a pipeline records and nothing else: no series of its own for what package exporters counts.
func TestSetHasWhatAPipelineRecords(t *testing.T) {
	observables, of := 0, 0
	for _, m := range registry.Metrics() {
		if m.OfPipeline {
			of++
			if m.Async {
				observables++
			}
		}
	}
	set, err := New(nil)
	if err != nil {
		t.Fatal(err)
	}
	fields := reflect.ValueOf(set)
	if fields.NumField() != of {
		t.Errorf("the set has %d instruments, the registry %d of the pipeline", fields.NumField(), of)
	}
	for i := range fields.NumField() {
		if field := fields.Field(i); field.IsZero() {
			t.Errorf("New leaves %s out", fields.Type().Field(i).Name)
		}
	}
	provider := sdkmetric.NewMeterProvider()
	if set, err = New(provider.Meter("instruments_test")); err != nil {
		t.Fatal(err)
	}
	if have := len(set.Observables()); have != observables {
		t.Errorf("%d observables, the registry has %d", have, observables)
	}
}

// Each refused instrument is named, and none of them is in a callback.
func TestSetOfARefusingMeter(t *testing.T) {
	set, err := New(refusingMeter{})
	if !errors.Is(err, errRefused) {
		t.Fatalf("error %v, want %v", err, errRefused)
	}
	for _, m := range registry.Metrics() {
		if strings.Contains(err.Error(), m.Name+"\n") != m.OfPipeline {
			t.Errorf("the error names %s: want %v", m.Name, m.OfPipeline)
		}
	}
	if have := set.Observables(); len(have) != 0 {
		t.Errorf("refused instruments are in the callback: %v", have)
	}
	set.Zero(t.Context())
}

// lastObserver keeps the last instrument that was observed.
type lastObserver struct {
	noop.Observer
	last metric.Observable
}

func (o *lastObserver) ObserveInt64(i metric.Int64Observable, _ int64, _ ...metric.ObserveOption) {
	o.last = i
}

func (o *lastObserver) ObserveFloat64(i metric.Float64Observable, _ float64, _ ...metric.ObserveOption) {
	o.last = i
}

// An SDK logs every observation of an instrument that it did not make.
func TestObserverLeavesOutWhatWasRefused(t *testing.T) {
	var below lastObserver
	o := Observer{&below}
	for _, m := range registry.Metrics() {
		if !m.Async {
			continue
		}
		for _, meter := range []metric.Meter{refusingMeter{}, sdkmetric.NewMeterProvider().Meter("instruments_test")} {
			instrument, err := constructors[m.Name](meter)
			below.last = nil
			switch i := instrument.(type) {
			case metric.Int64Observable:
				o.ObserveInt64(i, 1)
			case metric.Float64Observable:
				o.ObserveFloat64(i, 1)
			}
			if passed := below.last != nil; passed != (err == nil) {
				t.Errorf("%s with error %v: passed on: %v", m.Name, err, passed)
			}
		}
	}
}

// Zero makes the series of a counter whose values are all known, and of no other metric.
func TestZero(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	set, err := New(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("instruments_test"))
	if err != nil {
		t.Fatal(err)
	}
	set.Zero(t.Context())
	var collected metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &collected); err != nil {
		t.Fatal(err)
	}
	have := make(map[string][]attribute.Set)
	for _, scope := range collected.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				have[m.Name] = zeros(t, m.Name, data)
			case metricdata.Sum[float64]:
				have[m.Name] = zeros(t, m.Name, data)
			default:
				t.Errorf("%s has a value and is a %T", m.Name, data)
			}
		}
	}
	for _, m := range registry.Metrics() {
		want := m.Zeroed()
		if want != (have[m.Name] != nil) || want && len(have[m.Name]) != len(combinations(m)) {
			t.Errorf("%s has %d series at 0", m.Name, len(have[m.Name]))
		}
	}
}

func zeros[N int64 | float64](t *testing.T, name string, sum metricdata.Sum[N]) (sets []attribute.Set) {
	t.Helper()
	for _, p := range sum.DataPoints {
		if p.Value != 0 {
			t.Errorf("%s is %v", name, p.Value)
		}
		sets = append(sets, p.Attributes)
	}
	return sets
}
