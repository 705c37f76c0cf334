package trial

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
)

// An audit is a log of events from which the totals are added up again.
type audit struct {
	mu      sync.Mutex
	b       *books
	crossed map[string]int

	progress int
	log      []string
	ended    float64 // dollars that jobs had cost when they ended
	after    float64 // dollars of calls of no job, or of one that had ended
	runs     map[uint64]bool
}

func newAudit() *audit {
	return &audit{b: newBooks(), crossed: make(map[string]int), runs: make(map[uint64]bool)}
}

func (a *audit) events() instrument.Events {
	return instrument.Events{
		JobStarted: func(_ context.Context, e instrument.JobEvent) {
			a.b.add(1, "jobs_total", "status", "processing", "job_type", e.Job.Type)
			a.set(e.Job.Run, true)
		},
		JobEnded: func(_ context.Context, e instrument.JobEvent) {
			a.set(e.Job.Run, false)
			a.b.add(1, "attempts_total", "outcome", string(e.Outcome.Attempt), "job_type", e.Job.Type)
			if status := string(e.Outcome.Status); status != "" {
				a.b.add(1, "jobs_total", "status", status, "job_type", e.Job.Type)
				a.b.add(1, "job_duration_seconds_count", "status", status, "job_type", e.Job.Type)
				a.b.add(1, "cost_per_job_usd_count")
			}
			a.mu.Lock()
			defer a.mu.Unlock()
			a.ended += e.Cost.Float64()
		},
		StageEnded: func(_ context.Context, e instrument.StageEvent) {
			a.b.add(1, "duration_seconds_count", "stage", e.Stage)
		},
		CallEnded: func(_ context.Context, e instrument.CallEvent) {
			status := "success"
			switch {
			case e.Canceled:
				status = "canceled"
			case e.ErrorType != "":
				status = "error"
				a.b.add(1, "api_errors_total", "api", e.API, "error_type", e.ErrorType)
			}
			a.b.add(1, "api_calls_total", "api", e.API, "status", status)
			a.b.add(1, "api_call_duration_seconds_count", "api", e.API)
			if e.Unpriced != "" {
				a.b.add(1, "api_unpriced_total", "api", e.API, "reason", e.Unpriced)
			}
			a.mu.Lock()
			defer a.mu.Unlock()
			if !a.runs[e.Job.Run] {
				a.after += e.Cost.Float64()
			}
		},
		CallRefused: func(_ context.Context, e instrument.CallEvent) {
			a.b.add(1, "api_calls_total", "api", e.API, "status", "refused")
		},
		Progress: func(context.Context, instrument.ProgressEvent) {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.progress++
		},
		Threshold: func(_ context.Context, e instrument.ThresholdEvent) {
			a.mu.Lock()
			defer a.mu.Unlock()
			id := e.Crossing.Scope.ID
			if strings.HasPrefix(id, "unnamed~") {
				id = "unnamed"
			}
			a.log = append(a.log, fmt.Sprintf("told %v", e.Crossing))
			a.crossed[fmt.Sprint(e.Crossing.Scope.Kind, ":", id, " ", e.Crossing.Percent)]++
			if e.Crossing.Percent == 101 {
				a.b.add(1, "budget_exceeded_total")
			}
		},
	}
}

func (a *audit) set(run uint64, live bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.runs[run] = live
}

// compareCounts compares what the events add up to with what was shown. Only what is no event is left out.
func (a *audit) compareCounts(t *testing.T, shown map[string]float64) {
	t.Helper()
	for _, d := range differences(a.b.all(), keep(shown, "jobs_total", "attempts_total", "job_duration_seconds_count", "cost_per_job_usd_count",
		"duration_seconds_count", "api_calls_total", "api_errors_total", "api_call_duration_seconds_count", "api_unpriced_total", "budget_exceeded_total")) {
		t.Error("by the events ", d)
	}
}

// compareCost compares the costs that the events add up to. Rest is what no event tells.
func (a *audit) compareCost(t *testing.T, shown map[string]float64, rest float64) {
	t.Helper()
	total := 0.0
	for name, v := range shown {
		if strings.HasPrefix(name, prefix+"cost_usd_total") {
			total += v
		}
	}
	if sum := a.ended + a.after + rest; math.Abs(sum-total) > 1e-9*max(1, total) {
		t.Errorf("the events add up to %v dollars, cost_usd_total to %v", sum, total)
	}
}
