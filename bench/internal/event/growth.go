package event

import (
	"context"
	"fmt"
	"runtime"
	"time"

	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/stagemeter/stagemeter/bench/internal/figures"
	"github.com/stagemeter/stagemeter/bench/internal/rounds"
	"github.com/stagemeter/stagemeter/instrument"
)

// growth measures whether the end of a job depends on what the job has done. There is no rival here: the figure to
// compare with is that of a job that has done little.
func growth(sec *figures.Section, s rounds.Settings) error {
	t := figures.Table{Title: "The end of a job, after so many stages and calls",
		Columns: []string{"stages and calls", "time", "allocs", "bytes"}}
	allocs := make(map[int]float64)
	sizes := []int{1, 10, 1000}
	for _, n := range sizes {
		o, err := newOurs(tracenoop.NewTracerProvider())
		if err != nil {
			return err
		}
		var nanos, count, bytes []float64
		for range max(s.Rounds, 5) {
			end := o.end(n)
			nanos, count, bytes = append(nanos, end.Nanos), append(count, end.Allocs), append(bytes, end.Bytes)
		}
		o.close()
		allocs[n] = rounds.SpreadOf(count).Median
		t.Add(fmt.Sprint(n), figures.Times(rounds.SpreadOf(nanos)), figures.Figure(allocs[n]),
			figures.Figure(rounds.SpreadOf(bytes).Median))
	}
	sec.Tables = append(sec.Tables, t)
	for _, n := range sizes[1:] {
		sec.Absolute("A job: allocations of its end, more than after 1 stage and call", fmt.Sprintf("after %d", n),
			allocs[n]-allocs[1], 0, "")
	}
	return nil
}

// end measures the end of a job that has had n stages and calls.
func (o *ours) end(n int) rounds.Turn {
	ctx, j := o.pipeline.StartJob(o.ctx, "job-2", instrument.WithVideoDuration(video))
	free := func(context.Context) (int, error) { return 0, nil }
	cent := func(int) instrument.USD { return instrument.Cent }
	for range n {
		_, _ = instrument.RunStageValue(ctx, stageName, free)
		_, _ = instrument.RunCallValue(ctx, apiName, cent, free)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	j.End(nil)
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	return rounds.Turn{
		Nanos:  float64(took),
		Allocs: float64(after.Mallocs - before.Mallocs),
		Bytes:  float64(after.TotalAlloc - before.TotalAlloc),
	}
}
