package instrument_test

import (
	"context"
	"strings"
	"testing"

	metricnoop "go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// An error of the set-up says which option and which value; and whoever ignores it has a pipeline that works.
func TestOptionsThatAreWrong(t *testing.T) {
	var (
		meters     *sdkmetric.MeterProvider
		propagator *renamed
		ledger     *memoryStub
	)
	tests := []struct {
		reason string
		opt    instrument.Option
		want   []string // in the error
		shown  string   // in the exposition
	}{
		{"no option", nil, []string{"nil Option"}, ""},
		{"no meter provider", instrument.WithMeterProvider(nil), []string{"WithMeterProvider(nil)", "default"}, ""},
		{"a nil pointer to one", instrument.WithMeterProvider(meters), []string{"WithMeterProvider(nil)"}, ""},
		{"no tracer provider", instrument.WithTracerProvider(nil), []string{"WithTracerProvider(nil)"}, ""},
		{"no propagator", instrument.WithPropagators(nil), []string{"WithPropagators(nil)"}, ""},
		{"a nil pointer to one", instrument.WithPropagators(propagator), []string{"WithPropagators(nil)"}, ""},
		{"no classifier", instrument.WithErrorClassifier(nil), []string{"WithErrorClassifier(nil)"}, ""},
		{"no ledger", instrument.WithLedger(nil), []string{"WithLedger(nil)"}, ""},
		{"a nil pointer to one", instrument.WithLedger(ledger), []string{"WithLedger(nil)"}, ""},
		{"no names", instrument.WithNameLimit(0), []string{"WithNameLimit(0)", "at least 1", "100"}, ""},
		{"fewer than none", instrument.WithLiveJobLimit(-5), []string{"WithLiveJobLimit(-5)", "at least 1", "1000"}, ""},
		{"an empty stage", instrument.WithStages("analysis", ""), []string{"WithStages", `""`, `"unknown"`}, `stage="unknown"`},
		{"a huge stage", instrument.WithStages(strings.Repeat("x", 65)), []string{"WithStages", "xxx", "64"}, `stage="` + strings.Repeat("x", 64) + `"`},
		{"an API that is not UTF-8", instrument.WithAPIs("caf\xe9"), []string{"WithAPIs", `"caf\xe9"`}, "api=\"caf\uFFFD\""},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			_, rec := instrumenttest.New(t) // for its providers
			p, err := instrument.New(instrument.WithMeterProvider(rec.MeterProvider()),
				instrument.WithTracerProvider(rec.TracerProvider()), tt.opt)
			if p == nil || err == nil {
				t.Fatalf("New = %v, %v, want a pipeline and an error", p, err)
			}
			defer p.Close(t.Context())
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not tell %s", err, want)
				}
			}
			if !strings.Contains(rec.Exposition(), tt.shown) {
				t.Errorf("no %s in\n%s", tt.shown, rec.Exposition())
			}
			recordEverything(instrument.ContextWithPipeline(t.Context(), p))
			expectEverything(t, rec, 1)
		})
	}
}

// memoryStub is a ledger that was never made.
type memoryStub struct{ budget.Ledger }

func TestAllErrorsOfOptionsAreTold(t *testing.T) {
	_, err := instrument.New(instrument.WithNameLimit(-1), instrument.WithStages("", "a\n"), nil)
	for _, want := range []string{"WithNameLimit(-1)", `WithStages: ""`, `WithStages: "a\n"`, "nil Option"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not tell %s", err, want)
		}
	}
}

func TestTheLastOptionHolds(t *testing.T) {
	_, rec := instrumenttest.New(t) // for its providers
	p, err := instrument.New(instrument.WithMeterProvider(metricnoop.NewMeterProvider()), instrument.WithMeterProvider(rec.MeterProvider()),
		instrument.WithTracerProvider(tracenoop.NewTracerProvider()), instrument.WithTracerProvider(rec.TracerProvider()),
		instrument.WithStages("a"), instrument.WithStages("b", "a"))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(t.Context())
	recordEverything(instrument.ContextWithPipeline(t.Context(), p))
	expectEverything(t, rec, 1)
	for _, stage := range []string{"a", "b"} {
		if _, ok := rec.Gauge(vp("stages_in_progress"), label("stage", stage)); !ok {
			t.Errorf("stage %q is not declared: lists add up", stage)
		}
	}
}

// The caller's slice of names is the caller's: it is neither sorted nor kept.
func TestNamesOfOptionsStayTheCallers(t *testing.T) {
	names := []string{"rendering", "analysis"}
	p, rec := instrumenttest.New(t, instrument.WithStages(names...))
	if names[0] != "rendering" || names[1] != "analysis" {
		t.Errorf("the names are %v now", names)
	}
	names[0] = "overwritten"
	_, _ = instrument.RunStageValue(instrument.ContextWithPipeline(t.Context(), p), "analysis", func(context.Context) (int, error) { return 0, nil })
	if strings.Contains(rec.Exposition(), "overwritten") || !strings.Contains(rec.Exposition(), `stage="rendering"`) {
		t.Errorf("the pipeline has the caller's slice:\n%s", rec.Exposition())
	}
}
