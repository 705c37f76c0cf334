package push

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
)

// later is the answer of a receiver that asks to be left alone for d.
func later(d time.Duration) error {
	s, err := status.New(codes.ResourceExhausted, "busy").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(d)})
	if err != nil {
		panic(err)
	}
	return s.Err()
}

var temporalities = map[string]metricdata.Temporality{"cumulative": metricdata.CumulativeTemporality, "delta": metricdata.DeltaTemporality}

// onEach runs a test for both temporalities in a bubble.
func onEach(t *testing.T, test func(t *testing.T, temporality metricdata.Temporality)) {
	for name, temporality := range temporalities {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, temporality) })
		})
	}
}

// A receiver that asks to be left alone is left alone: by Run, by Flush and by later parts. What it
// did not take arrives afterwards, once.
func TestReceiverThatAsksToWait(t *testing.T) {
	onEach(t, func(t *testing.T, temporality metricdata.Temporality) {
		began := time.Now()
		var at []time.Duration
		total := map[string]int64{}
		e := &fakeExporter{temporality: temporality}
		e.export = func(_ context.Context, rm *metricdata.ResourceMetrics) error {
			at = append(at, time.Since(began))
			if len(at) <= 2 {
				return later(100 * time.Second)
			}
			sums(rm, temporality, total)
			return nil
		}
		p, provider, f := start(t, e)
		exportertest.Count(provider, "jobs", 7)
		time.Sleep(2 * time.Second)

		// A Flush whose time is shorter returns at once; one whose time is longer waits.
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		before := time.Now()
		if err := p.Flush(ctx); err == nil || !strings.Contains(err.Error(), "asks to wait 1m39s more") || time.Since(before) != 0 {
			t.Errorf("Flush after %v: %v", time.Since(before), err)
		}
		cancel()
		if got := f.Health(); got.Failures != 1 || got.FailuresInARow != 1 {
			t.Errorf("%+v, want the one request that had to wait", got)
		}
		time.Sleep(250 * time.Second)
		synctest.Wait()
		want := []time.Duration{time.Second, 101 * time.Second, 201 * time.Second}
		if !slices.Equal(at, want) {
			t.Errorf("requests at %v, want %v", at, want)
		}
		if total["jobs"] != 7 {
			t.Errorf("jobs = %d, want 7", total["jobs"])
		}
		if got := f.Health(); got.Failures != 2 || got.FailuresInARow != 0 || got.Successes != 1 {
			t.Errorf("%+v", got)
		}
		exportertest.Count(provider, "jobs", 1)
		if err := p.Shutdown(t.Context()); err != nil || total["jobs"] != 8 {
			t.Errorf("Shutdown: %v, jobs = %d", err, total["jobs"])
		}
	})
}

// sums adds the counters of rm to total; with cumulative temporality it replaces what is there.
func sums(rm *metricdata.ResourceMetrics, temporality metricdata.Temporality, total map[string]int64) {
	for _, scope := range rm.ScopeMetrics {
		for _, m := range scope.Metrics {
			for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
				key := m.Name
				if v, ok := p.Attributes.Value("i"); ok {
					key += v.String()
				}
				if temporality == metricdata.DeltaTemporality {
					total[key] += p.Value
				} else {
					total[key] = p.Value
				}
			}
		}
	}
}

