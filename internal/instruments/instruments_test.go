package instruments

import (
	"context"
	"errors"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/stagemeter/stagemeter/internal/registry"
	"github.com/stagemeter/stagemeter/semconv"
)

// A program without telemetry has no meter, and still records.
func TestNilMeter(t *testing.T) { recordAll(t, nil) }

// Telemetry that cannot be set up is an error to report, not a nil pointer in the middle of a job.
func TestRefusedInstrumentIsUsable(t *testing.T) {
	for _, m := range registry.Metrics() {
		instrument, err := constructors[m.Name](refusingMeter{})
		if !errors.Is(err, errRefused) || !strings.Contains(err.Error(), m.Name) {
			t.Errorf("%s: error %v, want %v with the name", m.Name, err, errRefused)
		}
		if !m.Async {
			for _, values := range combinations(m) {
				record(t, instrument, metric.WithAttributeSet(attributesOf(m, values)))
			}
		} else if i, ok := instrument.(metric.Observable); !ok || !refused(i) {
			t.Errorf("%s: %T is not the no-op of an observable instrument", m.Name, instrument)
		}
	}
}

// One observable that the SDK refuses, here for a view that does not fit it, must
// not take the others with it: a callback is registered for all or for none.
func TestRefusedObservableLeavesTheOthers(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	provider := sdkmetric.NewMeterProvider(
		sdkmetric.WithReader(reader),
		sdkmetric.WithView(sdkmetric.NewView(
			sdkmetric.Instrument{Name: semconv.FfmpegProcessesName},
			sdkmetric.Stream{Aggregation: sdkmetric.AggregationLastValue{}},
		)),
	)
	m := provider.Meter("instruments_test")

	ffmpeg, err := NewFfmpegProcesses(m)
	if err == nil {
		t.Fatal("the SDK took the view: this test needs another way to make it refuse")
	}
	running, err := NewJobsInProgress(m)
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		o.ObserveInt64(ffmpeg, 1)
		o.ObserveInt64(running, 7)
		return nil
	}, ffmpeg, running)
	if err != nil {
		t.Fatalf("RegisterCallback: %v", err)
	}

	var data metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &data); err != nil {
		t.Fatal(err)
	}
	for _, scope := range data.ScopeMetrics {
		for _, collected := range scope.Metrics {
			sum, ok := collected.Data.(metricdata.Sum[int64])
			if collected.Name == semconv.JobsInProgressName && ok && len(sum.DataPoints) == 1 && sum.DataPoints[0].Value == 7 {
				return
			}
		}
	}
	t.Errorf("%s = 7 was not collected: %+v", semconv.JobsInProgressName, data.ScopeMetrics)
}

// The method With gives a metric the attributes that the registry says, in its order.
func TestWithAgreesWithTheRegistry(t *testing.T) {
	for _, m := range registry.Metrics() {
		if m.Async || len(required(m)) == 0 {
			continue
		}
		instrument, err := constructors[m.Name](nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, values := range combinations(m) {
			have := metric.NewAddConfig([]metric.AddOption{with(t, instrument, values)}).Attributes()
			if want := attributesOf(m, values); !have.Equals(&want) {
				t.Errorf("%s: attributes %v, want %v", m.Name, have.ToSlice(), want.ToSlice())
			}
		}
	}
}

func TestWithGivesTheRequiredAttributes(t *testing.T) {
	tests := []struct {
		reason string
		option metric.MeasurementOption
		want   []attribute.KeyValue
	}{
		{
			"a closed set",
			Jobs{}.With(semconv.JobStatusCanceled),
			[]attribute.KeyValue{attribute.String("status", "canceled")},
		},
		{
			"an open set beside a closed one",
			APICalls{}.With("whisper", semconv.CallStatusRefused),
			[]attribute.KeyValue{attribute.String("api", "whisper"), attribute.String("status", "refused")},
		},
		{
			"two open sets are not mixed up",
			Errors{}.With("analysis", "timeout"),
			[]attribute.KeyValue{attribute.String("stage", "analysis"), attribute.String("error.type", "timeout")},
		},
		{
			"job_id on cost is opt-in",
			Cost{}.With("whisper"),
			[]attribute.KeyValue{attribute.String("api", "whisper")},
		},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			have := metric.NewAddConfig([]metric.AddOption{tt.option}).Attributes()
			if want := attribute.NewSet(tt.want...); !have.Equals(&want) {
				t.Errorf("attributes %v, want %v", have.ToSlice(), tt.want)
			}
		})
	}
}

// The package's comment promises it.
func TestKeptOptionsDoNotAllocate(t *testing.T) {
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
	jobs, err := NewJobs(provider.Meter("instruments_test"))
	if err != nil {
		t.Fatal(err)
	}
	failed := []metric.AddOption{jobs.With(semconv.JobStatusFailed)}
	ctx := context.Background()
	if n := testing.AllocsPerRun(1000, func() { jobs.Add(ctx, 1, failed...) }); n != 0 {
		t.Errorf("%v allocations per Add, want 0", n)
	}
}
