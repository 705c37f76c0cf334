package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/cmd/stagemeter/internal/board"
)

// newPage serves the JSON of a busy process, as the tests of the page have it.
func newPage(t *testing.T) *httptest.Server {
	t.Helper()
	text, err := os.ReadFile("../../exporters/livepage/testdata/page.json")
	if err != nil {
		t.Fatal(err)
	}
	p := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, ok := r.BasicAuth(); ok && (user != "me" || password != "secret") {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = w.Write(text)
	}))
	t.Cleanup(p.Close)
	return p
}

// run runs a command without a terminal.
func run(t *testing.T, env map[string]string, args ...string) (code int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	c := console{in: strings.NewReader(""), out: &stdout, err: &stderr, getenv: func(name string) string { return env[name] }}
	code = c.run(t.Context(), args)
	return code, stdout.String(), stderr.String()
}

func TestOnce(t *testing.T) {
	p := newPage(t)
	code, out, errs := run(t, nil, "top", "-once", p.URL)
	if code != exitOK || errs != "" || !strings.Contains(out, "podcast-ep-118") || strings.Contains(out, "\x1b") || strings.Contains(out, "WORKER") {
		t.Errorf("%d\n%s\n%s", code, out, errs)
	}
	if !strings.Contains(out, "\nJOB ") || !strings.HasPrefix(out, "‖ interview-berlin-cam2.mov: rendering has made no progress") {
		t.Error(out)
	}
	code, out, _ = run(t, nil, "top", p.URL, "-once", "-filter", "POD", "-sort", "id") // flags after the URL
	if code != exitOK || !strings.Contains(out, "podcast-ep-118 ") || strings.Contains(out, "lecture") {
		t.Errorf("%d\n%s", code, out)
	}
}

