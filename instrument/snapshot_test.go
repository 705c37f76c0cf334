package instrument_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/semconv"
)

// Without details a snapshot has the figures of each live job, at no cost to its stages and calls.
func TestSnapshotOfLiveJobs(t *testing.T) {
	p, _ := instrumenttest.New(t)
	if got := p.Snapshot(instrument.Query{}); len(got.Live) != 0 || got.LiveJobs != 0 || got.Time.IsZero() {
		t.Errorf("before any job: %+v", got)
	}
	before := time.Now()
	ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(dollar), instrument.WithAttempt(2, 5),
		instrument.WithJobType("dubbing"), instrument.WithVideoDuration(90*time.Second))
	if err := buy(ctx, "gpt", 25*cent); err != nil {
		t.Fatal(err)
	}
	cctx, call, err := instrument.StartCall(ctx, "whisper", instrument.WithMaxCost(30*cent))
	if err != nil {
		t.Fatal(err)
	}
	instrument.ReportProgress(cctx, 1, 4)
	_, other := p.StartJob(t.Context(), "job-2")
	s := p.Snapshot(instrument.Query{})
	if len(s.Live) != 2 || s.LiveJobs != 2 || len(s.Ended) != 0 {
		t.Fatalf("snapshot %+v", s)
	}
	j := s.Live[0]
	if want := (instrument.JobRef{ID: "job-1", Run: 1, Type: "dubbing", Attempt: 2, MaxAttempts: 5}); j.JobRef != want {
		t.Errorf("job %+v, want %+v", j.JobRef, want)
	}
	if j.TraceID == "" || j.Start.Before(before) || !j.End.IsZero() || j.Video != 90*time.Second || j.Cost != 25*cent {
		t.Errorf("status %+v", j)
	}
	if len(j.Costs) != 1 || j.Costs[0] != (instrument.APICost{API: "gpt", Cost: 25 * cent}) {
		t.Errorf("costs %+v", j.Costs)
	}
	if want := (instrument.BudgetState{Account: "job-1", Limit: dollar, Spent: 25 * cent, Held: 30 * cent}); j.Budget == nil || *j.Budget != want {
		t.Errorf("budget %+v, want %+v", j.Budget, want)
	}
	if j.Progress == nil || j.Progress.Done != 1 || len(j.Stages)+len(j.Calls) != 0 || j.Quality.Segments != -1 {
		t.Errorf("status %+v", j)
	}
	if s.Live[1].Budget != nil || s.Live[1].Costs != nil || s.Live[1].Run != 2 {
		t.Errorf("second job %+v", s.Live[1])
	}
	call.End(nil)
	job.End(nil)
	other.End(nil)
	if got := p.Snapshot(instrument.Query{}); len(got.Live)+len(got.Ended) != 0 {
		t.Errorf("after the end: %+v", got)
	}
}

