package tui

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/stagemeter/stagemeter/cmd/stagemeter/internal/feed"
)

var size = tea.WindowSizeMsg{Width: 120, Height: 24}

// At any size no line is wider than the terminal and no screen is higher, in any state.
func TestScreensFit(t *testing.T) {
	snap := busy(t)
	for _, workers := range [][]string{{"localhost"}, {"a", "b.example.com:80/ops/", "c"}} {
		s := open(t, &fake{snap: func(int) (*feed.Snapshot, error) { return snap, nil }}, size, workers...)
		for _, width := range []int{1, 2, 7, 20, 41, 59, 60, 61, 66, 73, 79, 80, 94, 100, 119, 134, 140, 165, 200, 220} {
			s.send(tea.WindowSizeMsg{Width: width, Height: 3 + width%40})
			for _, keys := range []string{"", "/", "k", "enter", "enter", "?", "?", "esc", "esc"} {
				s.press(keys)
				s.text()
			}
		}
	}
}

func TestSelectedRowStaysOnScreen(t *testing.T) {
	s := busyScreen(t, tea.WindowSizeMsg{Width: 100, Height: 10}, "a", "b")
	for _, key := range []string{"down", "down", "down", "pgdown", "end", "up", "home", "j", "k", "G", "g"} {
		s.press(key)
		s.has("› ")
	}
	s.press("G")
	s.has("› b", "upload-9f3c1e")
}

// The selection follows its job, whatever comes before it.
func TestSelectionFollowsItsJob(t *testing.T) {
	s := busyScreen(t, size, "localhost")
	s.press("down", "s", "s", "s", "s")
	s.has("sort: id", "› podcast-ep-118")
	s.from.snap = func(int) (*feed.Snapshot, error) {
		snap := busy(t)
		for i := range snap.Jobs {
			if snap.Jobs[i].ID == "podcast-ep-118" {
				snap.Jobs[i].ID = "zz"
			}
		}
		return snap, nil
	}
	s.tick()
	s.has("› zz")
	if s.press("S"); s.Order != "eta" {
		t.Errorf("S sorts by %s", s.Order)
	}
}

func TestFilter(t *testing.T) {
	s := busyScreen(t, size, "localhost")
	s.press("/", "PODq")
	s.has("No job matches", "/PODq", "0 of 7 running")
	if c := s.View().Cursor; c == nil || c.X != 5 || c.Y != 23 {
		t.Errorf("the cursor is at %v", c)
	}
	s.press("backspace", "enter")
	s.has("› podcast-ep-118", "/POD  Esc clears", "1 of 7 running")
	s.lacks("lecture-cs101")
	if s.quit {
		t.Fatal("a letter of the filter quits")
	}
	s.press("esc")
	s.has("lecture-cs101", "/ filter", "7 running")
	s.press("/", "x", "esc")
	s.has("lecture-cs101")
	s.press("/")
	s.send(tea.PasteMsg{Content: "\x1b[31mdiar\u202eization\n"})
	s.has("/[31mdiarization")
	s.press("esc", "/", "diarization")
	s.has("1 of 7 running")
}

// A worker that has more jobs than it sends filters by itself.
func TestWorkerFilters(t *testing.T) {
	s := open(t, &fake{snap: func(int) (*feed.Snapshot, error) {
		snap := busy(t)
		snap.Running = 300
		return snap, nil
	}}, size, "localhost")
	s.has("7 of 300 running (/ finds the others)")
	s.press("/", "po")
	s.tick()
	s.press("esc")
	s.tick()
	if got := fmt.Sprintf("%q", s.from.asked); got != `["" "p" "po" "po" "" ""]` {
		t.Errorf("the worker was asked for %s", got)
	}
}

// While a worker owes an answer it is not asked again, but for what has changed since.
func TestOneQuestionAtATime(t *testing.T) {
	s := open(t, &fake{snap: func(int) (*feed.Snapshot, error) {
		snap := busy(t)
		snap.Running = 300
		return snap, nil
	}}, size, "localhost")
	owed := s.askAll()
	if len(owed) != 1 || len(s.askAll()) != 0 {
		t.Error("a worker that owes an answer is asked again")
	}
	s.press("/", "pod")
	if len(s.from.asked) != 1 {
		t.Errorf("asked %q", s.from.asked)
	}
	s.run(owed[0])
	if got := fmt.Sprintf("%q", s.from.asked); got != `["" "" "pod"]` {
		t.Errorf("the worker was asked for %s", got)
	}
}

func TestLostWorkerComesBack(t *testing.T) {
	s := busyScreen(t, size, "a", "b")
	s.lacks("lost")
	answers := s.from.snap
	s.from.snap = func(worker int) (*feed.Snapshot, error) {
		if worker == 1 {
			return nil, errors.New("connection refused")
		}
		return answers(worker)
	}
	s.now = s.now.Add(12 * time.Second)
	s.tick()
	s.has("✕ b lost for 12 s: connection refused", "◐ 1 of 2 live", "2 workers, 1 lost", "✕ lost", "  b ")
	s.lacks("‖ b interview") // which may be over by now
	s.press("down")
	s.has("› b", "interview-berlin")
	s.from.snap = answers
	s.tick()
	s.has("● live")
	s.lacks("lost")
}

func TestNoWorkerAnswers(t *testing.T) {
	s := open(t, &fake{snap: func(int) (*feed.Snapshot, error) { return nil, errors.New("no such host") }}, size, "localhost")
	s.has("✕ localhost:9099 does not answer: no such host", "✕ no answer")
	s.lacks("No job is running")
	s.press("down", "enter", "s", "G", "/", "x", "enter", "?")
	s.text()
}

