package exporters

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	colmetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"go.uber.org/goleak"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
	"github.com/stagemeter/stagemeter/exporters/internal/settings"
)

// Shutdown delivers the data that no interval has pushed yet.
func TestShutdownDeliversTheLast(t *testing.T) {
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	expired, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Hour))
	defer cancel()
	limited, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, tt := range []struct {
		name   string
		ctx    context.Context
		reason string
	}{
		{"no deadline", t.Context(), "Shutdown brings its own"},
		{"deadline", limited, "the caller's holds"},
		{"canceled", canceled, "a signal ended it: there is no other context at hand"},
		{"expired", expired, "the work took all its time"},
		{"nil", nil, "nothing panics"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := receive(t)
			tel := start(t, WithoutPrometheus(), WithOTLPEndpoint(r.url()), WithExportInterval(time.Hour), WithShutdownTimeout(patience))
			count(tel, "jobs", 5)
			span(tel, "render")
			if err := tel.Shutdown(tt.ctx); err != nil {
				t.Fatalf("Shutdown: %v (%s)", err, tt.reason)
			}
			if jobs, spans := r.sum("jobs"), r.span("render"); jobs != 5 || spans != 1 {
				t.Errorf("got %v jobs and %d spans, want 5 and 1 (%s)", jobs, spans, tt.reason)
			}
			if err := tel.Shutdown(t.Context()); err != nil {
				t.Errorf("Shutdown again: %v", err)
			}
			if err := tel.ForceFlush(t.Context()); err != nil {
				t.Errorf("ForceFlush after Shutdown: %v", err)
			}
		})
	}
}