func TestSnapshotWithDetails(t *testing.T) {
	p, _ := instrumenttest.New(t, instrument.WithHistory(10))
	broken := errors.New("broken")
	err := p.RunJob(t.Context(), "job-1", func(ctx context.Context) error {
		err := instrument.RunStage(ctx, "analysis", func(ctx context.Context) error {
			instrument.RecordSegments(ctx, 2)
			instrument.RecordSegments(ctx, 3)
			instrument.RecordHighlight(ctx, 0.5)
			instrument.RecordHighlight(ctx, 7) // not valid
			instrument.RecordLoudnessSpread(ctx, instrument.BeforeNormalization, 9)
			instrument.RecordLoudnessSpread(ctx, instrument.AfterNormalization, 1)
			instrument.RecordNormalization(ctx, -3)
			instrument.RecordError(ctx, broken)
			return instrument.RunStage(ctx, "decoding", func(ctx context.Context) error {
				cmd := exec.CommandContext(ctx, "sleep", "60")
				proc, err := instrument.StartProcess(ctx, cmd)
				if err != nil {
					return err
				}
				j := p.Snapshot(instrument.Query{}).Live[0]
				if len(j.Processes) != 1 || j.Processes[0].Name != "sleep" || j.Processes[0].PID <= 0 {
					t.Errorf("processes %+v", j.Processes)
				}
				if len(j.Stages) != 2 || j.Stages[0].Name != "analysis" || j.Stages[0].Depth != 0 || j.Stages[1].Depth != 1 || !j.Stages[1].End.IsZero() {
					t.Errorf("stages %+v", j.Stages)
				}
				_, call, err := instrument.StartCall(ctx, "gpt", instrument.WithMaxCost(5*cent))
				if err != nil {
					return err
				}
				if c := p.Snapshot(instrument.Query{}).Live[0].Calls; len(c) != 1 || c[0].API != "gpt" || c[0].Stage != "decoding" || !c[0].End.IsZero() || c[0].MaxCost != 5*cent {
					t.Errorf("calls %+v", c)
				}
				call.SetCost(4 * cent)
				call.End(nil)
				_, unpriced, _ := instrument.StartCall(ctx, "gpt")
				unpriced.End(nil)
				_ = cmd.Process.Kill()
				_ = proc.Wait()
				return nil
			})
		})
		if err != nil {
			return err
		}
		return broken
	})
	if err != broken {
		t.Fatal(err)
	}
	s := p.Snapshot(instrument.Query{})
	if len(s.Live) != 0 || len(s.Ended) != 1 || s.EndedJobs != 1 {
		t.Fatalf("snapshot %+v", s)
	}
	j := s.Ended[0]
	if j.End.Before(j.Start) || j.Outcome.Status != semconv.JobStatusFailed || j.Outcome.ErrorType != "error" || j.Cost != 4*cent || j.Unpriced != 1 {
		t.Errorf("ended %+v", j)
	}
	if len(j.Stages) != 2 || j.Stages[1].End.IsZero() || len(j.Processes) != 0 {
		t.Errorf("stages %+v, processes %+v", j.Stages, j.Processes)
	}
	if len(j.Calls) != 2 || j.Calls[0].End.IsZero() || j.Calls[0].Cost != 4*cent || j.Calls[1].Unpriced != "no_price" {
		t.Errorf("calls %+v", j.Calls)
	}
	if len(j.Errors) != 1 || j.Errors[0].Last.Before(j.Start) || j.Errors[0] != (instrument.ErrorState{Stage: "analysis", ErrorType: "error", Count: 1, Last: j.Errors[0].Last}) {
		t.Errorf("errors %+v", j.Errors)
	}
	q := j.Quality
	if q.Segments != 5 || fmt.Sprint(q.Highlights, q.LoudnessBefore, q.LoudnessAfter, q.Gains) != "[0.5] [9] [1] [-3]" {
		t.Errorf("quality %+v", q)
	}
}

// What is kept of one job is bounded, and what is under way is never dropped.
func TestSnapshotIsBounded(t *testing.T) {
	const many = 1000
	p, _ := instrumenttest.New(t, instrument.WithDetails(), instrument.WithNameLimit(2000))
	ctx, job := p.StartJob(t.Context(), "job-1")
	defer job.End(nil)
	_, long := instrument.StartStage(ctx, "long")
	defer long.End(nil)
	for i := range many {
		_ = instrument.RunStage(ctx, "short", func(ctx context.Context) error {
			instrument.RecordHighlight(ctx, 0.5)
			instrument.RecordHighlight(ctx, 0.5)
			instrument.RecordError(ctx, errors.New("x"))
			return nil
		})
		_ = buy(ctx, "gpt", cent)
		instrument.RecordError(ctx, typedError(fmt.Sprint("type_", i)))
	}
	j := p.Snapshot(instrument.Query{}).Live[0]
	if len(j.Stages) != 64 || j.MoreStages != many+1-64 || j.Stages[0].Name != "long" || !j.Stages[0].End.IsZero() {
		t.Errorf("%d stages and %d more, the first %+v", len(j.Stages), j.MoreStages, j.Stages[0])
	}
	if len(j.Calls) != 64 || j.MoreCalls != many-64 {
		t.Errorf("%d calls and %d more", len(j.Calls), j.MoreCalls)
	}
	if len(j.Errors) != 32 || j.Errors[0].Count != many || j.MoreErrors != many+1-32 {
		t.Errorf("%d errors and %d more, %+v", len(j.Errors), j.MoreErrors, j.Errors[0])
	}
	if len(j.Quality.Highlights) != 1000 {
		t.Errorf("%d highlights", len(j.Quality.Highlights))
	}
}

