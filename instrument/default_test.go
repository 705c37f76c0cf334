package instrument_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/semconv"
)

// totals returns the sums and counts of what a reader collects, by metric.
func totals(reader *sdkmetric.ManualReader) map[string]float64 {
	var rm metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &rm); err != nil {
		panic(err)
	}
	found := make(map[string]float64)
	for _, scope := range rm.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch d := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range d.DataPoints {
					found[m.Name] += float64(p.Value)
				}
			case metricdata.Sum[float64]:
				for _, p := range d.DataPoints {
					found[m.Name] += p.Value
				}
			case metricdata.Histogram[float64]:
				for _, p := range d.DataPoints {
					found[m.Name] += float64(p.Count)
				}
			}
		}
	}
	return found
}

func stage(ctx context.Context) {
	_, s := instrument.StartStage(ctx, "analysis")
	s.End(nil)
}

// A test that starts telemetry, shuts it down and starts it again measures with the second, zeros included.
func TestDefaultFollowsTheGlobalProviders(t *testing.T) {
	first := globalReader(t)
	stage(t.Context())
	before := instrument.Default()
	if instrument.Default() != before {
		t.Error("the default is made anew without a reason")
	}
	second := globalReader(t)
	stage(t.Context())
	stage(t.Context())
	if got := totals(first)[semconv.DurationName]; got != 1 {
		t.Errorf("the first provider has %v stages, want 1", got)
	}
	got := totals(second)
	if got[semconv.DurationName] != 2 {
		t.Errorf("the second provider has %v stages, want 2", got[semconv.DurationName])
	}
	if _, zeros := got[semconv.JobsName]; !zeros {
		t.Error("the second provider has no zeros")
	}
	otel.SetTracerProvider(tracenoop.NewTracerProvider())
	after := instrument.Default()
	if after == before {
		t.Error("the default does not follow the global providers")
	}
	// What SetDefault gave stays, whatever the globals are.
	t.Cleanup(instrument.SetDefault(before))
	globalReader(t)
	t.Cleanup(instrument.SetDefault(before))
	if instrument.Default() != before {
		t.Error("the default is not the one that SetDefault gave")
	}
}

// Providers may be of types that Go does not compare.
type (
	listOfMeters  struct{ metricnoop.MeterProvider }
	listOfTracers struct {
		tracenoop.TracerProvider
		_ []int
	}
)

func (listOfMeters) Meter(string, ...metric.MeterOption) metric.Meter { return metricnoop.Meter{} }

func TestDefaultWithProvidersThatCannotBeCompared(t *testing.T) {
	t.Cleanup(instrument.SetDefault(nil))
	otel.SetMeterProvider(listOfMeters{})
	otel.SetTracerProvider(listOfTracers{})
	t.Cleanup(func() {
		otel.SetMeterProvider(metricnoop.NewMeterProvider())
		otel.SetTracerProvider(tracenoop.NewTracerProvider())
	})
	if first := instrument.Default(); instrument.Default() != first {
		t.Error("the default is made anew at each use")
	}
}

// A pool's function that records outside of any job runs in a collection. A default that was made there would wait for
// the end of that collection for ever.
func TestDefaultIsNotMadeDuringACollection(t *testing.T) {
	reader := globalReader(t)
	p, err := instrument.New()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.ObservePool(instrument.PoolRedis, "cache", func() instrument.PoolStats {
		instrument.Spend(context.Background(), "gpu", cent)
		return instrument.PoolStats{}
	}); err != nil {
		t.Fatal(err)
	}
	otel.SetTracerProvider(tracenoop.NewTracerProvider()) // another one than the default was made for
	otel.SetTracerProvider(struct{ trace.TracerProvider }{tracenoop.NewTracerProvider()})
	t.Cleanup(func() { otel.SetTracerProvider(tracenoop.NewTracerProvider()) })
	done := make(chan struct{})
	go func() {
		defer close(done)
		totals(reader)
	}()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("the collection never ends")
	}
}

