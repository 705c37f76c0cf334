package exporters

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// patience is how long a test waits for what has to happen. It is no
// measurement: what comes sooner ends the wait.
const patience = 60 * time.Second

// envWorker makes the test binary the short-lived worker of runWorker.
const envWorker = "STAGEMETER_TEST_WORKER"

// TestMain checks that no goroutine outlives the tests, all of which shut down
// what they start.
func TestMain(m *testing.M) {
	switch os.Getenv(envWorker) {
	case "":
	case "globals":
		tel, err := Start(context.Background(), WithGlobals())
		fmt.Println(err)
		shutdown(tel)
		return
	default:
		worker()
		return
	}
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); strings.HasPrefix(name, "OTEL_") {
			os.Unsetenv(name)
		}
	}
	goleak.VerifyTestMain(m)
}

// worker counts one job, waits for SIGTERM and shuts down with the context
// that the signal ended, as programs do.
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

// quick is a pace for tests. What they do at once after Start has to be in the first push: the next may be an hour away.
func quick(c config) config {
	c.pace = pace{first: 500 * time.Millisecond, min: 20 * time.Millisecond, max: 200 * time.Millisecond}
	return c
}

// start starts telemetry that must have no errors, and shuts it down at the end.
func start(t *testing.T, opts ...Option) *Telemetry {
	t.Helper()
	tel, err := Start(t.Context(), append(opts, option(quick))...)
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
func count(tel *Telemetry, name string, n int64) {
	c, err := tel.MeterProvider().Meter("test").Int64Counter(name)
	if err != nil {
		panic(err)
	}
	c.Add(context.Background(), n)
}

// span makes a span that ends at once.
func span(tel *Telemetry, name string) {
	_, s := tel.TracerProvider().Tracer("test").Start(context.Background(), name)
	s.End()
}

// eventually waits until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after %v still not: %s", patience, what)
		}
	}
}

// A logBook keeps log lines.
type logBook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBook) logger() *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }

// lines counts the lines that have all of parts.
func (b *logBook) lines(parts ...string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
line:
	for line := range strings.Lines(b.buf.String()) {
		for _, p := range parts {
			if !strings.Contains(line, p) {
				continue line
			}
		}
		n++
	}
	return n
}

func (b *logBook) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