func TestOnceAsJSON(t *testing.T) {
	p := newPage(t)
	_, out, _ := run(t, nil, "top", "-once", "-json", "-sort", "cost", p.URL)
	var doc struct {
		V    int
		Jobs []struct {
			Worker, ID string
			Quality    any
			Stages     []struct{ Name string }
		}
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.V != 1 || len(doc.Jobs) != 7 || doc.Jobs[0].ID != "podcast-ep-118" || doc.Jobs[0].Worker != p.URL+"/" || len(doc.Jobs[0].Stages) != 4 {
		t.Errorf("%+v", doc)
	}
}

func TestWorkerThatIsAway(t *testing.T) {
	p, away := newPage(t), newPage(t)
	away.Close()
	code, out, errs := run(t, nil, "top", "-once", p.URL, away.URL+"/x")
	if code != exitOK || !strings.Contains(out, "WORKER") || !strings.HasPrefix(errs, "stagemeter: "+away.URL+"/x/: ") || !strings.Contains(errs, "connection refused") || strings.Count(errs, "\n") != 1 {
		t.Errorf("one of two: %d\n%s\n%s", code, out, errs)
	}
	code, out, errs = run(t, nil, "top", "-once", away.URL)
	if code != exitNoAnswer || out != "" || !strings.Contains(errs, "connection refused") {
		t.Errorf("all: %d\n%s\n%s", code, out, errs)
	}
	code, out, _ = run(t, nil, "top", "-once", "-json", away.URL)
	if code != exitNoAnswer || !strings.Contains(out, `"state":"lost"`) || !json.Valid([]byte(out)) {
		t.Errorf("as JSON: %d\n%s", code, out)
	}
}

func TestPassword(t *testing.T) {
	p := newPage(t)
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		password string
		args     []string
		code     int
	}{
		{"secret", []string{"-user", "me"}, exitOK},
		{"", []string{"-user", "me", "-password-file", file}, exitOK},
		{"wrong", []string{"-user", "me"}, exitNoAnswer},
		{"", []string{"-user", "me"}, exitUsage},
		{"", []string{"-user", "me:secret"}, exitUsage},
		{"", []string{"-password-file", file}, exitUsage},
		{"", []string{"-user", "me", "-password-file", file + "x"}, exitUsage},
	} {
		code, _, errs := run(t, map[string]string{passwordVariable: tt.password}, append([]string{"top", "-once", p.URL}, tt.args...)...)
		if code != tt.code || strings.Contains(errs, "secret") {
			t.Errorf("%v with %q: %d, %s", tt.args, tt.password, code, errs)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, tt := range []struct {
		args      string
		code      int
		out, errs string
	}{
		{"", exitUsage, "", "stagemeter top [flags] [URL...]"},
		{"help", exitOK, "stagemeter top [flags] [URL...]", ""},
		{"-h", exitOK, "stagemeter version", ""},
		{"help top", exitOK, "-interval DURATION", ""},
		{"top -h", exitOK, "jq -r", ""},
		{"version", exitOK, "stagemeter ", ""},
		{"bottom", exitUsage, "", `there is no command "bottom"`},
		{"top -nope", exitUsage, "", "flag provided but not defined: -nope\nRun `stagemeter help top`."},
		{"top -sort size", exitUsage, "", "-sort must be one of need, age, cost, eta, id"},
		{"top -interval 1ms", exitUsage, "", "-interval must be from 200ms to 1h0m0s"},
		{"top ftp://x", exitUsage, "", "neither http nor https"},
		{"top http://me:secret@x", exitUsage, "", "http://…@x: other users of this machine would see a user or password in a URL"},
		{"top -cacert none.pem", exitUsage, "", "-cacert: open none.pem"},
		{"top -cert x", exitUsage, "", "-cert and -key must be given together"},
	} {
		code, out, errs := run(t, nil, strings.Fields(tt.args)...)
		if code != tt.code || !strings.Contains(out, tt.out) || !strings.Contains(errs, tt.errs) || (out == "") != (tt.out == "") || (errs == "") != (tt.errs == "") {
			t.Errorf("%q: %d\n%s\n%s", tt.args, code, out, errs)
		}
	}
}

// A watcher gets what is printed, and ends the command once it has seen enough.
type watcher struct {
	text   bytes.Buffer
	writes int
	then   func(writes int)
}

func (w *watcher) Write(p []byte) (int, error) {
	w.writes++
	n, err := w.text.Write(p)
	w.then(w.writes)
	return n, err
}

// Without a terminal a table follows after each interval, in which a worker is lost and comes back.
func TestWatch(t *testing.T) {
	for _, args := range [][]string{{}, {"-json"}, {"-plain"}} {
		p, other := newPage(t), newPage(t)
		ctx, cancel := context.WithCancel(t.Context())
		out := &watcher{}
		perTick := 2
		if len(args) > 0 && args[0] == "-json" {
			perTick = 1
		}
		out.then = func(n int) {
			if n == perTick {
				other.Close()
			}
			if n == 2*perTick {
				cancel()
			}
		}
		var errs bytes.Buffer
		c := console{in: strings.NewReader(""), out: out, err: &errs, getenv: func(string) string { return "" }}
		if code := c.run(ctx, append([]string{"top", "-interval", "200ms", p.URL, other.URL}, args...)); code != exitOK || errs.Len() > 0 {
			t.Errorf("%v: %d, %s", args, code, errs.String())
		}
		text := out.text.String()
		switch {
		case strings.Contains(text, "\x1b"):
			t.Errorf("%q", text)
		case perTick == 1:
			lines := strings.Split(strings.TrimSpace(text), "\n")
			if len(lines) != 2 || !json.Valid([]byte(lines[0])) || !json.Valid([]byte(lines[1])) || strings.Contains(lines[0], `"lost"`) || !strings.Contains(lines[1], `"lost"`) {
				t.Errorf("%d lines of JSON", len(lines))
			}
		default:
			if strings.Count(text, "  2 workers") != 2 || strings.Count(text, " does not answer")+strings.Count(text, " lost for ") != 1 || strings.Count(text, "worker lost") != 7 {
				t.Error(text)
			}
		}
	}
}

// A worker that has more jobs than it sends is asked for those that match.
func TestAskOnceMore(t *testing.T) {
	var asked []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.RawQuery)
		_, _ = io.WriteString(w, `{"v":1,"running":300,"jobs":[{"id":"needle"}]}`)
	}))
	defer s.Close()
	if code, out, _ := run(t, nil, "top", "-once", "-filter", "need", s.URL); code != exitOK || !strings.Contains(out, "needle") || strings.Join(asked, ",") != ",match=need" {
		t.Errorf("%d, asked %q\n%s", code, asked, out)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestOutputThatIsGone(t *testing.T) {
	p := newPage(t)
	for _, args := range [][]string{{"-once"}, {"-once", "-json"}, {}, {"-json"}} {
		c := console{in: strings.NewReader(""), out: broken{}, err: io.Discard, getenv: func(string) string { return "" }}
		if code := c.run(t.Context(), append([]string{"top", p.URL}, args...)); code != exitNoAnswer {
			t.Errorf("%v: %d", args, code)
		}
	}
}

func TestDefaults(t *testing.T) {
	s, err := parse(nil, os.Getenv, io.Discard)
	if err != nil || len(s.urls) != 1 || s.urls[0].String() != "http://localhost:9099/" || s.interval != time.Second || s.order != board.ByNeed {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err = parse([]string{"a", "http://a:9099/", "b"}, os.Getenv, io.Discard); err != nil || len(s.urls) != 2 {
		t.Errorf("%v, %v", s.urls, err)
	}
}
