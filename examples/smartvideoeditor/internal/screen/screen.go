// Package screen shows the progress of jobs: as bars on a terminal, as plain lines elsewhere. The
// progress, the time to go, the cost and the stalls of a job come from
// [instrument.Pipeline.Snapshot], as on the live page, and are written in the same way.
package screen

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/stagemeter/stagemeter/instrument"
)

// A Screen shows jobs. It is safe for concurrent use. As a writer it takes whole lines, of a log
// for example.
type Screen interface {
	io.Writer
	// Watch shows from now on what snapshot returns of the jobs on the screen. Call it once, before
	// the first job.
	Watch(snapshot func() instrument.Snapshot)
	// Job shows that a job has started.
	Job(id string) Job
	// Printf writes a line.
	Printf(format string, args ...any)
	// Close waits until everything is drawn. Call it when the jobs have ended; lines can still be
	// written. It may be called again.
	Close()
}

// A Job is one job on the screen. It is used by the one goroutine that runs the job.
type Job interface {
	// Finished shows that a stage is done, and its result.
	Finished(stage string, took time.Duration, note string)
	// End takes the job off, with a last word.
	End(status, note string)
}

// New makes a screen of a file: bars if it is a terminal, lines if not.
func New(f *os.File) Screen {
	if term.IsTerminal(int(f.Fd())) {
		return newBars(f)
	}
	return NewLines(f)
}

// oneLine ends a text as a line.
func oneLine(format string, args ...any) []byte {
	return []byte(strings.TrimRight(fmt.Sprintf(format, args...), "\n") + "\n")
}

func line(id, what, note string) string {
	if note == "" {
		return fmt.Sprintf("%s  %s\n", id, what)
	}
	return fmt.Sprintf("%s  %s: %s\n", id, what, note)
}

func finished(stage string, took time.Duration) string {
	return fmt.Sprintf("%-14s %5.1f s", stage, took.Seconds())
}