func TestPause(t *testing.T) {
	s := busyScreen(t, size, "localhost")
	s.press("p")
	s.from.snap = func(int) (*feed.Snapshot, error) { return &feed.Snapshot{}, nil }
	s.tick()
	s.has("‖ paused", "podcast-ep-118")
	s.press("p")
	s.has("● live", "No job is running.", "0 running")
	s.lacks("podcast")
}

// A job stays open when it ends, when its worker no longer lists it, and when nobody remembers it.
func TestDetailsOfAJobThatEnds(t *testing.T) {
	s := busyScreen(t, size, "localhost")
	s.press("/", "podcast", "enter", "enter")
	s.has("podcast-ep-118  running", "STAGES", "PAID CALLS", "transcription  4 m 06 s  2 m 16 s", "Esc back")
	podcast := s.rows()[0].Job
	ended := *podcast
	ended.End, ended.Status, ended.Error = podcast.Start+300_000, "failed", "timeout"
	s.from.snap = func(int) (*feed.Snapshot, error) {
		snap := busy(t)
		snap.Jobs, snap.Finished = nil, []feed.Job{ended}
		return snap, nil
	}
	s.tick()
	s.has("podcast-ep-118  failed: timeout", "Took         5 m 00 s")
	s.lacks("Time to go")

	s.from.snap = func(int) (*feed.Snapshot, error) {
		snap := busy(t)
		snap.Jobs, snap.Finished = nil, nil
		return snap, nil
	}
	s.from.job = func(run string) (*feed.Answer, error) {
		if run != string(podcast.Run) {
			t.Errorf("asked for run %s", run)
		}
		return &feed.Answer{Now: 1795800000000, Job: ended}, nil
	}
	s.tick()
	s.has("podcast-ep-118  failed: timeout")
	s.from.job = func(string) (*feed.Answer, error) { return nil, nil }
	s.tick()
	s.has("no longer kept")
	s.from.snap = func(int) (*feed.Snapshot, error) {
		snap := busy(t)
		snap.Service.Started++
		return snap, nil
	}
	s.tick()
	s.has("The process has restarted")
	s.press("esc")
	s.has("› podcast-ep-118")
}

func TestDetailsScroll(t *testing.T) {
	s := busyScreen(t, tea.WindowSizeMsg{Width: 100, Height: 10}, "localhost")
	s.press("enter", "down", "down", "end")
	s.has("whisper")
	s.lacks("interview")
	before := s.scroll
	s.press("down")
	if s.scroll != before {
		t.Error("it scrolls beyond the end")
	}
	s.press("home")
	s.has("interview-berlin-cam2.mov")
}

func TestQuit(t *testing.T) {
	for _, keys := range [][]string{{"q"}, {"ctrl+c"}, {"enter", "q"}, {"?", "q"}, {"/", "q", "ctrl+c"}} {
		s := busyScreen(t, size, "localhost")
		s.press(keys[:len(keys)-1]...)
		if s.quit {
			t.Errorf("%q quits too early", keys)
		}
		if s.press(keys[len(keys)-1]); !s.quit {
			t.Errorf("%q does not quit", keys)
		}
	}
}

// What is not known is neither 0 nor free.
func TestUnknownIsNotZero(t *testing.T) {
	s := open(t, &fake{snap: func(int) (*feed.Snapshot, error) {
		snap := busy(t)
		snap.Jobs = []feed.Job{{Run: "1", ID: "new", Unpriced: 2, Start: snap.Now}}
		snap.Attention, snap.Hour = nil, feed.Hour{Unpriced: 2}
		snap.Budget = nil
		return snap, nil
	}}, size, "localhost")
	s.has("unknown", "? 2 unpriced", "0 completed, unpriced")
	s.lacks("$0", "0 %")
	s.press("enter")
	s.has("Progress     unknown", "Time to go   unknown", "Spent        unpriced", "Video        unknown")
	s.lacks("$0", "0 %")
}

// Texts of a worker change nothing but the cells that they are in.
func TestHostileTexts(t *testing.T) {
	hostile := feed.Text(feed.Clean("a\x1b]0;owned\x07\x1b[2J\u009b31m\r\n\u202egnp\u2066\u200b" + strings.Repeat("界", 300) + strings.Repeat("\u0301", 50)))
	s := open(t, &fake{snap: func(int) (*feed.Snapshot, error) {
		snap := busy(t)
		snap.Service.Name, snap.Service.Instance = hostile, hostile
		for i := range snap.Jobs {
			j := &snap.Jobs[i]
			j.ID, j.Trace, j.Type = hostile, hostile, hostile
			for k := range j.Stages {
				j.Stages[k].Name, j.Stages[k].Error = hostile, hostile
			}
			for k := range j.Calls {
				j.Calls[k].API = hostile
			}
		}
		for i := range snap.Attention {
			snap.Attention[i].Job, snap.Attention[i].Text = hostile, hostile
		}
		return snap, nil
	}}, tea.WindowSizeMsg{Width: 80, Height: 24}, "a", "b")
	for _, key := range []string{"", "down", "enter", "G"} {
		s.press(key)
		if text := s.text(); strings.ContainsAny(text, "\x1b\x07\u009b\u202e\u2066\u200b\r") {
			t.Errorf("%q", text)
		}
	}
}
