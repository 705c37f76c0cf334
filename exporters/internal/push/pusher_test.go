package push

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/stagemeter/stagemeter/exporters/internal/collect"
	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
	"github.com/stagemeter/stagemeter/exporters/internal/settings"
	"github.com/stagemeter/stagemeter/semconv"
)

// A fakeExporter passes what it gets to export.
type fakeExporter struct {
	temporality metricdata.Temporality
	export      func(ctx context.Context, rm *metricdata.ResourceMetrics) error
}

func (e *fakeExporter) Temporality(sdkmetric.InstrumentKind) metricdata.Temporality {
	return e.temporality
}
func (*fakeExporter) Aggregation(k sdkmetric.InstrumentKind) sdkmetric.Aggregation {
	return sdkmetric.DefaultAggregationSelector(k)
}
func (e *fakeExporter) Export(ctx context.Context, rm *metricdata.ResourceMetrics) error {
	return e.export(ctx, rm)
}
func (*fakeExporter) ForceFlush(context.Context) error { return nil }
func (*fakeExporter) Shutdown(context.Context) error   { return nil }

// config is a Config that pushes after a second and at each hour.
var config = Config{
	Resource: resource.Empty(), Logger: slog.New(slog.DiscardHandler),
	Interval: time.Hour, Timeout: time.Minute, Pace: settings.DefaultPace,
}

// start runs a pusher to e, and returns it with its provider and its failures.
func start(t *testing.T, e *fakeExporter) (*Pusher, *sdkmetric.MeterProvider, *Failures) {
	t.Helper()
	source := collect.NewSourceFor(e)
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(source.Reader()))
	to := &settings.Destination{Signal: semconv.SignalMetrics, URL: &url.URL{Scheme: "http", Host: "collector:4317"}}
	f := NewFailures(to, config.Logger)
	p := NewPusher(config, source, e, f)
	go p.Run()
	return p, provider, f
}

// has reports whether rm has a metric called name.
func has(rm *metricdata.ResourceMetrics, name string) bool {
	for _, scope := range rm.ScopeMetrics {
		for _, m := range scope.Metrics {
			if m.Name == name {
				return true
			}
		}
	}
	return false
}

// In a bubble, time passes at once when every goroutine waits, and a goroutine that is left behind
// is a failure.

// The pace: a second after the start, then at the interval, and within seconds of a failure.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var at []time.Duration
		down := errors.New("down")
		answers := []error{nil, down, down, down, down, nil, nil, nil}
		e := &fakeExporter{temporality: metricdata.CumulativeTemporality}
		e.export = func(context.Context, *metricdata.ResourceMetrics) error {
			at = append(at, time.Since(began))
			return answers[len(at)-1]
		}
		p, provider, f := start(t, e)
		exportertest.Count(provider, "jobs", 1)
		time.Sleep(2*time.Hour + time.Minute)
		synctest.Wait()
		hour := time.Second + time.Hour // of the second push
		want := []time.Duration{time.Second, hour, hour + 1*time.Second, hour + 3*time.Second, hour + 7*time.Second, hour + 12*time.Second}
		for i, w := range want {
			if i >= len(at) || at[i] != w {
				t.Fatalf("pushes at %v, want %v", at, want)
			}
		}
		if f.Mark() != 4 {
			t.Errorf("%d failures, want 4", f.Mark())
		}
		if err := p.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A Flush that fails makes Run push again soon.
func TestFailedFlushIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		var pushes atomic.Int64
		e := &fakeExporter{temporality: metricdata.CumulativeTemporality}
		e.export = func(context.Context, *metricdata.ResourceMetrics) error {
			if down.Load() {
				return errors.New("down")
			}
			pushes.Add(1)
			return nil
		}
		p, provider, _ := start(t, e)
		exportertest.Count(provider, "jobs", 1)
		time.Sleep(2 * time.Second)
		down.Store(true)
		if err := p.Flush(t.Context()); err == nil {
			t.Error("no error")
		}
		down.Store(false)
		before := pushes.Load()
		time.Sleep(settings.DefaultPace.Max)
		if pushes.Load() == before {
			t.Error("no push after a failed Flush")
		}
		_ = p.Shutdown(t.Context())
	})
}

// A callback that blocks holds up its collection, but not Shutdown: Run ends, and Shutdown returns
// when its time is over.
func TestShutdownWhileACallbackBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeExporter{temporality: metricdata.CumulativeTemporality}
		e.export = func(context.Context, *metricdata.ResourceMetrics) error { return nil }
		p, provider, _ := start(t, e)
		gate, blocked := make(chan struct{}), make(chan struct{})
		block := sync.OnceFunc(func() { close(blocked); <-gate })
		exportertest.Observe(t, provider, "slow", func() (int64, error) { block(); return 1, nil })
		<-blocked
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if err := p.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown: %v, want that the time is over", err)
		}
		<-p.done
		close(gate) // for the collection that was left behind
	})
}

// No later push has what a push with delta temporality has collected: Shutdown lets it arrive.
func TestShutdownDuringADeltaPush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pushing, resume := make(chan struct{}), make(chan struct{})
		var requests, delivered atomic.Int64
		e := &fakeExporter{temporality: metricdata.DeltaTemporality}
		e.export = func(ctx context.Context, rm *metricdata.ResourceMetrics) error {
			if !has(rm, "jobs") {
				return nil
			}
			if requests.Add(1) == 1 {
				close(pushing)
				select {
				case <-resume:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			delivered.Add(1)
			return nil
		}
		p, provider, _ := start(t, e)
		exportertest.Count(provider, "jobs", 7)
		<-pushing
		ended := make(chan error)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		go func() { ended <- p.Shutdown(ctx) }()
		<-p.stop
		close(resume)
		if err := <-ended; err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if delivered.Load() == 0 {
			t.Error("the push that was under way was canceled, and its data is lost")
		}
	})
}