// While a default is made, another goroutine may give one. That one holds.
func TestSetDefaultWhileADefaultIsMade(t *testing.T) {
	t.Cleanup(instrument.SetDefault(nil))
	given, err := instrument.New(instrument.WithMeterProvider(metricnoop.NewMeterProvider()))
	if err != nil {
		t.Fatal(err)
	}
	old := otel.GetMeterProvider()
	t.Cleanup(func() { otel.SetMeterProvider(old) })
	otel.SetMeterProvider(&meterHook{f: func() { instrument.SetDefault(given) }})
	if instrument.Default() != given {
		t.Error("what was made in the meantime is returned")
	}
	if instrument.Default() != given {
		t.Error("what SetDefault gave is lost")
	}
}

// meterHook calls f when it is asked for a meter.
type meterHook struct {
	metricnoop.MeterProvider
	f func()
}

func (h *meterHook) Meter(string, ...metric.MeterOption) metric.Meter {
	h.f()
	return metricnoop.Meter{}
}

// programVariable names one of programs, which TestMain then runs in place of the tests: package otel's globals are
// delegated once in a process.
const programVariable = "STAGEMETER_TEST_PROGRAM"

var programs = map[string]func(){
	"nothing set": func() {
		stage(context.Background())
		stage(context.Background())
		instrument.Spend(context.Background(), "gpu", cent)
	},
	"set later": func() {
		stage(context.Background())
		_, begun := instrument.StartStage(context.Background(), "analysis")
		reader := sdkmetric.NewManualReader()
		otel.SetMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))
		begun.End(nil)
		stage(context.Background())
		got := totals(reader)
		_, zeros := got[semconv.JobsName]
		fmt.Println("stages:", got[semconv.DurationName], "in progress:", got[semconv.StagesInProgressName], "zeros:", zeros)
	},
	"nothing wanted": func() {
		otel.SetMeterProvider(metricnoop.NewMeterProvider())
		stage(context.Background())
	},
	"a pipeline of its own": func() {
		reader := sdkmetric.NewManualReader()
		p, err := instrument.New(instrument.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))))
		if err != nil {
			panic(err)
		}
		instrument.SetDefault(p)
		stage(context.Background())
		fmt.Println("stages:", totals(reader)[semconv.DurationName])
	},
	"no default at all": func() {
		reader := sdkmetric.NewManualReader()
		p, err := instrument.New(instrument.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))))
		if err != nil {
			panic(err)
		}
		if _, err := p.ObservePool(instrument.PoolDatabase, "main", func() instrument.PoolStats { return instrument.PoolStats{} }); err != nil {
			panic(err)
		}
		ctx, job := p.StartJob(context.Background(), "id")
		stage(ctx)
		job.End(nil)
		fmt.Println("stages:", totals(reader)[semconv.DurationName])
	},
	"nil providers": func() {
		otel.SetMeterProvider(nil)
		otel.SetTracerProvider(nil)
		stage(context.Background())
	},
}

func TestDefaultOfAProgram(t *testing.T) {
	const silent = "instrument: no meter provider is set"
	for name, want := range map[string]struct {
		stdout  string
		reports int
	}{
		"nothing set":           {"", 1},
		"set later":             {"stages: 2 in progress: 0 zeros: true\n", 1},
		"nothing wanted":        {"", 0},
		"a pipeline of its own": {"stages: 1\n", 0},
		"no default at all":     {"stages: 1\n", 0},
		"nil providers":         {"", 1},
	} {
		t.Run(name, func(t *testing.T) {
			exe, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(exe)
			cmd.Env = append(os.Environ(), programVariable+"="+name)
			var stdout, stderr strings.Builder
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			if err := cmd.Run(); err != nil {
				t.Fatalf("%v\n%s", err, stderr.String())
			}
			if stdout.String() != want.stdout {
				t.Errorf("it printed %q, want %q", stdout.String(), want.stdout)
			}
			if got := strings.Count(stderr.String(), silent); got != want.reports {
				t.Errorf("%d reports of a default that measures nothing, want %d:\n%s", got, want.reports, stderr.String())
			}
		})
	}
}
