package screen

import (
	"io"
	"sync"
	"time"
)

// lines is a screen that is a log file, a pipe or a test.
type lines struct {
	mu sync.Mutex
	w  io.Writer
}

// NewLines makes a screen of plain lines.
func NewLines(w io.Writer) Screen { return &lines{w: w} }

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

func (l *lines) Printf(format string, args ...any) {
	_, _ = l.Write(oneLine(format, args...)) // a screen that is gone stops no job
}

func (l *lines) Job(id string) Job {
	l.Printf("%s", line(id, "started", ""))
	return &lineJob{lines: l, id: id}
}

func (l *lines) Close() {}

// lineJob is used by the one goroutine that runs the job. It ignores progress.
type lineJob struct {
	lines *lines
	id    string
	stage string
}

func (j *lineJob) Stage(name string, _ Share) { j.stage = name }
func (j *lineJob) Progress(float64)           {}

func (j *lineJob) Finished(took time.Duration, note string) {
	j.lines.Printf("%s", line(j.id, finished(j.stage, took), note))
}

func (j *lineJob) End(status, note string) { j.lines.Printf("%s", line(j.id, status, note)) }
