package livepage

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
)

// manyJobs returns n live jobs, the oldest first. change may change each.
func manyJobs(n int, change func(i int, j *instrument.JobState)) instrument.Snapshot {
	s := instrument.Snapshot{Time: now, LiveJobs: n}
	for i := range n {
		j := instrument.JobState{JobRef: instrument.JobRef{ID: fmt.Sprint("job-", i), Run: uint64(i + 1)}, Start: ago(time.Hour).Add(time.Duration(i) * time.Second)}
		j.Stages = []instrument.StageState{{Name: "rendering", Start: j.Start}}
		change(i, &j)
		s.Live = append(s.Live, j)
	}
	return s
}

// Of 1,000 jobs those that need a look are sent, then the oldest, in the order of their starts. The
// notices are about all of them.
func TestHundredRowsByNeed(t *testing.T) {
	usual := &instrument.Usual{Runs: 20, Shorter: 20, P50: time.Minute}
	s := manyJobs(1000, func(i int, j *instrument.JobState) {
		switch i {
		case 999:
			j.Stages[0].Stalled = ago(time.Minute)
		case 998:
			j.Stages[0].Overdue, j.Stages[0].Usual = true, usual
		case 997:
			j.Budget = &instrument.BudgetState{Account: "x", Limit: 1, Spent: 2}
		case 996:
			j.Budget = &instrument.BudgetState{Account: "y", Limit: 100, Spent: 81}
		case 995:
			j.Budget = &instrument.BudgetState{Account: "z", Limit: 100, Spent: 80}
		}
	})
	var b builder
	out := b.build(s)
	var runs []string
	for _, j := range out.Jobs {
		runs = append(runs, j.Run)
	}
	if out.Running != 1000 || len(runs) != 100 || runs[0] != "1" || runs[95] != "96" || fmt.Sprint(runs[96:]) != "[997 998 999 1000]" {
		t.Errorf("of %d jobs %d are sent: %v", out.Running, len(runs), runs)
	}
	var kinds []string
	for _, n := range out.Attention {
		kinds = append(kinds, n.Kind+" "+n.Run)
	}
	if got := fmt.Sprint(kinds); got != "[stalled 1000 overdue 999 over_budget 998]" {
		t.Errorf("attention: %s", got)
	}
}

// Lists are bounded, however much there is.
func TestListsAreBounded(t *testing.T) {
	s := manyJobs(500, func(_ int, j *instrument.JobState) {
		j.Stages[0].Stalled = ago(time.Minute)
		for range 3 {
			j.Processes = append(j.Processes, instrument.ProcessState{PID: 1, Name: "ffmpeg", Stage: "rendering"})
		}
		for i := range 30 {
			j.Errors = append(j.Errors, instrument.ErrorState{Stage: "rendering", ErrorType: fmt.Sprint("type_", i), Count: 1, Last: now})
		}
	})
	for i := range 200 {
		s.APIs = append(s.APIs, instrument.APIState{API: fmt.Sprint(i)})
		s.Pools = append(s.Pools, instrument.PoolState{Kind: instrument.PoolRedis, Name: fmt.Sprint(i)})
	}
	s.Ended = s.Live
	var b builder
	out := b.build(s)
	got := fmt.Sprint(len(out.Jobs), len(out.Finished), len(out.Attention), len(out.Processes), len(out.APIs), len(out.Pools), len(out.Errors))
	if got != "100 100 100 100 100 100 20" {
		t.Errorf("lengths %s", got)
	}
}

// Runs of one account share its figures.
func TestBudgetCountsAnAccountOnce(t *testing.T) {
	s := manyJobs(4, func(i int, j *instrument.JobState) {
		j.Budget = &instrument.BudgetState{Account: []string{"a", "a", "b", "c"}[i], Limit: 10, Spent: 4, Held: 2, Unconfirmed: 1}
		if i == 3 {
			j.Budget.Limit = instrument.Unlimited
		}
	})
	s.APIs = []instrument.APIState{{API: "x", Refused: 2}, {API: "y", Refused: 3}}
	if got := budgetOf(s); got.Limit != 20 || got.Spent != 8 || got.Held != 4 || got.Unconfirmed != 2 || *got.Refused != 5 {
		t.Errorf("%+v", got)
	}
	s = manyJobs(2, func(i int, j *instrument.JobState) {
		j.Budget = &instrument.BudgetState{Account: fmt.Sprint(i), Limit: math.MaxInt64 - 1, Spent: math.MaxInt64 - 1}
	})
	if got := budgetOf(s); got.Limit <= 0 || got.Spent <= 0 {
		t.Errorf("two huge budgets: %+v", got)
	}
}

