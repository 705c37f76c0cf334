package browser

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/exporters"
	"github.com/stagemeter/stagemeter/exporters/livepage"
	"github.com/stagemeter/stagemeter/instrument"
)

// A program is telemetry with the live page, and a pipeline: as in main of a user, but several of them in one process.
type program struct {
	tel  *exporters.Telemetry
	p    *instrument.Pipeline
	addr string
	url  string
}

// serve starts telemetry at an address, and mounts the page on it: of p, or without it of a new pipeline.
func serve(addr string, p *instrument.Pipeline, times []instrument.StageTimes, opts ...exporters.Option) (*program, error) {
	opts = append([]exporters.Option{exporters.WithPrometheusAddr(addr), exporters.WithoutGlobals(),
		exporters.WithServiceName("smartvideoeditor"), exporters.WithServiceVersion("v1.4.0")}, opts...)
	tel, err := exporters.Start(context.Background(), opts...)
	if err == nil && p == nil {
		p, err = instrument.New(instrument.WithMeterProvider(tel.MeterProvider()), instrument.WithTracerProvider(tel.TracerProvider()),
			instrument.WithStages(stages...), instrument.WithAPIs("whisper"), instrument.WithStageTimes(times...))
	}
	if err == nil {
		err = livepage.Mount(tel, p)
	}
	if err != nil {
		shutDown(tel)
		return nil, err
	}
	return &program{tel: tel, p: p, addr: tel.Addr().String(), url: "http://" + tel.Addr().String() + "/"}, nil
}

// stages are the declared ones, in their order.
var stages = []string{"validation", "analysis", "transcription", "normalization", "rendering"}

// start serves a program of the test's own, which ends with it.
func start(t *testing.T, opts ...exporters.Option) *program {
	t.Helper()
	m, err := serve("127.0.0.1:0", nil, nil, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shutDown(m.tel) })
	return m
}

// startAgain serves the pipeline at the address of before.
func (m *program) startAgain(t *testing.T) {
	t.Helper()
	again, err := serve(m.addr, m.p, nil)
	if err != nil {
		t.Fatal(err)
	}
	m.tel = again.tel
	t.Cleanup(func() { shutDown(again.tel) })
}

// startFixed serves a program at a port that the system gives to nobody who asks for any port, so that it can start
// there again.
func startFixed(t *testing.T) *program {
	t.Helper()
	var last error
	for range 50 {
		m, err := serve(fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000)), nil, nil)
		if err == nil {
			t.Cleanup(func() { shutDown(m.tel) })
			return m
		}
		last = err
	}
	t.Fatal(last)
	return nil
}

func shutDown(tel *exporters.Telemetry) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = tel.Shutdown(ctx)
}