// A Flush with time enough waits for the receiver, and delivers.
func TestFlushThatMayWait(t *testing.T) {
	onEach(t, func(t *testing.T, temporality metricdata.Temporality) {
		var requests atomic.Int64
		e := &fakeExporter{temporality: temporality}
		e.export = func(context.Context, *metricdata.ResourceMetrics) error {
			if requests.Add(1) == 1 {
				return later(20 * time.Minute)
			}
			return nil
		}
		p, provider, _ := start(t, e)
		exportertest.Count(provider, "jobs", 7)
		time.Sleep(2 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		before := time.Now()
		if err := p.Flush(ctx); err != nil || time.Since(before) != 20*time.Minute-time.Second {
			t.Errorf("Flush after %v: %v", time.Since(before), err)
		}
		_ = p.Shutdown(t.Context())
	})
}

// The last push waits if there is time, and is made at once otherwise, with one request: nothing
// can be sent later.
func TestShutdownWhileTheReceiverAsksToWait(t *testing.T) {
	for _, tt := range []struct {
		deadline, wantAfter time.Duration
		accepts             bool
		wantJobs            int64
	}{
		{2 * time.Minute, 99 * time.Second, true, 7},
		{5 * time.Second, 0, true, 7},
		{5 * time.Second, 0, false, 0},
	} {
		onEach(t, func(t *testing.T, temporality metricdata.Temporality) {
			var requests, accepting atomic.Int64
			total := map[string]int64{}
			e := &fakeExporter{temporality: temporality}
			e.export = func(_ context.Context, rm *metricdata.ResourceMetrics) error {
				requests.Add(1)
				if accepting.Load() == 0 {
					return later(100 * time.Second)
				}
				sums(rm, temporality, total)
				return nil
			}
			p, provider, _ := start(t, e)
			exportertest.Count(provider, "jobs", 7)
			for i := range 5000 {
				add(t, provider, "many", i)
			}
			time.Sleep(2 * time.Second)
			if tt.accepts {
				accepting.Store(1)
			}
			before, asked := time.Now(), requests.Load()
			ctx, cancel := context.WithTimeout(t.Context(), tt.deadline)
			defer cancel()
			err := p.Shutdown(ctx)
			if (err == nil) != tt.accepts || time.Since(before) != tt.wantAfter || total["jobs"] != tt.wantJobs {
				t.Errorf("%+v: after %v, jobs = %d: %v", tt, time.Since(before), total["jobs"], err)
			}
			if got := requests.Load() - asked; !tt.accepts && got != 1 {
				t.Errorf("%+v: %d requests, want 1", tt, got)
			}
		})
	}
}

// Shutdown ends with its context, also if that is canceled long before its deadline.
func TestShutdownThatIsCanceledWhileItWaits(t *testing.T) {
	onEach(t, func(t *testing.T, temporality metricdata.Temporality) {
		e := &fakeExporter{temporality: temporality}
		e.export = func(context.Context, *metricdata.ResourceMetrics) error { return later(time.Hour) }
		p, provider, _ := start(t, e)
		exportertest.Count(provider, "jobs", 1)
		time.Sleep(2 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
		time.AfterFunc(5*time.Second, cancel)
		before := time.Now()
		if err := p.Shutdown(ctx); err == nil || time.Since(before) > 6*time.Second {
			t.Errorf("Shutdown after %v: %v", time.Since(before), err)
		}
	})
}

// add adds 1 to series i of a counter.
func add(t *testing.T, provider *sdkmetric.MeterProvider, name string, i int) {
	t.Helper()
	c, err := provider.Meter("test").Int64Counter(name)
	if err != nil {
		t.Fatal(err)
	}
	c.Add(context.Background(), 1, metric.WithAttributes(attribute.Int("i", i)))
}

// A permanent refusal is no outage: the next push is that of the interval, also after a Flush.
func TestRefusalIsNotTriedAgainSoon(t *testing.T) {
	for _, refusal := range []error{
		status.Error(codes.Unauthenticated, "who are you"),
		status.Error(codes.InvalidArgument, "no"),
		errors.New("failed to upload metrics: OTLP partial success: too old (1 data points rejected)"),
	} {
		onEach(t, func(t *testing.T, temporality metricdata.Temporality) {
			began := time.Now()
			var at []time.Duration
			e := &fakeExporter{temporality: temporality}
			e.export = func(context.Context, *metricdata.ResourceMetrics) error {
				at = append(at, time.Since(began))
				if strings.Contains(refusal.Error(), "partial") {
					return refusal
				}
				return fmt.Errorf("failed to upload metrics: %w", refusal)
			}
			p, provider, f := start(t, e)
			count := func() { exportertest.Count(provider, "jobs", 1) }
			count()
			time.Sleep(2 * time.Second)
			count()
			if err := p.Flush(t.Context()); err == nil {
				t.Error("Flush: no error")
			}
			count()
			time.Sleep(2 * time.Hour)
			synctest.Wait()
			if want := []time.Duration{time.Second, 2 * time.Second, time.Hour + time.Second}; !slices.Equal(at, want) && !(len(at) == 4 && slices.Equal(at[:3], want)) {
				t.Errorf("%v: requests at %v, want %v", refusal, at, want)
			}
			if got := f.Health(); got.Failures != int64(len(at)) {
				t.Errorf("%+v, want every refusal", got)
			}
			_ = p.Shutdown(t.Context())
		})
	}
}

// A callback that returns an error does not make pushes that arrive more frequent.
func TestPaceWithACallbackThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var requests atomic.Int64
		e := &fakeExporter{temporality: metricdata.CumulativeTemporality}
		e.export = func(context.Context, *metricdata.ResourceMetrics) error { requests.Add(1); return nil }
		p, provider, _ := start(t, e)
		exportertest.Count(provider, "jobs", 1)
		exportertest.Observe(t, provider, "pool", func() (int64, error) { return 0, errors.New("db gone") })
		time.Sleep(time.Hour - time.Second)
		if got := requests.Load(); got != 1 {
			t.Errorf("%d pushes within the interval, want 1", got)
		}
		_ = p.Shutdown(t.Context())
	})
}
