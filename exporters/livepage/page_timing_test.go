package livepage

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"syscall"
	"testing"
	"time"

	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/stagemeter/stagemeter/exporters"
	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// BenchmarkMounted times a stage and a paid call in it, with a page that nobody looks at and without
// one.
func BenchmarkMounted(b *testing.B) {
	for _, mounted := range []bool{false, true} {
		name := "without"
		if mounted {
			name = "with"
		}
		b.Run(name, func(b *testing.B) {
			p := newPipeline(b, instrument.WithTracerProvider(tracenoop.NewTracerProvider()))
			if mounted {
				mustNew(b, p)
			}
			ctx, job := p.StartJob(b.Context(), "job-1")
			defer job.End(nil)
			b.ReportAllocs()
			for b.Loop() {
				ctx, stage := instrument.StartStage(ctx, "analysis")
				_, call, _ := instrument.StartCall(ctx, "whisper")
				call.SetCost(instrument.Cent)
				call.End(nil)
				stage.End(nil)
			}
		})
	}
}

// busyPage returns a page of 1,000 live jobs and as many that have ended, each with five stages, of
// which earlier runs are known, and four calls.
func busyPage(b *testing.B, tel *exporters.Telemetry) *Page {
	b.Helper()
	stages := []string{"validation", "analysis", "transcription", "normalization", "rendering"}
	p := newPipeline(b, instrument.WithStages(stages...), instrument.WithTracerProvider(tracenoop.NewTracerProvider()))
	page, err := New(tel, p)
	if err != nil {
		b.Fatal(err)
	}
	for i := range 2000 {
		ctx, job := p.StartJob(b.Context(), fmt.Sprint("interview-", i), instrument.WithBudget(2*instrument.Dollar), instrument.WithVideoDuration(time.Duration(i+1)*time.Second))
		for k, name := range stages {
			ctx, stage := instrument.StartStage(ctx, name)
			if k < 4 {
				_ = instrument.RunCall(ctx, "whisper", func(ctx context.Context) error {
					instrument.CallFromContext(ctx).SetCost(money.Mul(instrument.Dollar/1000, int64(i*k)))
					return nil
				})
			}
			instrument.ReportProgress(ctx, float64(k+1), 10, instrument.WithUnit("s"), instrument.WithSpeed(1.5))
			if i < 1000 || k < 4 {
				stage.End(nil)
			} else {
				b.Cleanup(func() { stage.End(nil) })
			}
		}
		if i < 1000 {
			job.End(nil)
		} else {
			b.Cleanup(func() { job.End(nil) })
		}
	}
	return page
}

// BenchmarkTick times what a page costs each second while anybody looks: ns/op is for one second.
func BenchmarkTick(b *testing.B) {
	page := busyPage(b, nil)
	var e *encoded
	b.ReportAllocs()
	for b.Loop() {
		page.encoder.forget()
		var err error
		if e, err = page.encoder.now(); err != nil {
			b.Fatal(err)
		}
		e.blocks()
	}
	b.ReportMetric(float64(len(e.plain)), "json-B")
	b.ReportMetric(float64(len(e.blocks())), "sent-B")
}

// BenchmarkTenClients has ten clients over real connections, and reports the CPU time of the process
// each second, the clients' own part, which is unpacked nowhere, among it.
func BenchmarkTenClients(b *testing.B) {
	tel := startTelemetry(b)
	page := busyPage(b, tel)
	if err := tel.Handle("/live/", page); err != nil {
		b.Fatal(err)
	}
	ctx, leave := context.WithCancel(b.Context())
	defer leave()
	for range 10 {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+tel.Addr().String()+"/live/events", nil)
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("Accept-Encoding", "gzip")
		transport := &http.Transport{DisableCompression: true}
		resp, err := transport.RoundTrip(r)
		if err != nil {
			b.Fatal(err)
		}
		defer transport.CloseIdleConnections()
		defer resp.Body.Close()
		go func() { _, _ = io.Copy(io.Discard, resp.Body) }()
	}
	before, seconds := cpu(), 0
	for b.Loop() {
		time.Sleep(every)
		seconds++
	}
	b.ReportMetric(float64((cpu()-before).Microseconds())/1000/float64(seconds), "cpu-ms/s")
}

// cpu returns the CPU time that the process has used.
func cpu() time.Duration {
	var used syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
