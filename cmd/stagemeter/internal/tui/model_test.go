package tui

import (
	"context"
	"encoding/json"
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/stagemeter/stagemeter/cmd/stagemeter/internal/board"
	"github.com/stagemeter/stagemeter/cmd/stagemeter/internal/feed"
)

var update = flag.Bool("update", false, "write the golden files of testdata")

// pageData has what a busy process sends, as the tests of the page have it.
const pageData = "../../../../exporters/livepage/testdata/"

func busy(t *testing.T) *feed.Snapshot {
	t.Helper()
	text, err := os.ReadFile(pageData + "page.json")
	if err != nil {
		t.Fatal(err)
	}
	s := new(feed.Snapshot)
	if err := json.Unmarshal(text, s); err != nil {
		t.Fatal(err)
	}
	return s
}

// A fake answers as a test has it, and keeps what was asked.
type fake struct {
	snap  func(worker int) (*feed.Snapshot, error)
	job   func(run string) (*feed.Answer, error)
	asked []string // the filters of the workers' questions
}

func (f *fake) Snapshot(_ context.Context, worker int, match string) (*feed.Snapshot, error) {
	f.asked = append(f.asked, match)
	return f.snap(worker)
}

func (f *fake) Job(_ context.Context, _ int, run string) (*feed.Answer, error) { return f.job(run) }

// A screen is a model whose commands a test runs, in the test's own goroutine, and whose clock it moves.
type screen struct {
	*Model
	t    *testing.T
	from *fake
	now  time.Time
	quit bool
}

func open(t *testing.T, from *fake, size tea.WindowSizeMsg, workers ...string) *screen {
	t.Helper()
	var urls []*url.URL
	for _, w := range workers {
		u, err := feed.ParseAddress(w)
		if err != nil {
			t.Fatal(err)
		}
		urls = append(urls, u)
	}
	s := &screen{t: t, from: from, now: time.UnixMilli(1795800000000)}
	s.Model = New(t.Context(), Settings{Board: board.New(urls), Source: from, Interval: time.Hour, Order: board.ByNeed, Now: func() time.Time { return s.now }})
	s.send(size)
	s.run(tea.Batch(s.askAll()...))
	return s
}

func busyScreen(t *testing.T, size tea.WindowSizeMsg, workers ...string) *screen {
	t.Helper()
	return open(t, &fake{snap: func(int) (*feed.Snapshot, error) { return busy(t), nil }}, size, workers...)
}

func (s *screen) send(msg tea.Msg) {
	_, cmd := s.Update(msg)
	s.run(cmd)
}

// run runs a command and all that comes of it, except for ticks.
func (s *screen) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	switch msg := cmd().(type) {
	case nil:
	case tea.BatchMsg:
		for _, c := range msg {
			s.run(c)
		}
	case tea.QuitMsg:
		s.quit = true
	default:
		s.send(msg)
	}
}

// tick is what a tick does, without waiting for the next one.
func (s *screen) tick() { s.run(tea.Batch(s.askAll()...)) }

// press presses keys: names such as "enter", or single characters.
func (s *screen) press(keys ...string) {
	named := map[string]rune{"enter": tea.KeyEnter, "esc": tea.KeyEscape, "down": tea.KeyDown, "up": tea.KeyUp, "pgdown": tea.KeyPgDown, "end": tea.KeyEnd, "home": tea.KeyHome, "backspace": tea.KeyBackspace}
	for _, k := range keys {
		code, ok := named[k]
		switch {
		case ok:
			s.send(tea.KeyPressMsg{Code: code})
		case k == "ctrl+c":
			s.send(tea.KeyPressMsg{Code: 'c', Mod: tea.ModCtrl})
		default:
			for _, r := range k {
				s.send(tea.KeyPressMsg{Code: r, Text: string(r)})
			}
		}
	}
}

// text returns the screen without looks, and checks that it fits.
func (s *screen) text() string {
	s.t.Helper()
	lines := strings.Split(s.View().Content, "\n")
	if len(lines) != s.height {
		s.t.Errorf("%d lines in a terminal of %d", len(lines), s.height)
	}
	for i, l := range lines {
		if n := ansi.StringWidth(l); n > s.width {
			s.t.Errorf("line %d takes %d of %d cells: %s", i, n, s.width, l)
		}
		lines[i] = strings.TrimRight(ansi.Strip(l), " ")
	}
	return strings.Join(lines, "\n") + "\n"
}

func (s *screen) has(parts ...string) {
	s.t.Helper()
	text := s.text()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			s.t.Errorf("the screen lacks %q:\n%s", p, text)
		}
	}
}

func (s *screen) lacks(parts ...string) {
	s.t.Helper()
	text := s.text()
	for _, p := range parts {
		if strings.Contains(text, p) {
			s.t.Errorf("the screen has %q:\n%s", p, text)
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	name = filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s (rewrite it by -update):\n%s\nwant\n%s", name, got, want)
	}
}

func TestGoldenScreens(t *testing.T) {
	for _, tt := range []struct {
		name    string
		width   int
		workers []string
		keys    []string
	}{
		{"table80.txt", 80, []string{"localhost:9099"}, nil},
		{"table140.txt", 140, []string{"localhost:9099"}, nil},
		{"workers60.txt", 60, []string{"worker-1:9099", "worker-2:9099"}, nil},
		{"workers140.txt", 140, []string{"worker-1:9099", "worker-2:9099"}, nil},
		{"detail80.txt", 80, []string{"localhost:9099"}, []string{"enter"}},
		{"detail140.txt", 140, []string{"localhost:9099"}, []string{"down", "enter"}},
		{"help80.txt", 80, []string{"localhost:9099"}, []string{"?"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := busyScreen(t, tea.WindowSizeMsg{Width: tt.width, Height: 24}, tt.workers...)
			s.press(tt.keys...)
			golden(t, tt.name, s.text())
		})
	}
}
