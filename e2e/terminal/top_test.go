//go:build unix

package terminal

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stagemeter/stagemeter/exporters"
)

// hostile would retitle the terminal, clear it, color it and turn its text, if it got there.
const hostile = "evil\x1b]0;owned\x07\x1b[2J\u009b31m\u202e\r\nend"

func TestTopInATerminal(t *testing.T) {
	w := start(t, "127.0.0.1:0")
	endAlpha := w.work(t, "alpha", "rendering")
	defer w.work(t, "beta", "transcription")()
	defer w.work(t, hostile, "rendering")()
	s := open(t, nil, w.url)
	s.waitFor("3 running")
	for _, part := range []string{"› alpha", "beta", "evil", "rendering", "stage 40 %", "$0.31 of $2.00", "● live", "/ filter"} {
		s.waitFor(part)
	}
	s.keys("/bet")
	s.wait("the filter", func(text string) bool { return strings.Contains(text, "› beta") && !strings.Contains(text, "alpha") })
	s.keys("\r")
	s.waitFor("/bet  Esc clears")
	s.keys("\r")
	s.waitFor("PAID CALLS")
	s.waitFor("transcription")
	s.keys("\x1b")
	s.waitFor("JOB")
	s.keys("\x1b")
	s.waitFor("alpha")
	endAlpha()
	s.wait("the end of a job", func(text string) bool {
		return !strings.Contains(text, "alpha") && strings.Contains(text, "1 completed")
	})
	s.keys("q")
	s.ended(0)
	if raw := s.written(); strings.Contains(raw, "\x1b]0;") || strings.ContainsAny(raw, "\u009b\u202e") {
		t.Errorf("an id steers the terminal: %q", raw)
	}
}

func TestTopEndsBySignals(t *testing.T) {
	w := start(t, "127.0.0.1:0")
	defer w.work(t, "alpha", "rendering")()
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		s := open(t, nil, w.url)
		s.waitFor("alpha")
		if err := s.cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		s.ended(0)
	}
	s := open(t, nil, w.url)
	s.waitFor("alpha")
	s.keys("\x03") // Ctrl-C, which is no signal in this mode
	s.ended(0)
}

// A worker that dies is lost, with its jobs on the screen, and is back by itself.
func TestTopOfTwoWorkers(t *testing.T) {
	one, two := start(t, "127.0.0.1:0"), start(t, "127.0.0.1:0")
	defer one.work(t, "alpha", "rendering")()
	defer two.work(t, "beta", "rendering")()
	s := open(t, nil, one.url, two.url)
	s.waitFor("2 running")
	two.stop()
	s.waitFor("2 workers, 1 lost")
	s.waitFor("beta")
	s.waitFor("✕ lost")
	code, out, errs := run(t, nil, "-once", "-json", one.url, two.url)
	var doc struct {
		Workers []struct{ State string }
		Jobs    []struct{ ID, Worker string }
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil || code != 0 || len(doc.Jobs) != 1 || doc.Jobs[0].ID != "alpha" || doc.Workers[1].State != "lost" || !strings.Contains(errs, two.url+"/: ") {
		t.Errorf("%d, %v\n%s\n%s", code, err, out, errs)
	}
	again := start(t, strings.TrimPrefix(two.url, "http://"))
	defer again.work(t, "gamma", "analysis")()
	s.wait("the return", func(text string) bool {
		return strings.Contains(text, "gamma") && strings.Contains(text, "● live") && !strings.Contains(text, "lost")
	})
	s.keys("q")
	s.ended(0)
}

var color = regexp.MustCompile(`\x1b\[([0-9;:]*;)?(3[0-8]|4[0-8]|9[0-7]|10[0-7])([;:][0-9;:]*)?m`)

func TestTopWithoutColors(t *testing.T) {
	w := start(t, "127.0.0.1:0")
	defer w.work(t, "alpha", "rendering")()
	for _, tt := range []struct {
		env  []string
		want bool
	}{{nil, true}, {[]string{"NO_COLOR=1"}, false}} {
		s := open(t, tt.env, w.url)
		s.waitFor("● live")
		s.keys("q")
		s.ended(0)
		if color.MatchString(s.written()) != tt.want {
			t.Errorf("with %q: %q", tt.env, s.written())
		}
	}
}

// A terminal that takes only lines gets lines.
func TestTopInADumbTerminal(t *testing.T) {
	w := start(t, "127.0.0.1:0")
	defer w.work(t, "alpha", "rendering")()
	s := open(t, []string{"TERM=dumb"}, w.url)
	s.wait("two tables", func(string) bool { return strings.Count(s.written(), "alpha") > 1 })
	s.keys("\x03")
	s.ended(0)
	if strings.Contains(s.written(), "\x1b") {
		t.Errorf("%q", s.written())
	}
}

func TestTopBehindAPassword(t *testing.T) {
	config := filepath.Join(t.TempDir(), "web.yml")
	hash := "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW" // of secret
	if err := os.WriteFile(config, []byte("basic_auth_users:\n  me: "+hash+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := start(t, "127.0.0.1:0", exporters.WithWebConfigFile(config))
	defer w.work(t, "alpha", "rendering")()
	if code, out, errs := run(t, nil, "-once", w.url); code != 1 || out != "" || !strings.Contains(errs, "401 Unauthorized: it asks for a user and a password (-user)") {
		t.Errorf("without: %d\n%s\n%s", code, out, errs)
	}
	if code, out, errs := run(t, []string{"STAGEMETER_PASSWORD=wrong"}, "-once", "-user", "me", w.url); code != 1 || out != "" || !strings.Contains(errs, "refuses") {
		t.Errorf("with a wrong one: %d\n%s\n%s", code, out, errs)
	}
	if code, out, errs := run(t, []string{"STAGEMETER_PASSWORD=secret"}, "-once", "-user", "me", w.url); code != 0 || !strings.Contains(out, "alpha") || errs != "" {
		t.Errorf("with the right one: %d\n%s\n%s", code, out, errs)
	}
}
