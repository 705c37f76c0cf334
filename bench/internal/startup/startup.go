// Package startup times exporters.Start: a program waits for it.
package startup

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/stagemeter/stagemeter/bench/internal/figures"
	"github.com/stagemeter/stagemeter/bench/internal/rounds"
	"github.com/stagemeter/stagemeter/exporters"
)

// limit is the goal, in ms, and what would be a wait for a network.
const limit = 20.0

// Measure times starts with receivers that are there in no way.
func Measure(_ rounds.Settings, quick bool) (figures.Section, error) {
	sec := figures.Section{Name: "startup", Title: "Start-up",
		Intro: "exporters.Start with a server for Prometheus and OTLP to somewhere, until it returns. The detectors of the resource " +
			"are those that Start runs, measured by themselves."}
	closed, err := closedPort()
	if err != nil {
		return sec, err
	}
	repeats := 25
	if quick {
		repeats = 10
	}
	t := figures.Table{Title: "Time until Start returns", Columns: []string{"OTLP to", "time", "longest"}}
	detectors, longest := timed(repeats, func() error { return detect() })
	t.Add("the detectors alone", figures.Times(detectors), figures.Duration(longest))
	for _, to := range []struct{ name, endpoint string }{
		{"nowhere", ""},
		{"a port that nobody listens on", "http://" + closed},
		{"an address that answers nothing (192.0.2.1)", "http://192.0.2.1:4317"},
		{"a name that does not resolve", "http://collector.invalid:4317"},
	} {
		took, longest, err := starts(repeats, to.endpoint)
		if err != nil {
			return sec, fmt.Errorf("startup: %s: %w", to.name, err)
		}
		t.Add(to.name, figures.Times(took), figures.Duration(longest))
		sec.Absolute("Start-up: the longest, net of the detectors", to.name, max(0, longest-detectors.Median)/1e6, limit, "ms")
	}
	sec.Tables = append(sec.Tables, t)
	return sec, nil
}

// starts starts so often, and ends everything when all were timed.
func starts(repeats int, endpoint string) (rounds.Spread, float64, error) {
	opts := []exporters.Option{exporters.WithPrometheusAddr("127.0.0.1:0"), exporters.WithShutdownTimeout(10 * time.Millisecond),
		exporters.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil)))}
	if endpoint != "" {
		opts = append(opts, exporters.WithOTLPEndpoint(endpoint))
	}
	var failed error
	var all []*exporters.Telemetry
	spread, longest := timed(repeats, func() error {
		tel, err := exporters.Start(context.Background(), opts...)
		all = append(all, tel)
		if err != nil {
			failed = err
		}
		return err
	})
	var wg sync.WaitGroup
	for _, tel := range all {
		wg.Go(func() { _ = tel.Shutdown(context.Background()) }) // nothing can be delivered
	}
	wg.Wait()
	return spread, longest, failed
}

func timed(repeats int, do func() error) (rounds.Spread, float64) {
	var times []float64
	longest := 0.0
	for range repeats {
		start := time.Now()
		if do() != nil {
			break // told by who gave do
		}
		took := float64(time.Since(start))
		times, longest = append(times, took), max(longest, took)
	}
	return rounds.SpreadOf(times), longest
}

// detect runs the detectors of the resource that Start runs.
func detect() error {
	_, err := resource.New(context.Background(), resource.WithTelemetrySDK(), resource.WithHost(), resource.WithFromEnv(),
		resource.WithProcessPID(), resource.WithProcessExecutableName(), resource.WithProcessRuntimeName(),
		resource.WithProcessRuntimeVersion())
	return err
}

// closedPort is an address that nobody listens on.
func closedPort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
