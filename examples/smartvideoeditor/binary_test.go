package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/internal/testserver"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/summary"
)

// binary is the program as a user runs it.
var binary string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		folder, err := os.MkdirTemp("", "smartvideoeditor-test-")
		if err == nil {
			err = os.Chmod(folder, 0o755) // one test runs it as another user
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(folder)
		binary = filepath.Join(folder, "smartvideoeditor")
		if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "go build: %v: %s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// process is one run of the program.
type process struct {
	*testserver.Process
	json, dump string
}

// within is how long a run may take. It is far more than any needs.
const within = 15 * time.Minute

// A setting has the properties of a run besides its arguments.
type setting struct {
	user   *syscall.Credential // to run as another
	folder string              // for the report and the dump, if not one of the run's own
	path   string              // a folder to look for programs in first
	env    []string            // besides
}

// start starts the program, with metrics on a free port, a report and a dump.
func start(t *testing.T, args ...string) process {
	t.Helper()
	return setting{}.start(t, args...)
}

func (s setting) start(t *testing.T, args ...string) process {
	t.Helper()
	folder := s.folder
	if folder == "" {
		folder = t.TempDir()
	}
	p := process{json: filepath.Join(folder, "jobs.json"), dump: filepath.Join(folder, "metrics")}
	cmd := exec.Command(binary, append([]string{"-listen", "127.0.0.1:0", "-json", p.json, "-metrics-dump", p.dump}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.user}
	cmd.Env = append(os.Environ(), "OTEL_TRACES_EXPORTER=", "OTEL_METRICS_EXPORTER=", "OTEL_EXPORTER_OTLP_ENDPOINT=")
	cmd.Env = append(cmd.Env, s.env...)
	if s.path != "" {
		cmd.Env = append(cmd.Env, "PATH="+s.path+string(os.PathListSeparator)+os.Getenv("PATH"))
	}
	p.Process = testserver.Start(t, "smartvideoeditor", cmd)
	return p
}

// says waits until the program has written the words.
func (p process) says(t *testing.T, words string) {
	t.Helper()
	p.WaitUntil(t, within, func(context.Context) error {
		if !strings.Contains(p.Output(), words) {
			return fmt.Errorf("%q is not written", words)
		}
		return nil
	})
}

// A result has the outputs of a run.
type result struct {
	exit    int // -1 if it was killed
	jobs    []summary.Job
	metrics metrics
	output  string
}

// wait waits for the end of the run, and reads its outputs.
func (p process) wait(t *testing.T) result {
	t.Helper()
	r := result{}
	if err := p.Wait(t, within); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			t.Fatal(err)
		}
		r.exit = exit.ExitCode()
	}
	r.output = p.Output()
	if data, err := os.ReadFile(p.json); err == nil {
		if err := json.Unmarshal(data, &r.jobs); err != nil {
			t.Fatalf("-json: %v: %s", err, data)
		}
	}
	if data, err := os.ReadFile(p.dump); err == nil {
		r.metrics = parseMetrics(t, string(data))
	}
	return r
}

// edit runs the program to its end.
func edit(t *testing.T, args ...string) result {
	t.Helper()
	return start(t, args...).wait(t)
}

// metrics are the samples of a scrape, by name and labels.
type metrics map[string]float64

func parseMetrics(t *testing.T, text string) metrics {
	t.Helper()
	m := make(metrics)
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(strings.TrimSpace(line), "} ")
		if ok {
			name += "}"
		} else {
			name, value, _ = strings.Cut(strings.TrimSpace(line), " ")
		}
		number, err := strconv.ParseFloat(value, 64)
		if err != nil {
			t.Fatalf("-metrics-dump has the line %q", line)
		}
		m[strings.TrimPrefix(name, "video_processing_")] = number
	}
	return m
}

// want sees that samples have their values. A series that is not there is 0.
func (m metrics) want(t *testing.T, samples map[string]float64) {
	t.Helper()
	for name, want := range samples {
		if got := m[name]; got != want {
			t.Errorf("video_processing_%s is %v, want %v", name, got, want)
		}
	}
}

// reels are the files in an output folder that a user sees, and all that lies beside them but is
// none of the program's own is an error.
func reels(t *testing.T, out string) map[string]bool {
	t.Helper()
	found := make(map[string]bool)
	err := filepath.WalkDir(out, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".smartvideoeditor":
			return fs.SkipDir
		case !d.IsDir():
			found[path] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
