// Package event times what a program does for each thing that happens: a stage, a paid call, a job.
package event

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/stagemeter/stagemeter/bench/internal/page"
	"github.com/stagemeter/stagemeter/bench/internal/workload"
	"github.com/stagemeter/stagemeter/exporters"
	"github.com/stagemeter/stagemeter/instrument"
)

// What all rivals measure: one stage of one job whose video is a minute long, and one API at a cent a call.
const (
	stageName = "analysis"
	apiName   = "whisper"
	video     = time.Minute
	price     = 0.01
	budget    = 9e6 // dollars: more than all calls cost
)

// work is what is measured; the result is there because real functions have one.
type work = func(context.Context) (int, error)

// A rival is one way to measure an event.
type rival struct {
	name string
	ctx  context.Context // where the event happens
	// run does the work as one event. The id, of a job, is another one for each that runs at the same time.
	run     func(ctx context.Context, id string, do work) (int, error)
	handler http.Handler // nil: it has no metrics
	close   func()
	fill    func(workload.Workload) error // adds series to what it has; nil where nothing needs it
}

// loop runs n events.
func (r rival) loop(n int) {
	mine := ids[int(turn.Add(1))%len(ids)]
	free := func(context.Context) (int, error) { return 0, nil }
	for i := range n {
		_, _ = r.run(r.ctx, mine[i%len(mine)], free)
	}
}

func (r rival) scrape() (page.Page, error) {
	return page.NewScraper(r.handler, page.Text, "identity").Page()
}

// ids are names of jobs, in parts: a goroutine takes one part, so that no two jobs at the same time have one id.
var (
	turn atomic.Int64
	ids  = func() (parts [16][]string) {
		for p := range parts {
			for i := range 256 {
				parts[p] = append(parts[p], fmt.Sprintf("job-%d-%03d", p, i))
			}
		}
		return parts
	}()
)

// A tracing is what becomes of spans.
type tracing struct {
	name     string
	provider trace.TracerProvider
	net      bool // a span costs so much that ratios leave it out
}

// tracings: without a tracer, and with the SDK's, which samples nothing or everything. Spans that are sampled are
// recorded, and dropped when they end: what exporting them costs is the same for all.
func tracings() []tracing {
	sdk := func(s sdktrace.Sampler) trace.TracerProvider {
		return sdktrace.NewTracerProvider(sdktrace.WithSampler(s), sdktrace.WithSpanProcessor(drop{}))
	}
	return []tracing{
		{"no tracer", tracenoop.NewTracerProvider(), false},
		{"never sampled", sdk(sdktrace.NeverSample()), false},
		{"always sampled", sdk(sdktrace.AlwaysSample()), true},
	}
}

// drop is a processor that does nothing.
type drop struct{}

func (drop) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (drop) OnEnd(sdktrace.ReadOnlySpan)                     {}
func (drop) Shutdown(context.Context) error                  { return nil }
func (drop) ForceFlush(context.Context) error                { return nil }

// The names of the rivals.
const (
	byHand       = "OTel by hand"
	prebuilt     = "OTel prebuilt"
	byLabels     = "client_golang WithLabelValues + span"
	resolved     = "client_golang resolved + span"
	victoriaName = "VictoriaMetrics by name + span"
	victoria     = "VictoriaMetrics resolved + span"
	spanAlone    = "the span alone"
)

// ours is a pipeline of stagemeter as a user sets it up, and a job of it that lives as long as the measurement.
type ours struct {
	tel      *exporters.Telemetry
	pipeline *instrument.Pipeline
	ctx      context.Context // outside of any job
}

// newOurs has no server, unless an option says so.
func newOurs(tracers trace.TracerProvider, opts ...exporters.Option) (*ours, error) {
	if len(opts) == 0 {
		opts = []exporters.Option{exporters.WithoutServer()}
	}
	tel, err := exporters.Start(context.Background(), append(opts, exporters.WithoutGlobals())...)
	if err != nil {
		return nil, err
	}
	p, err := instrument.New(instrument.WithMeterProvider(tel.MeterProvider()), instrument.WithTracerProvider(tracers),
		instrument.WithStages(stageName), instrument.WithAPIs(apiName))
	if err != nil {
		return nil, err
	}
	return &ours{tel, p, instrument.ContextWithPipeline(context.Background(), p)}, nil
}

// job is the context of a job that does not end.
func (o *ours) job(opts ...instrument.JobOption) context.Context {
	ctx, _ := o.pipeline.StartJob(context.Background(), "job-1", append(opts, instrument.WithVideoDuration(video))...)
	return ctx
}

func (o *ours) fill(c workload.Workload) error { return workload.FillMeters(o.tel.MeterProvider(), c) }

func (o *ours) close() { _ = o.tel.Shutdown(context.Background()) } // nothing is pushed, nothing is served

// newSpanAlone is the span of an event and nothing else, with all prebuilt: what every rival with a tracer pays.
func newSpanAlone(tracers trace.TracerProvider, name string, kind trace.SpanKind, attrs ...attribute.KeyValue) rival {
	tracer := tracers.Tracer("bench")
	opts := []trace.SpanStartOption{trace.WithSpanKind(kind), trace.WithAttributes(attrs...)}
	return rival{name: spanAlone, ctx: context.Background(), close: func() {},
		run: func(ctx context.Context, _ string, do work) (int, error) {
			ctx, span := tracer.Start(ctx, name, opts...)
			defer span.End()
			return do(ctx)
		}}
}