// Stages, calls and processes that do not end are bounded too.
func TestSnapshotOfMuchUnderWay(t *testing.T) {
	p, _ := instrumenttest.New(t, instrument.WithDetails())
	ctx, job := p.StartJob(t.Context(), "job-1")
	defer job.End(nil)
	status := func() instrument.JobState { return p.Snapshot(instrument.Query{}).Live[0] }
	const many = 1100
	var stages []*instrument.Stage
	for range many {
		_, stage := instrument.StartStage(ctx, "decoding")
		stages = append(stages, stage)
		_, _, _ = instrument.StartCall(ctx, "gpt")
	}
	if s := status(); len(s.Stages) != 1000 || s.MoreStages != 100 || len(s.Calls) != 1000 || s.MoreCalls != 100 {
		t.Errorf("%d stages and %d more, %d calls and %d more", len(s.Stages), s.MoreStages, len(s.Calls), s.MoreCalls)
	}
	for _, stage := range stages {
		stage.End(nil)
	}
	_, last := instrument.StartStage(ctx, "rendering")
	defer last.End(nil)
	if s := status(); len(s.Stages) != 64 || s.MoreStages != many+1-64 || s.Stages[63].Name != "rendering" {
		t.Errorf("%d stages and %d more once they have ended", len(s.Stages), s.MoreStages)
	}

	var processes []*instrument.Process
	for range 66 {
		process, err := instrument.StartProcess(ctx, exec.Command("true")) // under way until Wait
		if err != nil {
			t.Fatal(err)
		}
		processes = append(processes, process)
	}
	if s := status(); len(s.Processes) != 64 || s.MoreProcesses != 2 {
		t.Errorf("%d processes and %d more, want 64 and 2", len(s.Processes), s.MoreProcesses)
	}
	for _, process := range processes[1:65] {
		_ = process.Wait()
	}
	if s := status(); len(s.Processes) != 1 || s.MoreProcesses != 1 {
		t.Errorf("%d processes and %d more, want 1 and 1", len(s.Processes), s.MoreProcesses)
	}
	_, _ = processes[0].Wait(), processes[65].Wait()
}

// A job that has no series of its own still shows what it pays for.
func TestSnapshotBeyondTheLimitOfSeries(t *testing.T) {
	p, _ := instrumenttest.New(t, instrument.WithLiveJobLimit(1))
	_, shown := p.StartJob(t.Context(), "job-1")
	defer shown.End(nil)
	ctx, job := p.StartJob(t.Context(), "job-2")
	defer job.End(nil)
	instrument.Spend(ctx, "gpu", 30*cent)
	instrument.Spend(ctx, "gpu", 30*cent)
	if got := p.Snapshot(instrument.Query{Job: "job-2"}).Live[0]; len(got.Costs) != 1 || got.Costs[0] != (instrument.APICost{API: "gpu", Cost: 60 * cent}) {
		t.Errorf("costs %+v, want $0.60 of gpu", got.Costs)
	}
}

// A job that ends is live or ended in every snapshot, and not both.
func TestSnapshotWhileAJobEnds(t *testing.T) {
	var p *instrument.Pipeline
	seen := 0
	look := func() {
		s := p.Snapshot(instrument.Query{})
		if seen++; len(s.Live)+len(s.Ended) != 1 || s.LiveJobs+s.EndedJobs != 1 {
			t.Errorf("look %d: %d live and %d ended jobs, want 1 in all", seen, s.LiveJobs, s.EndedJobs)
		}
	}
	tracers := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(looksAtEnds(look)))
	p, _ = instrumenttest.New(t, instrument.WithHistory(1), instrument.WithTracerProvider(tracers),
		instrument.WithOutcome(func(error) semconv.Outcome { look(); return "" }),
		instrument.WithEvents(instrument.Events{JobEnded: func(context.Context, instrument.JobEvent) { look() }}))
	_ = p.RunJob(t.Context(), "job-1", func(context.Context) error { return io.ErrUnexpectedEOF })
	if seen != 3 {
		t.Errorf("looked %d times, want 3", seen)
	}
}

// looksAtEnds is a span processor that calls a function whenever a span ends.
type looksAtEnds func()

func (looksAtEnds) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (f looksAtEnds) OnEnd(sdktrace.ReadOnlySpan)                   { f() }
func (looksAtEnds) Shutdown(context.Context) error                  { return nil }
func (looksAtEnds) ForceFlush(context.Context) error                { return nil }

type typedError string

func (e typedError) Error() string     { return string(e) }
func (e typedError) ErrorType() string { return string(e) }

