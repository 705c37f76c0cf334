package instrument_test

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/semconv"
)

// The rivals are the same telemetry by hand: with everything prebuilt that can be ("kept"), and as people write it.
// Rounds of all are interleaved, so that a ratio means something on a busy machine. The ratios are ours by theirs, net
// of the span alone where every span is sampled. With -cpu N, N goroutines do the same stage, call or job at once.
//
//	go test -run - -bench Rivals -cpu 1,2 ./instrument
func BenchmarkRivals(b *testing.B) {
	const budget = 9_000_000_000 * instrument.Dollar
	for _, tracer := range []string{"no tracer", "never", "always"} {
		h := newByHand(b, tracer, 0)
		h.compare(b, "stage/"+tracer, h.spans["stage analysis"], h.stageKept, h.stageWritten,
			func() { _, _ = instrument.RunStageValue(h.ours, "analysis", freeStage) })
		h.compare(b, "job/"+tracer, h.spans["job"], h.jobKept, h.jobWritten,
			func() {
				_ = h.p.RunJob(context.Background(), "job-2", freeJob, instrument.WithVideoDuration(time.Minute))
			})
		h.compare(b, "call/"+tracer, h.spans["call whisper"], h.callKept, h.callWritten,
			func() { _, _ = instrument.RunCallValue(h.ours, "whisper", freePrice, freeCall) })
		h = newByHand(b, tracer, budget)
		h.compare(b, "call, budget/"+tracer, h.spans["call whisper"], h.callKept, h.callWritten,
			func() { _, _ = instrument.RunCallValue(h.ours, "whisper", freePrice, freeCall) })
	}
}

// compare times rounds of each and reports the first quartiles: what other programs take is in the slow rounds.
func (h *byHand) compare(b *testing.B, name string, span func(), kept, written func() error, ours func()) {
	fs := []func(){span, ours, func() { _ = kept() }, func() { _ = written() }}
	h.expectSame(b, ours, fs[2], fs[3])
	b.Run(name, func(b *testing.B) {
		var ns [4][]float64
		for range b.N { // b.Loop would be through before package testing has set GOMAXPROCS to what -cpu says
			for i, f := range fs {
				ns[i] = append(ns[i], timeRound(f))
			}
		}
		var typical [4]float64
		for i := range ns {
			slices.Sort(ns[i])
			typical[i] = ns[i][len(ns[i])/4]
		}
		net := 0.0
		if h.sampled {
			net = typical[0]
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(float64(runtime.GOMAXPROCS(0)), "0-procs")
		for i, what := range []string{"1-span", "2-ours", "3-kept", "4-written"} {
			b.ReportMetric(typical[i], what+"-ns")
			b.ReportMetric(testing.AllocsPerRun(1000, fs[i]), what+"-allocs")
		}
		b.ReportMetric((typical[1]-net)/(typical[2]-net), "5-ours/kept")
		b.ReportMetric((typical[1]-net)/(typical[3]-net), "6-ours/written")
	})
}

// timeRound is the time of one f, measured in a round of many on every processor.
func timeRound(f func()) float64 {
	const n = 4000
	round := func() {
		for range n {
			f()
		}
	}
	var others sync.WaitGroup
	start := time.Now()
	for range runtime.GOMAXPROCS(0) - 1 {
		others.Go(round)
	}
	round()
	others.Wait()
	return float64(time.Since(start)) / n
}

// series is what a reader gives: values of sums, counts of histograms.
func series(b *testing.B, reader *sdkmetric.ManualReader) map[string]float64 {
	var rm metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &rm); err != nil {
		b.Fatal(err)
	}
	all := make(map[string]float64)
	var metrics []metricdata.Metrics
	for _, scope := range rm.ScopeMetrics {
		metrics = append(metrics, scope.Metrics...)
	}
	for _, m := range metrics {
		add := func(set attribute.Set, v float64) { all[fmt.Sprint(m.Name, set.ToSlice())] = v }
		switch data := m.Data.(type) {
		case metricdata.Sum[int64]:
			for _, p := range data.DataPoints {
				add(p.Attributes, float64(p.Value))
			}
		case metricdata.Sum[float64]:
			for _, p := range data.DataPoints {
				add(p.Attributes, p.Value)
			}
		case metricdata.Gauge[float64]:
			for _, p := range data.DataPoints {
				add(p.Attributes, p.Value)
			}
		case metricdata.Histogram[float64]:
			for _, p := range data.DataPoints {
				add(p.Attributes, float64(p.Count))
			}
		}
	}
	return all
}

// expectSame stops a comparison of unlike things: what the rivals add to a series, this package adds too.
func (h *byHand) expectSame(b *testing.B, ours, kept, written func()) {
	before := [2]map[string]float64{series(b, h.readers[0]), series(b, h.readers[1])}
	ours()
	ours()
	kept()
	written()
	after := [2]map[string]float64{series(b, h.readers[0]), series(b, h.readers[1])}
	for s, v := range after[1] {
		got, want := after[0][s]-before[0][s], v-before[1][s]
		if math.Abs(got-want) > 1e-12 && s[:len(semconv.BudgetRemainingName)] != semconv.BudgetRemainingName {
			b.Fatalf("%s: %v here, %v by hand", s, got, want)
		}
	}
}
