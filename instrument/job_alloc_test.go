//go:build !race

// The race detector allocates where the program does not.

package instrument_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
)

// busyJob starts a job with a budget in which n stages, failed stages, calls, failed calls, costs and errors were.
func busyJob(p *instrument.Pipeline, n int) (context.Context, *instrument.Job) {
	ctx, job := p.StartJob(context.Background(), "job-1", instrument.WithBudget(9_000_000_000*instrument.Dollar))
	for range n {
		work(ctx)
	}
	return ctx, job
}

func work(ctx context.Context) {
	_, _ = instrument.RunStageValue(ctx, "analysis", freeStage)
	_, _ = instrument.RunStageValue(ctx, "rendering", failStage)
	_, _ = instrument.RunCallValue(ctx, "whisper", freePrice, freeCall)
	_, _ = instrument.RunCallValue(ctx, "whisper", nil, failStage, instrument.WithMaxCost(instrument.Cent))
	instrument.Spend(ctx, "gpu", instrument.Cent)
	instrument.RecordError(ctx, errDecoder)
}

// A job that runs for days does as much work as one of a minute for each of its stages and calls, and ends as quickly.
func TestJobAllocationsDoNotGrow(t *testing.T) {
	p := measuredPipeline(t)
	var work1, end1 float64
	for _, done := range []int{1, 100, 10_000} {
		ctx, job := busyJob(p, done)
		perWork := testing.AllocsPerRun(100, func() { work(ctx) })
		jobs := []*instrument.Job{job, nil, nil, nil, nil, nil}
		for i := range jobs[1:] {
			_, jobs[i+1] = busyJob(p, done)
		}
		err := fmt.Errorf("after %d: %w", done, errDecoder)
		perEnd := testing.AllocsPerRun(len(jobs)-1, func() { jobs[0].End(&err); jobs = jobs[1:] })
		if done == 1 {
			work1, end1 = perWork, perEnd
		}
		if perWork > work1 || perEnd > end1+1 { // 1: the runtime has its own
			t.Errorf("after %d: %v allocations for the same work and %v for End, after 1: %v and %v", done, perWork, perEnd, work1, end1)
		}
	}
}

// What a job remembers, such as the errors that are counted, is bounded: retries without end do not fill the memory.
func TestAllocationsThatAJobKeepsAreBounded(t *testing.T) {
	p := measuredPipeline(t)
	ctx, job := busyJob(p, 1000)
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	const each, n = 10_000, 10_000
	for i := range n {
		_, _ = instrument.RunStageValue(ctx, "analysis", func(ctx context.Context) (int, error) {
			err := errors.New(strings.Repeat("x", each) + fmt.Sprint(i))
			instrument.RecordError(ctx, err)
			return 0, err
		})
		work(ctx)
	}
	if after := heap(); after > before+n*each/20 {
		t.Errorf("%d errors of %d bytes keep %d bytes alive", n, each, after-before)
	}
	job.End(nil)
}
