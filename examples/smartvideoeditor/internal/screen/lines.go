package screen

import (
	"io"
	"slices"
	"sync"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
)

const (
	watched = time.Second // between two snapshots
	silence = time.Minute // after which a line says how far a job is
)

// lines is a screen for a log file, a pipe or a test. It writes a line when a job starts, when a
// stage is done, and when one is stalled or overdue; otherwise one a minute for each job.
type lines struct {
	mu    sync.Mutex
	w     io.Writer
	watch watcher
	jobs  []*lineJob // on the screen, in the order of their starts
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

func (l *lines) Watch(snapshot func() instrument.Snapshot) {
	l.watch.start(snapshot, watched, l.look)
}

// look writes what is new in a snapshot, and how far those jobs are that have had no line for a
// while.
func (l *lines) look(s instrument.Snapshot) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, j := range l.jobs {
		g, live := glanceAt(s, j.id)
		if !live {
			continue
		}
		switch {
		case g.marked != "" && g.marked != j.marked:
			j.write(line(j.id, g.why+" · "+g.words(), ""))
		case s.Time.Sub(j.said) >= silence && g.stage != "":
			j.write(line(j.id, g.stage, g.words()))
		}
		j.marked = g.marked
	}
}

func (l *lines) Job(id string) Job {
	note := ""
	if g, live := l.watch.at(id); live && g.left != "" {
		note = g.left + ", by " + g.basis
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	j := &lineJob{lines: l, id: id}
	l.jobs = append(l.jobs, j)
	j.write(line(id, "started", note))
	return j
}

func (l *lines) Close() { l.watch.end() }

type lineJob struct {
	lines *lines
	id    string

	// Guarded by lines.mu.
	said   time.Time // when its last line was written
	marked string    // of the glance that was written last
}

// write writes a line about the job. lines.mu is held.
func (j *lineJob) write(text string) {
	j.said = time.Now()
	_, _ = io.WriteString(j.lines.w, text) // a screen that is gone stops no job
}

func (j *lineJob) Finished(stage string, took time.Duration, note string) {
	text := line(j.id, finished(stage, took), note)
	if g, live := j.lines.watch.at(j.id); live {
		text = text[:len(text)-1] + " · " + g.words() + "\n"
	}
	j.lines.mu.Lock()
	defer j.lines.mu.Unlock()
	j.write(text)
}

func (j *lineJob) End(status, note string) {
	j.lines.mu.Lock()
	defer j.lines.mu.Unlock()
	j.lines.jobs = slices.DeleteFunc(j.lines.jobs, func(o *lineJob) bool { return o == j })
	j.write(line(j.id, status, note))
}
