package exporters

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.uber.org/goleak"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
	"github.com/stagemeter/stagemeter/exporters/internal/settings"
)

// patience is how long a test waits for an event.
const patience = exportertest.Patience

// envChild selects one of children, which the test binary then runs instead of the tests.
const envChild = "STAGEMETER_TEST_CHILD"

// children are programs for tests that need a process of their own.
var children = map[string]func(){"worker": worker}

// TestMain checks that no goroutine outlives the tests, which shut down everything that they start.
func TestMain(m *testing.M) {
	if name := os.Getenv(envChild); name != "" {
		children[name]()
		return
	}
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); strings.HasPrefix(name, "OTEL_") {
			os.Unsetenv(name)
		}
	}
	goleak.VerifyTestMain(m)
}

// worker counts one job, waits for SIGTERM and shuts down with the context that the signal ended,
// as programs do.
func worker() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	tel, err := Start(ctx, WithoutPrometheus(), WithExportInterval(time.Hour))
	if err != nil {
		fmt.Println("start:", err)
	}
	fmt.Println("ready")
	<-ctx.Done()
	count(tel, "worker.jobs", 1)
	span(tel, "worker.render")
	if err := tel.Shutdown(ctx); err != nil {
		fmt.Println("shutdown:", err)
	}
	fmt.Println("done")
}

// quick is a pace for tests. The first push has to contain what a test does at once after Start:
// the second one may be an hour away.
func quick(c settings.Config) settings.Config {
	c.Pace = settings.Pace{First: 500 * time.Millisecond, Min: 20 * time.Millisecond, Max: 200 * time.Millisecond}
	return c
}

// start starts telemetry, which must succeed, and shuts it down at the end. It leaves the globals
// of package otel unchanged.
func start(t *testing.T, opts ...Option) *Telemetry {
	t.Helper()
	tel, err := Start(t.Context(), append([]Option{option(quick), WithoutGlobals()}, opts...)...)
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	t.Cleanup(func() { shutdown(tel) })
	return tel
}

// shutdown ends tel without waiting for receivers.
func shutdown(tel *Telemetry) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	_ = tel.Shutdown(ctx)
}

// count adds n to a counter.
func count(tel *Telemetry, name string, n int64) { exportertest.Count(tel.MeterProvider(), name, n) }

// span makes a span that ends at once.
func span(tel *Telemetry, name string) {
	_, s := tel.TracerProvider().Tracer("test").Start(context.Background(), name)
	s.End()
}

// observe makes a gauge with a callback.
func observe(t *testing.T, tel *Telemetry, name string, callback func() (int64, error)) {
	t.Helper()
	exportertest.Observe(t, tel.MeterProvider(), name, callback)
}

// eventually waits until ok returns true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	exportertest.Eventually(t, what, ok)
}

// blockCollections makes each collection wait until release is called, and counts them.
func blockCollections(t *testing.T, tel *Telemetry) (collections *atomic.Int64, release func()) {
	t.Helper()
	collections = new(atomic.Int64)
	gate := make(chan struct{})
	release = sync.OnceFunc(func() { close(gate) })
	t.Cleanup(release)
	_, err := tel.MeterProvider().Meter("test").Int64ObservableGauge("slow", metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
		collections.Add(1)
		<-gate
		o.Observe(1)
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	return collections, release
}
