package screen

import (
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/stagemeter/stagemeter/instrument"
)

const (
	whole = 1000                   // a job's progress in a bar's steps
	pace  = 250 * time.Millisecond // between two snapshots
)

// bars is a screen on a terminal: a bar for each running job, and past events above them.
type bars struct {
	w        io.Writer
	progress *mpb.Progress
	watch    watcher

	mu   sync.Mutex
	jobs map[string]*barJob // on the screen
}

func newBars(w io.Writer, opts ...mpb.ContainerOption) *bars {
	opts = append([]mpb.ContainerOption{mpb.WithOutput(w), mpb.WithWidth(24), mpb.WithRefreshRate(100 * time.Millisecond)}, opts...)
	return &bars{w: w, progress: mpb.New(opts...), jobs: make(map[string]*barJob)}
}

// Write writes above the bars, and below them when they are gone.
func (b *bars) Write(p []byte) (int, error) {
	n, err := b.progress.Write(p)
	if err != nil {
		return b.w.Write(p)
	}
	return n, err
}

func (b *bars) Watch(snapshot func() instrument.Snapshot) { b.watch.start(snapshot, pace, b.look) }

// look shows the figures of a snapshot.
func (b *bars) look(s instrument.Snapshot) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, j := range b.jobs {
		if g, live := glanceAt(s, id); live {
			j.now.Store(&g)
			j.bar.SetCurrent(min(int64(g.share*whole), whole-1)) // a bar that is full is taken off
		}
	}
}

func (b *bars) Job(id string) Job {
	j := &barJob{bars: b, id: id, start: time.Now()}
	j.now.Store(&glance{share: -1})
	column := func(text func(glance) string, c decor.WC) decor.Decorator {
		return decor.Any(func(decor.Statistics) string { return text(*j.now.Load()) }, c)
	}
	j.bar = b.progress.AddBar(whole,
		mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(
			decor.Name(id, decor.WCSyncSpaceR),
			column(func(g glance) string { return g.stage }, decor.WC{W: 14, C: decor.DindentRight}),
		),
		// What does not fit into a narrow terminal is cut off, the last column first.
		mpb.AppendDecorators(
			column(func(g glance) string {
				if g.share < 0 {
					return ""
				}
				return percent(g.share)
			}, decor.WC{W: 5}),
			column(func(g glance) string { return spaced(g.mark) }, decor.WC{}),
			column(func(g glance) string { return spaced(g.left) }, decor.WCSyncWidthR),
			column(func(g glance) string { return spaced(g.money) }, decor.WCSyncWidthR),
			column(func(glance) string { return spaced(length(time.Since(j.start))) }, decor.WC{}),
		),
	)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.jobs[id] = j
	return j
}

// spaced separates a word of a bar from the one before it.
func spaced(text string) string {
	if text == "" {
		return ""
	}
	return "  " + text
}

func (b *bars) Printf(format string, args ...any) {
	_, _ = b.Write(oneLine(format, args...)) // a screen that is gone stops no job
}

func (b *bars) Close() {
	b.watch.end()
	b.progress.Wait()
}

type barJob struct {
	bars  *bars
	bar   *mpb.Bar
	id    string
	start time.Time
	now   atomic.Pointer[glance]
}

func (j *barJob) Finished(stage string, took time.Duration, note string) {
	j.bars.Printf("%s", line(j.id, finished(stage, took), note))
}

func (j *barJob) End(status, note string) {
	j.bars.mu.Lock()
	delete(j.bars.jobs, j.id)
	j.bars.mu.Unlock()
	j.bar.Abort(true)
	j.bars.Printf("%s", line(j.id, status, note))
}
