package terminal

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/exporters"
	"github.com/stagemeter/stagemeter/exporters/livepage"
	"github.com/stagemeter/stagemeter/instrument"
)

// program is the command, which TestMain builds.
var program string

func TestMain(m *testing.M) { os.Exit(build(m)) }

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "stagemeter-top-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	program = filepath.Join(dir, "stagemeter")
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", program, "github.com/stagemeter/stagemeter/cmd/stagemeter")
	if out, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v: %v\n%s", cmd.Args, err, out)
		return 1
	}
	return m.Run()
}

// A worker is a process with a live page, as far as its clients see.
type worker struct {
	url string
	tel *exporters.Telemetry
	p   *instrument.Pipeline
}

// start starts a worker on a port, of which 0 is any.
func start(t *testing.T, addr string, opts ...exporters.Option) *worker {
	t.Helper()
	tel, err := exporters.Start(t.Context(), append([]exporters.Option{exporters.WithPrometheusAddr(addr), exporters.WithoutGlobals()}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	w := &worker{url: "http://" + tel.Addr().String(), tel: tel}
	t.Cleanup(w.stop)
	if w.p, err = instrument.New(instrument.WithMeterProvider(tel.MeterProvider()), instrument.WithTracerProvider(tel.TracerProvider())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.p.Close(context.Background()) })
	if err := livepage.Mount(tel, w.p); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *worker) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = w.tel.Shutdown(ctx)
}

// work starts a job that is in a stage, has made progress and has spent some of its budget. It returns
// what ends it.
func (w *worker) work(t *testing.T, id, stage string) (end func()) {
	t.Helper()
	ctx, job := w.p.StartJob(t.Context(), id, instrument.WithBudget(2*instrument.Dollar))
	ctx, s := w.p.StartStage(ctx, stage)
	instrument.ReportProgress(ctx, 40, 100)
	instrument.Spend(ctx, "whisper", 31*instrument.Cent)
	return func() {
		s.End(nil)
		job.End(nil)
	}
}

// run runs the command without a terminal.
func run(t *testing.T, env []string, args ...string) (code int, out, errs string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, append([]string{"top"}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), env...), &stdout, &stderr
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()
}
