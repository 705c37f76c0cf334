package semconv_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/stagemeter/stagemeter/semconv"
)

// A program without telemetry gives no meter, and still records.
func TestNilMeter(t *testing.T) {
	recordAll(nil)
	for i, observable := range newObservables(nil).list() {
		if observable == nil {
			t.Errorf("observable %d is nil", i)
		}
	}
}

// refusingMeter is a meter of an SDK that refuses every instrument.
type refusingMeter struct{ noop.Meter }

var errRefused = errors.New("refused")

func (refusingMeter) Int64Counter(string, ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	return nil, errRefused
}

func (refusingMeter) Float64Histogram(string, ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	return nil, errRefused
}

func (refusingMeter) Int64ObservableUpDownCounter(string, ...metric.Int64ObservableUpDownCounterOption) (metric.Int64ObservableUpDownCounter, error) {
	return nil, errRefused
}

// Telemetry that can't be set up is an error to report, not a nil pointer in
// the middle of a job.
func TestRefusedInstrumentIsUsable(t *testing.T) {
	ctx := context.Background()

	jobs, err := semconv.NewJobs(refusingMeter{})
	if !errors.Is(err, errRefused) {
		t.Errorf("NewJobs: error %v, want %v", err, errRefused)
	}
	jobs.Add(ctx, 1, jobs.With(semconv.JobStatusFailed))

	duration, err := semconv.NewDuration(refusingMeter{})
	if !errors.Is(err, errRefused) {
		t.Errorf("NewDuration: error %v, want %v", err, errRefused)
	}
	duration.Record(ctx, 1, duration.With("analysis"))

	running, err := semconv.NewJobsInProgress(refusingMeter{})
	if !errors.Is(err, errRefused) {
		t.Errorf("NewJobsInProgress: error %v, want %v", err, errRefused)
	}
	if running == nil {
		t.Error("NewJobsInProgress: nil instrument")
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
	m := provider.Meter("semconv_test")

	ffmpeg, err := semconv.NewFfmpegProcesses(m)
	if err == nil {
		t.Fatal("the SDK took the view: this test needs another way to make it refuse")
	}
	running, err := semconv.NewJobsInProgress(m)
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

func TestWithGivesTheRequiredAttributes(t *testing.T) {
	tests := []struct {
		reason string
		option metric.MeasurementOption
		want   []attribute.KeyValue
	}{
		{
			"a closed set",
			semconv.Jobs{}.With(semconv.JobStatusCanceled),
			[]attribute.KeyValue{attribute.String("status", "canceled")},
		},
		{
			"an open set beside a closed one",
			semconv.APICalls{}.With("whisper", semconv.CallStatusRefused),
			[]attribute.KeyValue{attribute.String("api", "whisper"), attribute.String("status", "refused")},
		},
		{
			"two open sets are not mixed up",
			semconv.Errors{}.With("analysis", "timeout"),
			[]attribute.KeyValue{attribute.String("stage", "analysis"), attribute.String("error.type", "timeout")},
		},
		{
			"job_id on cost is opt-in",
			semconv.Cost{}.With("whisper"),
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
	jobs := must(semconv.NewJobs(provider.Meter("semconv_test")))
	failed := []metric.AddOption{jobs.With(semconv.JobStatusFailed)}
	ctx := context.Background()
	if n := testing.AllocsPerRun(1000, func() { jobs.Add(ctx, 1, failed...) }); n != 0 {
		t.Errorf("%v allocations per Add, want 0", n)
	}
}

// A caller that sorts, cuts or fills what it got does not change what the next
// one gets, nor the boundaries of a histogram.
func TestCallersOwnWhatTheyGet(t *testing.T) {
	before := fmt.Sprint(semconv.Metrics(), semconv.JobStatusValues())
	clear(semconv.JobStatusValues())
	for _, m := range semconv.Metrics() {
		clear(m.Buckets)
		clear(m.RecordedBy)
		for _, a := range m.Attributes {
			clear(a.Values)
		}
		clear(m.Attributes)
	}
	if after := fmt.Sprint(semconv.Metrics(), semconv.JobStatusValues()); after != before {
		t.Errorf("before %s\nafter %s", before, after)
	}
	for _, m := range semconv.Metrics() {
		if m.Kind == semconv.KindHistogram {
			checkBounds(t, scrape(t)[m.Prometheus].GetMetric()[0].GetHistogram(), m.Buckets)
		}
	}
}

// No metric takes values of both kinds of status.
func TestStatusIsOfAJobOrOfACall(t *testing.T) {
	for _, m := range semconv.Metrics() {
		for _, a := range m.Attributes {
			if a.Key != semconv.AttrStatus {
				continue
			}
			for _, v := range a.Values {
				ofCall := slices.Contains(semconv.CallStatusValues(), semconv.CallStatus(v))
				if want := m.Name == semconv.APICallsName; ofCall != want {
					t.Errorf("%s takes the status %q", m.Name, v)
				}
			}
		}
	}
}

// Help is read on a dashboard, by somebody who can't ask back.
func TestBriefs(t *testing.T) {
	seen := map[string]string{}
	for _, m := range semconv.Metrics() {
		if other, ok := seen[m.Brief]; ok {
			t.Errorf("%s and %s have the same brief", m.Name, other)
		}
		seen[m.Brief] = m.Name
		units := map[string]string{"s": "seconds", "usd": "US dollars", "lu": "LU", "db": "decibels"}
		if unit, ok := units[m.Unit]; ok && !strings.Contains(m.Brief, unit) {
			t.Errorf("%s: the brief %q does not say that it is in %s", m.Name, m.Brief, unit)
		}
	}
}
