package screen

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vbauerster/mpb/v8"

	"github.com/stagemeter/stagemeter/instrument"
)

func TestLines(t *testing.T) {
	var b bytes.Buffer
	s := NewLines(&b)
	work(s, "a-1")
	s.Close()
	s.Printf("after %d", 1)
	const want = `a-1  started
a-1  validation       1.5 s: 24s
a-1  rendering        0.2 s
a-1  completed: out.mp4
after 1
`
	if got := b.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A pipeline is a snapshot that a test changes.
type pipeline struct {
	mu   sync.Mutex
	live []instrument.JobState
}

func (p *pipeline) set(jobs ...instrument.JobState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.live = jobs
}

func (p *pipeline) snapshot() instrument.Snapshot {
	p.mu.Lock()
	defer p.mu.Unlock()
	return instrument.Snapshot{Time: time.Now(), Live: p.live, LiveJobs: len(p.live)}
}

func jobState(id string, share float64, left, most time.Duration) instrument.JobState {
	return instrument.JobState{
		JobRef:   instrument.JobRef{ID: id},
		Estimate: &instrument.Estimate{Fraction: share, Left: left, Least: left / 2, Most: most, Runs: 3, Scaled: true},
		Budget:   &instrument.BudgetState{Limit: 2 * instrument.Dollar, Spent: 31 * instrument.Cent, Held: 6 * instrument.Cent},
	}
}

// Lines say how far a job is when it starts, when a stage is done, when it is stalled or overdue,
// and once a minute.
func TestLinesOfASnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b safeBuffer
		var p pipeline
		s := NewLines(&b)
		s.Watch(p.snapshot)
		p.set(jobState("a-1", 0, 100*time.Second, 130*time.Second))
		job := s.Job("a-1")
		j := jobState("a-1", 0.62, 40*time.Second, 40*time.Second)
		p.set(j)
		job.Finished("validation", 1500*time.Millisecond, "24s")
		render := instrument.StageState{Name: "rendering", Start: time.Now()}
		j.Stages = []instrument.StageState{render}
		p.set(j)
		time.Sleep(90*time.Second + 500*time.Millisecond) // between two looks
		render.Stalled = time.Now().Add(-12 * time.Second)
		render.Overdue, render.Usual = true, &instrument.Usual{Runs: 20, Shorter: 19, P50: time.Minute}
		j.Stages = []instrument.StageState{render}
		j.Processes = []instrument.ProcessState{{Name: "ffmpeg", PID: 4187, Stage: "rendering", CPUSince: time.Now()}, {Name: "cat", Stage: "other"}}
		p.set(j)
		time.Sleep(10 * time.Second)
		render.Stalled = time.Time{}
		j.Stages, j.Estimate = []instrument.StageState{render}, &instrument.Estimate{Fraction: -1, Left: -1, Least: -1, Most: -1}
		p.set(j)
		time.Sleep(10 * time.Second)
		p.set()
		job.End("completed", "out.mp4")
		time.Sleep(time.Hour)
		s.Close()
		s.Close()
		const want = `a-1  started: ≈ 1 m 45 s, up to 2 m 15 s, by 3 earlier runs, scaled by video length
a-1  validation       1.5 s: 24s · 62 % · ≈ 40 s left · $0.31 of $2.00, $0.06 held
a-1  rendering: 62 % · ≈ 40 s left · $0.31 of $2.00, $0.06 held
a-1  rendering has made no progress for 12 s; ffmpeg pid 4187 is alive and used no CPU · 62 % · ≈ 40 s left · $0.31 of $2.00, $0.06 held
a-1  rendering takes long: 19 of 20 earlier runs were done by now · $0.31 of $2.00, $0.06 held
a-1  completed: out.mp4
`
		if got := b.String(); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	})
}

// A bar has the figures of the snapshot.
func TestBarOfASnapshot(t *testing.T) {
	var b safeBuffer
	var p pipeline
	s := newBars(&b, mpb.WithAutoRefresh(), mpb.WithWidth(160)) // of what is no terminal, too
	s.Watch(p.snapshot)
	job := s.Job("a-1")
	j := jobState("a-1", 0.62, 100*time.Second, 130*time.Second)
	j.Stages = []instrument.StageState{{Name: "rendering", Stalled: time.Now().Add(-48500 * time.Millisecond)}}
	p.set(j)
	for _, want := range []string{"a-1", "rendering", " 62 %", "‖ stalled 4", "≈ 1 m 45 s, up to 2 m 15 s", "$0.31 of $2.00, $0.06 held"} {
		for !strings.Contains(b.String(), want) {
			time.Sleep(10 * time.Millisecond)
			if t.Context().Err() != nil {
				t.Fatalf("%q is missing in\n%s", want, b.String())
			}
		}
	}
	job.End("canceled", "")
	s.Close()
}

func TestMoney(t *testing.T) {
	for _, test := range []struct {
		want string
		job  instrument.JobState
	}{
		{"$0", instrument.JobState{}},
		{"$0.0024", instrument.JobState{Cost: 2_400_000}},
		{"unpriced", instrument.JobState{Unpriced: 2}},
		{"$0.0024 + 2 unpriced", instrument.JobState{Cost: 2_400_000, Unpriced: 2}},
		{"$0.0024", instrument.JobState{Cost: 2_400_000, Budget: &instrument.BudgetState{Limit: instrument.Unlimited}}},
		// The account has what earlier runs have spent, too.
		{"$0.05 of $2.00", instrument.JobState{Cost: 2_400_000, Budget: &instrument.BudgetState{Limit: 2 * instrument.Dollar, Spent: 5 * instrument.Cent}}},
	} {
		if got := moneyOf(&test.job); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

// Jobs come and go at once, and lines are written meanwhile and when all is over: nothing hangs,
// and no line is lost or torn.
func TestBars(t *testing.T) {
	var b safeBuffer
	var p pipeline
	s := newBars(&b, mpb.WithAutoRefresh()) // draws although this is no terminal
	s.Watch(p.snapshot)
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() { work(s, fmt.Sprintf("job-%d", i)) })
	}
	wait.Wait()
	s.Close()
	s.Printf("after the bars")
	s.Close()
	for i := range 8 {
		for _, line := range []string{"validation       1.5 s: 24s", "rendering        0.2 s", "completed: out.mp4"} {
			if want := fmt.Sprintf("job-%d  %s\n", i, line); !strings.Contains(b.String(), want) {
				t.Errorf("%q is missing in\n%s", want, b.String())
			}
		}
	}
	if !strings.HasSuffix(b.String(), "after the bars\n") {
		t.Errorf("what is written after the bars is lost:\n%s", b.String())
	}
}

func work(s Screen, id string) {
	job := s.Job(id)
	job.Finished("validation", 1500*time.Millisecond, "24s")
	job.Finished("rendering", 200*time.Millisecond, "")
	job.End("completed", "out.mp4")
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
