package main

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/budget/sqlledger"
	"github.com/stagemeter/stagemeter/instrument/money"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/editor"
	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/store"
	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/summary"
)

var allStages = []string{"validation", "analysis", "transcription", "titling", "normalization", "rendering"}

// After a kill -9 the next program continues behind the last finished stage. It does not repeat,
// pay for or count finished work again.
func TestResumeAfterKill(t *testing.T) {
	t.Parallel()
	video := talkingVideo(t)
	for _, i := range []int{1, 4} { // in the paid call, and while the reel is written
		finished := allStages[i]
		t.Run("killed after "+finished, func(t *testing.T) {
			out := t.TempDir()
			p := setting{path: hangingRender(t)}.start(t, "-out", out, video)
			p.says(t, "  "+finished+" ")
			p.Signal(t, syscall.SIGKILL)
			if r := p.wait(t); r.exit != -1 || r.jobs != nil {
				t.Fatalf("exit status %d and jobs %v of a program that was killed", r.exit, r.jobs)
			}
			before := checkpoint(t, out, video)
			if before.Status != store.Processing || len(before.Stages) < i+1 {
				t.Fatalf("the checkpoint is %+v", before)
			}

			r := edit(t, "-out", out, video)
			if r.exit != 0 || len(r.jobs) != 1 || r.jobs[0].Status != summary.Completed {
				t.Fatalf("exit status %d, jobs %+v", r.exit, r.jobs)
			}
			job := r.jobs[0]
			playable(t, job.Output)
			if job.Transcript == "" || job.Segments != 2 || job.LoudnessSpreadBeforeLU == nil ||
				len(job.Chapters) == 0 || instrument.Dollars(job.CostUSD) != money.Sum(6*second, chatCost(job)) {
				t.Errorf("got %+v: what the first run found belongs to the job, and six seconds cost $0.0006", job)
			}
			if !slices.Equal(names(job.Stages), allStages) {
				t.Errorf("the stages are %v", names(job.Stages))
			}
			want := map[string]float64{`jobs_total{status="completed"}`: 1, `jobs_total{status="processing"}`: 1}
			for n, name := range allStages {
				count := 0.0
				if n >= len(before.Stages) {
					count = 1
				}
				want[`duration_seconds_count{stage="`+name+`"}`] = count
			}
			r.metrics.want(t, want)
		})
	}
}

// A job that was completed is reported as it was, from its checkpoint, even if the program was
// killed right after it.
func TestCompletedJobIsNotRepeated(t *testing.T) {
	t.Parallel()
	video, out := makeMedia(t, filepath.Join(t.TempDir(), "v.mp4"), args(picture, h264)...), t.TempDir()
	p := start(t, "-out", out, "-hold", "1h", video)
	p.says(t, "serving metrics")
	p.Signal(t, syscall.SIGKILL)
	first := p.wait(t)
	first.metrics.want(t, map[string]float64{`jobs_total{status="completed"}`: 1})

	again := edit(t, "-out", out, video)
	if again.exit != 0 || len(again.jobs) != 1 {
		t.Fatalf("exit status %d, jobs %+v", again.exit, again.jobs)
	}
	if got, want := again.jobs[0], first.jobs[0]; got.ID != want.ID || got.Status != want.Status || got.Output != want.Output ||
		!slices.Equal(got.Stages, want.Stages) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	again.metrics.want(t, map[string]float64{
		`jobs_total{status="queued"}`: 0, `jobs_total{status="processing"}`: 0, `jobs_total{status="completed"}`: 0,
	})

	fresh := edit(t, "-out", t.TempDir(), video)
	fresh.metrics.want(t, map[string]float64{`jobs_total{status="completed"}`: 1})

	// Two copies: one is done, one is new.
	more := edit(t, "-out", out, "-jobs", "2", video)
	if len(more.jobs) != 2 || more.jobs[0].ID != first.jobs[0].ID || more.jobs[1].ID == first.jobs[0].ID {
		t.Errorf("got %+v", more.jobs)
	}
	more.metrics.want(t, map[string]float64{`jobs_total{status="completed"}`: 1})
}

// What a program may have spent that was killed in its paid call counts as spent once the lease of
// the call is over. The job goes on, and pays for the call that it makes.
func TestKilledInPaidCall(t *testing.T) {
	t.Parallel()
	const price = 60 * instrument.Cent / 1000 // of 6 seconds
	var calls atomic.Int64
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if calls.Add(1) == 1 {
			<-r.Context().Done() // the first program is killed
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"text": "hello", "usage": {"type": "duration", "seconds": 6}}`)
	}))
	defer service.Close()
	video, out := talkingVideo(t), t.TempDir()

	p := start(t, "-out", out, "-lease", "1s", "-speech-url", service.URL, video)
	p.WaitUntil(t, within, func(context.Context) error {
		if calls.Load() == 0 {
			return errors.New("no paid call")
		}
		return nil
	})
	p.Signal(t, syscall.SIGKILL)
	p.wait(t)

	ledger, id := ledgerOf(t, out), jobID(t, out, video)
	for {
		bal, err := ledger.Balance(t.Context(), budget.Job, id)
		if err != nil || money.Sum(bal.Spent, bal.Held) != price {
			t.Fatalf("the ledger has %+v, %v: the call was not written down before it was sent", bal, err)
		}
		if bal.Unconfirmed == price {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if c := checkpoint(t, out, video); c.Status != store.Processing || c.Cost != price {
		t.Errorf("the checkpoint has %+v", c)
	}

	r := edit(t, "-out", out, "-speech-url", service.URL, video)
	if r.exit != 0 || len(r.jobs) != 1 || r.jobs[0].Transcript != "hello" || r.jobs[0].CostUSD != (2*price).Float64() {
		t.Fatalf("exit status %d, jobs %+v", r.exit, r.jobs)
	}
	r.metrics.want(t, map[string]float64{`cost_usd_total{api="whisper"}`: price.Float64()})
	bal, err := ledger.Balance(t.Context(), budget.Job, id)
	if err != nil || bal.Spent != 2*price || bal.Unconfirmed != price || bal.Held != 0 {
		t.Errorf("the ledger has %+v, %v", bal, err)
	}
	if c := checkpoint(t, out, video); c.Status != store.Completed || c.Cost != bal.Spent {
		t.Errorf("the checkpoint has %+v, and the ledger %v", c, bal.Spent)
	}
}

// ledgerOf returns the ledger that the ended program has left.
func ledgerOf(t *testing.T, out string) *sqlledger.Ledger {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(out, ".smartvideoeditor", "checkpoints.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	ledger, err := sqlledger.New(t.Context(), db, sqlledger.SQLite)
	if err != nil {
		t.Fatal(err)
	}
	return ledger
}

// checkpoint returns the checkpoint of a video's job that the ended program has left.
func checkpoint(t *testing.T, out, video string) store.Checkpoint {
	t.Helper()
	s, err := store.Open(t.Context(), filepath.Join(out, ".smartvideoeditor", "checkpoints.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c, err := s.Load(t.Context(), jobID(t, out, video))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func jobID(t *testing.T, out, video string) string {
	t.Helper()
	tasks, err := editor.Tasks(t.Context(), []string{video}, 1, out)
	if err != nil {
		t.Fatal(err)
	}
	return tasks[0].ID
}

func names(stages []summary.Stage) []string {
	var list []string
	for _, s := range stages {
		list = append(list, s.Name)
	}
	return list
}