// A usual length of 0 makes no figure that JSON cannot have.
func TestOverdueOfWhatUsuallyTakesNoTime(t *testing.T) {
	s := manyJobs(1, func(_ int, j *instrument.JobState) {
		j.Stages[0].Overdue, j.Stages[0].Usual = true, &instrument.Usual{Runs: 20}
	})
	var b builder
	out := b.build(s)
	if marshal(t, out); out.Jobs[0].Overdue != 3_600_000 {
		t.Errorf("overdue %v", out.Jobs[0].Overdue)
	}
}

// Whatever a program calls its jobs, stages and APIs is text in the JSON, and ids are redacted
// wherever they are.
func TestRedactedEverywhere(t *testing.T) {
	const secret = `acme</script><img src=x onerror=alert(1)>'"` + "\u2028"
	p := newPipeline(t, instrument.WithHistory(10))
	page := mustNew(t, p, WithRedact(func(id string) string { return fmt.Sprintf("%q#", id[:1]) }))
	_ = p.RunJob(t.Context(), secret+"ended", func(context.Context) error { return nil })
	ctx, job := p.StartJob(t.Context(), secret+"live", instrument.WithBudget(instrument.Cent))
	defer job.End(nil)
	ctx, stage := instrument.StartStage(ctx, "rendering<b>")
	defer stage.End(nil)
	instrument.Spend(ctx, "gpt<i>", instrument.Dollar)
	s := p.Snapshot(instrument.Query{})
	s.Live[0].Stages[0].Stalled = s.Live[0].Start
	s.Live[0].Stages[0].Overdue, s.Live[0].Stages[0].Usual = true, &instrument.Usual{Runs: 9, P50: 1}
	s.Live[0].Processes = []instrument.ProcessState{{PID: 7, Name: "ffmpeg", Stage: "rendering<b>"}}
	b := page.builder
	for name, text := range map[string][]byte{
		"snapshot.json": marshal(t, b.build(s)),
		"job.json":      marshal(t, answer{version, 0, b.job(s.Live[0], now)}),
		"the page's":    marshal(t, page.snapshot("")),
	} {
		if strings.Contains(string(text), "acme") {
			t.Errorf("%s has the id:\n%s", name, text)
		}
		if strings.ContainsAny(string(text), "<>&\u2028") {
			t.Errorf("%s has markup:\n%s", name, text)
		}
		if !json.Valid(text) || !strings.Contains(string(text), `"\"a\"#"`) {
			t.Errorf("%s: no redacted id:\n%s", name, text)
		}
	}
	if out := b.build(s); len(out.Attention) != 3 || len(out.Processes) != 1 || len(out.Finished) != 1 {
		t.Errorf("not everything is tested: %+v", out)
	}
}

// A filter finds ids as they are shown, and names of stages, in any case. The figures stay those of
// all jobs.
func TestMatch(t *testing.T) {
	s := manyJobs(3, func(i int, j *instrument.JobState) { j.Stages[0].Name = []string{"Rendering", "export", "export"}[i] })
	s.Ended = slices.Clone(s.Live[1:])
	for match, want := range map[string]string{
		"": "3 2", "JOB-1": "1 1", "render": "1 0", "nothing": "0 0", "exp": "2 2",
	} {
		b := builder{match: match}
		out := b.build(s)
		if got := fmt.Sprint(len(out.Jobs), len(out.Finished)); got != want || out.Running != 3 {
			t.Errorf("%q: %s of %d jobs, want %s of 3", match, got, out.Running, want)
		}
	}
	b := builder{match: "job-1", redact: func(string) string { return "#" }}
	if out := b.build(s); len(out.Jobs) != 0 {
		t.Error("a filter finds what is redacted")
	}
}

// What redact does harms nobody: neither a panic nor a Goexit ends the snapshot.
func TestRedactThatFails(t *testing.T) {
	for name, redact := range map[string]func(string) string{
		"panics":  func(string) string { panic("redact") },
		"Goexits": func(string) string { runtime.Goexit(); return "" },
	} {
		calls := 0
		page := mustNew(t, newPipeline(t), WithRedact(func(id string) string {
			if calls++; id == "job-0" {
				return redact(id)
			}
			return "x"
		}))
		b := page.builder
		out := b.build(manyJobs(2, func(int, *instrument.JobState) {}))
		if out.Jobs[0].ID != hidden || out.Jobs[1].ID != "x" {
			t.Errorf("%s: ids %q and %q", name, out.Jobs[0].ID, out.Jobs[1].ID)
		}
		if calls != 2 {
			t.Errorf("%s: called %d times for two ids", name, calls)
		}
	}
}

func TestLengths(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0 ms", 0: "0 ms", 840 * time.Millisecond: "840 ms", 42 * time.Second: "42 s",
		187 * time.Second: "3 m 07 s", 2*time.Hour + 5*time.Minute: "2 h 05 m",
	} {
		if got := span(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234: "-1,234", 1234567: "1,234,567"} {
		if got := count(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
