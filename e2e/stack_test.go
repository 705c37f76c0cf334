package e2e

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/internal/testserver"
)

// stackAddress finds where the parts of a stack are, in what it prints.
var stackAddress = regexp.MustCompile(`localhost:\d+`)

// startStack starts what `make stack` does. Its temporary files are in the returned folder.
func startStack(t *testing.T, args ...string) (stack *testserver.Process, temp string) {
	t.Helper()
	temp = t.TempDir()
	cmd := exec.Command(filepath.Join(built(t, "race"), "stack"), args...)
	cmd.Dir = root
	// It builds the editor, with the race detector too: the other tests have compiled most of that.
	cmd.Env = append(os.Environ(), "TMPDIR="+temp, "GOFLAGS="+os.Getenv("GOFLAGS")+` -race "-gcflags=`+withoutRace+`"`)
	return testserver.Start(t, "stack", cmd), temp
}

// nothingLeft: no file is left in temp, and no process that was started from there or works on a file there.
func nothingLeft(t *testing.T, temp string) {
	t.Helper()
	entries, err := os.ReadDir(temp)
	if err != nil || len(entries) > 0 {
		t.Errorf("%v is left in its temporary folder (%v)", entries, err)
	}
	for deadline := time.Now().Add(endWithin); ; time.Sleep(50 * time.Millisecond) { // one that is killed may not have ended yet
		var running []string
		processes, err := filepath.Glob("/proc/[0-9]*/cmdline")
		if err != nil {
			t.Fatal(err)
		}
		for _, process := range processes {
			line, err := os.ReadFile(process)
			if err == nil && strings.Contains(string(line), temp) {
				running = append(running, string(line))
			}
		}
		if len(running) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still running: %q", running)
		}
	}
}

// TestStackShowsKeyFigures: what a newcomer gets of `make stack` is a table without a gap, and then nothing is left.
func TestStackShowsKeyFigures(t *testing.T) {
	t.Parallel()
	pictures := t.TempDir()
	stack, temp := startStack(t, "-once", "-free-ports", "-jobs", "1", "-pictures", pictures)
	if err := stack.Wait(t, jobsWithin); err != nil {
		t.Fatalf("ended with %v", err)
	}
	for _, line := range []string{
		`jobs +canceled +0`, ` +completed +1`, ` +failed +2`, ` +queued +3`,
		`success ratio +0\.33`,
		`stage time P95 \(s\) +analysis +\d`, ` +rendering +\d`, ` +titling +\d`, ` +transcription +\d`,
		`processing ratio P95 +\d`,
		`cost \(USD\) +openai +0\.0000[1-9]`, ` +whisper +0\.001200`,
		`tokens +input +[1-9]`, ` +output +[1-9]`,
		`budget exceeded +1`,
		`errors +\w+ \w+ +1`,
		`spans at the collector +[1-9]`,
		`metric points at the collector +[1-9]`,
		`targets up +otel-collector +1`, ` +prometheus +1`, ` +video-worker +1`,
		`alerts firing +\w`,
		`exemplars of stage times +[1-9]`,
	} {
		if !regexp.MustCompile(`(?m)^` + line).MatchString(stack.Output()) {
			t.Errorf("no line like %q", line)
		}
	}
	for _, addr := range stackAddress.FindAllString(stack.Output(), -1) {
		if conn, err := net.Dial("tcp", addr); err == nil {
			_ = conn.Close()
			t.Errorf("something still listens at %s", addr)
		}
	}
	nothingLeft(t, temp)
	checkPictures(t, pictures)
	if t.Failed() {
		t.Log(stack.Output())
	}
}

// pictureTexts are what a reader finds on the pictures of a run.
var pictureTexts = map[string][]string{
	"jobs.svg":     {"completed", "failed", "in progress", "waiting"},
	"stages.svg":   {"P50", "P95", "validation", "analysis", "transcription", "normalization", "rendering"},
	"cost.svg":     {"US dollars", "spent, all jobs", "least left to a job in progress"},
	"loudness.svg": {"LU", "before normalization", "after normalization"},
}

// pictureBytes is what a page loads gladly.
const pictureBytes = 60_000

// checkPictures checks the pictures in dir, of a run and those that are shown, which are to be of the same program.
func checkPictures(t *testing.T, dir string) {
	t.Helper()
	for file, texts := range pictureTexts {
		for _, path := range []string{filepath.Join(dir, file), filepath.Join(root, "docs/images", file)} {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Error(err)
				continue
			}
			if len(text) > pictureBytes {
				t.Errorf("%s has %d bytes", path, len(text))
			}
			var svg struct {
				XMLName xml.Name `xml:"http://www.w3.org/2000/svg svg"`
				Texts   []string `xml:"text"`
			}
			if err := xml.Unmarshal(text, &svg); err != nil {
				t.Errorf("%s: %v", path, err)
			}
			shown := strings.Join(svg.Texts, "\n")
			for _, want := range texts {
				if !strings.Contains(shown, want) {
					t.Errorf("%s does not show %q, but:\n%s", path, want, shown)
				}
			}
		}
	}
}

// TestStackEndsInTheMiddle: a signal ends everything, also while the editor is at work.
func TestStackEndsInTheMiddle(t *testing.T) {
	t.Parallel()
	stack, temp := startStack(t, "-free-ports")
	stack.WaitUntil(t, jobsWithin, func(context.Context) error { // it is built first
		if found, err := filepath.Glob(filepath.Join(temp, "*/out/*")); err != nil || len(found) == 0 {
			return fmt.Errorf("the editor has not begun (%v)", err)
		}
		return nil
	})
	stack.Signal(t, syscall.SIGTERM)
	if err := stack.Wait(t, endWithin); err != nil {
		t.Errorf("ended with %v, want 0: it did as it was told", err)
	}
	nothingLeft(t, temp)
}

// TestStackTellsATakenPort: who has a Prometheus already reads which port it is, before anything is built or started.
func TestStackTellsATakenPort(t *testing.T) {
	if l, err := net.Listen("tcp", "localhost:9090"); err == nil { // or somebody else has it, which serves
		defer func() { _ = l.Close() }()
	}
	stack, _ := startStack(t)
	var exit *exec.ExitError
	if err := stack.Wait(t, endWithin); !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("ended with %v, want exit status 1", err)
	}
	if !strings.Contains(stack.Output(), "Prometheus can't have its port") || !strings.Contains(stack.Output(), "9090") {
		t.Errorf("it does not say which port is taken:\n%s", stack.Output())
	}
}