func TestSnapshotQuery(t *testing.T) {
	p, _ := instrumenttest.New(t, instrument.WithHistory(3))
	for _, id := range []string{"a", "b", "a", "c", "a"} {
		_, job := p.StartJob(t.Context(), id)
		job.End(nil)
	}
	for range 3 {
		_, job := p.StartJob(t.Context(), "a")
		defer job.End(nil)
	}
	runs := func(jobs []instrument.JobState) (runs []uint64) {
		for _, j := range jobs {
			runs = append(runs, j.Run)
		}
		return runs
	}
	for _, tt := range []struct {
		q    instrument.Query
		want string
	}{
		{instrument.Query{}, "[6 7 8] 3, [5 4 3] 3"},
		{instrument.Query{Limit: 2}, "[6 7] 3, [5 4] 3"},
		{instrument.Query{Job: "a"}, "[6 7 8] 3, [5 3] 2"},
		{instrument.Query{Job: "a", Limit: 1}, "[6] 3, [5] 2"},
		{instrument.Query{Run: 4}, "[] 0, [4] 1"},
		{instrument.Query{Run: 7}, "[7] 1, [] 0"},
		{instrument.Query{Job: "b"}, "[] 0, [] 0"}, // no longer kept
	} {
		s := p.Snapshot(tt.q)
		if got := fmt.Sprintf("%v %d, %v %d", runs(s.Live), s.LiveJobs, runs(s.Ended), s.EndedJobs); got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.q, got, tt.want)
		}
	}
	s := p.Snapshot(instrument.Query{})
	s.Ended[0].Run = 99
	if got := p.Snapshot(instrument.Query{}).Ended[0].Run; got != 5 {
		t.Errorf("a caller has changed the history: run %d", got)
	}
}

func TestSnapshotOfNothing(t *testing.T) {
	var p *instrument.Pipeline
	if s := p.Snapshot(instrument.Query{}); len(s.Live)+len(s.Ended) != 0 {
		t.Errorf("a nil pipeline shows %+v", s)
	}
	if _, err := instrument.New(instrument.WithHistory(-1)); err == nil {
		t.Error("a negative history is no error")
	}
}

func TestSnapshotWhileJobsRun(t *testing.T) {
	p, _ := instrumenttest.New(t, instrument.WithHistory(5), instrument.WithEvents(new(diary).events()))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 50 {
				_ = p.RunJob(context.Background(), fmt.Sprint("job-", i%3), func(ctx context.Context) error {
					return instrument.RunStage(ctx, "analysis", func(ctx context.Context) error {
						instrument.ReportProgress(ctx, 1, 2)
						instrument.RecordHighlight(ctx, 0.5)
						return buy(ctx, "gpt", cent)
					})
				}, instrument.WithBudget(dollar))
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		if s := p.Snapshot(instrument.Query{}); len(s.Live) > 8 || len(s.Ended) > 5 {
			t.Fatalf("%d live and %d ended jobs", len(s.Live), len(s.Ended))
		}
	}
}

// A snapshot belongs to its caller: what is changed in it changes neither the jobs nor other snapshots.
func TestSnapshotIsACopy(t *testing.T) {
	p, _ := instrumenttest.New(t, instrument.WithHistory(1))
	ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(dollar))
	sctx, stage := instrument.StartStage(ctx, "analysis")
	instrument.ReportProgress(sctx, 1, 2)
	instrument.RecordHighlight(sctx, 0.5)
	if err := buy(sctx, "gpt", cent); err != nil {
		t.Fatal(err)
	}
	spoil := func(s *instrument.JobState) {
		s.Progress.Done, s.Stages[0].Progress.Done, s.Budget.Spent = 99, 99, 99
		s.Costs[0].Cost, s.Calls[0].API, s.Quality.Highlights[0], s.Stages[0].Name = 99, "spoiled", 99, "spoiled"
	}
	check := func(when string, s instrument.JobState) {
		t.Helper()
		if s.Progress.Done != 1 || s.Stages[0].Progress.Done != 1 || s.Budget.Spent != cent || s.Costs[0].Cost != cent ||
			s.Calls[0].API != "gpt" || s.Quality.Highlights[0] != 0.5 || s.Stages[0].Name != "analysis" {
			t.Errorf("%s: %+v", when, s)
		}
	}
	spoil(&p.Snapshot(instrument.Query{}).Live[0])
	check("live", p.Snapshot(instrument.Query{}).Live[0])
	stage.End(nil)
	spoil(&p.Snapshot(instrument.Query{}).Live[0])
	check("after the stage", p.Snapshot(instrument.Query{}).Live[0])
	job.End(nil)
	check("ended", p.Snapshot(instrument.Query{}).Ended[0])
	spoil(&p.Snapshot(instrument.Query{}).Ended[0])
	check("ended and changed", p.Snapshot(instrument.Query{}).Ended[0])
}
