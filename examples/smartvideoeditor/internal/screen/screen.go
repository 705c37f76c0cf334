// Package screen shows the progress of jobs: as bars on a terminal, as plain lines elsewhere.
package screen

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// A Screen shows jobs. It is safe for concurrent use. As a writer it takes whole lines, of a log
// for example.
type Screen interface {
	io.Writer
	// Job shows that a job has started.
	Job(id string) Job
	// Printf writes a line.
	Printf(format string, args ...any)
	// Close waits until everything is drawn. Call it when the jobs have ended; lines can still be
	// written. It may be called again.
	Close()
}

// A Job is one job on the screen.
type Job interface {
	// Stage shows that a stage has started. Its share is the progress of the job at its start and
	// its end, in 0 to 1.
	Stage(name string, share Share)
	// Progress shows how much of the stage is done, in 0 to 1.
	Progress(fraction float64)
	// Finished shows that the stage is done, and its result.
	Finished(took time.Duration, note string)
	// End takes the job off, with a last word.
	End(status, note string)
}

// A Share is the part of a job's progress that a stage makes.
type Share struct{ From, To float64 }

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