// Shutdown cancels a push that is under way to make the last one itself. That is no failure.
func TestShutdownDuringPush(t *testing.T) {
	r := receive(t)
	pushing := make(chan struct{})
	var requests atomic.Int64
	r.onMetrics = func(ctx context.Context, _ *colmetrics.ExportMetricsServiceRequest) error {
		if requests.Add(1) == 1 {
			close(pushing)
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}
	book := &exportertest.LogBook{}
	tel := start(t, WithoutPrometheus(), WithOTLPEndpoint(r.url()), WithShutdownTimeout(patience), WithLogger(book.Logger()))
	<-pushing
	count(tel, "jobs", 1)
	if err := tel.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if r.sum("jobs") != 1 || r.sum(exportFailures) != 0 || book.String() != "" {
		t.Errorf("jobs = %v, failures = %v, want 1 and 0; logged:\n%s", r.sum("jobs"), r.sum(exportFailures), book)
	}
}

// The log says what a push that fails means: after the last one nothing is sent later.
func TestConsequenceOfAFailure(t *testing.T) {
	const kept, lost, last = "counts are kept and sent later", "counts of pushes that fail are lost", "this was the last push"
	later := option(func(c settings.Config) settings.Config {
		c.Pace = settings.Pace{First: time.Hour, Min: time.Hour, Max: time.Hour} // only the pushes below
		return c
	})
	for _, tt := range []struct {
		temporality string
		push        func(tel *Telemetry) error
		want        string
	}{
		{"cumulative", func(tel *Telemetry) error { return tel.ForceFlush(t.Context()) }, kept},
		{"delta", func(tel *Telemetry) error { return tel.ForceFlush(t.Context()) }, lost},
		{"cumulative", func(tel *Telemetry) error { return tel.Shutdown(t.Context()) }, last},
		{"delta", func(tel *Telemetry) error { return tel.Shutdown(t.Context()) }, last},
	} {
		t.Setenv("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", tt.temporality)
		r := receive(t)
		r.onMetrics = func(context.Context, *colmetrics.ExportMetricsServiceRequest) error {
			return status.Error(codes.Unauthenticated, "who are you")
		}
		book := &exportertest.LogBook{}
		tel := start(t, WithoutPrometheus(), WithOTLPEndpoint(r.url()), WithLogger(book.Logger()), WithShutdownTimeout(patience), later)
		count(tel, "jobs", 1)
		if err := tt.push(tel); err == nil {
			t.Error("the push succeeds")
		}
		if book.Lines("OTLP export fails", tt.want) != 1 || book.Lines("OTLP export fails") != 1 {
			t.Errorf("%s: want one line with %q:\n%s", tt.temporality, tt.want, book)
		}
	}
}

// With a receiver that never answers, Shutdown returns at its deadline with an error, and leaves no
// goroutine behind although the queue of spans is full. TestMain looks for goroutines.
func TestShutdownKeepsItsDeadline(t *testing.T) {
	for _, protocol := range []string{"grpc", "http/protobuf"} {
		t.Run(protocol, func(t *testing.T) {
			t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
			r := receive(t) // to HTTP it is as silent
			r.onMetrics = func(ctx context.Context, _ *colmetrics.ExportMetricsServiceRequest) error {
				<-ctx.Done()
				return ctx.Err()
			}
			r.onTraces = func(ctx context.Context, _ *coltrace.ExportTraceServiceRequest) error { <-ctx.Done(); return ctx.Err() }
			tel := start(t, WithoutPrometheus(), WithOTLPEndpoint(r.url()), WithExportInterval(time.Hour), WithShutdownTimeout(100*time.Millisecond))
			count(tel, "jobs", 1)
			for range 3000 {
				span(tel, "render")
			}
			err := tel.Shutdown(t.Context())
			if err == nil {
				t.Fatal("Shutdown: no error, though nothing was delivered")
			}
			lines := strings.Split(err.Error(), "\n")
			slices.Sort(lines)
			if len(slices.Compact(slices.Clone(lines))) != len(lines) {
				t.Errorf("Shutdown repeats an error:\n%v", err)
			}
			if again := tel.Shutdown(t.Context()); !errors.Is(again, err) && again.Error() != err.Error() {
				t.Errorf("Shutdown again: %v, want %v", again, err)
			}
		})
	}
}

// Shutdown ends all goroutines even if its time is over before it begins.
func TestShutdownOutOfTime(t *testing.T) {
	t.Setenv("OTEL_METRICS_EXPORTER", "prometheus,otlp,console")
	t.Setenv("OTEL_TRACES_EXPORTER", "otlp,console")
	r := receive(t)
	before := goleak.IgnoreCurrent()
	tel := start(t, WithPrometheusAddr("127.0.0.1:0"), WithOTLPEndpoint(r.url()))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_ = tel.stop(ctx)
	r.down()
	eventually(t, "no goroutine is left", func() bool { return goleak.Find(before) == nil })
}

// A worker that SIGTERM ends delivers data that it counted after the signal.
func TestSIGTERM(t *testing.T) {
	r := receive(t)
	if out := runWorker(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+r.url()); out != "ready\ndone\n" {
		t.Errorf("printed %q", out)
	}
	if jobs, spans := r.sum("worker.jobs"), r.span("worker.render"); jobs != 1 || spans != 1 {
		t.Errorf("got %v jobs and %d spans, want 1 each", jobs, spans)
	}
}

// The console has both signals at the latest after Shutdown.
func TestConsole(t *testing.T) {
	out := runWorker(t, "OTEL_METRICS_EXPORTER=console", "OTEL_TRACES_EXPORTER=console")
	if !strings.Contains(out, `"worker.jobs"`) || !strings.Contains(out, `"worker.render"`) {
		t.Errorf("no counter or no span in\n%s", out)
	}
}

// runWorker runs worker, sends it SIGTERM when it is ready, and returns its output.
func runWorker(t *testing.T, env ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(append(os.Environ(), envChild+"=worker"), env...)
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	reader := bufio.NewReader(pipe)
	for {
		line, err := reader.ReadString('\n')
		out.WriteString(line)
		if err != nil {
			break
		}
		if line == "ready\n" {
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Error(err)
			}
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("worker: %v, printed\n%s", err, out.String())
	}
	return out.String()
}
