package screen

import (
	"io"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// whole is a job's progress in a bar's steps.
const whole = 1000

// bars is a screen on a terminal: a bar for each running job, and past events above them.
type bars struct {
	w        io.Writer
	progress *mpb.Progress
}

func newBars(w io.Writer, opts ...mpb.ContainerOption) Screen {
	opts = append(opts, mpb.WithOutput(w), mpb.WithWidth(40), mpb.WithRefreshRate(100*time.Millisecond))
	return &bars{w: w, progress: mpb.New(opts...)}
}

// Write writes above the bars, and below them when they are gone.
func (b *bars) Write(p []byte) (int, error) {
	n, err := b.progress.Write(p)
	if err != nil {
		return b.w.Write(p)
	}
	return n, err
}

func (b *bars) Job(id string) Job {
	j := &barJob{bars: b, id: id}
	j.stage.Store(&stage{name: "starting"})
	j.bar = b.progress.AddBar(whole,
		mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(
			decor.Name(id, decor.WCSyncSpaceR),
			decor.Any(func(decor.Statistics) string { return j.stage.Load().name }, decor.WC{W: 14, C: decor.DindentRight}),
		),
		mpb.AppendDecorators(decor.Percentage(decor.WC{W: 5}), decor.Elapsed(decor.ET_STYLE_GO, decor.WC{W: 6})),
	)
	return j
}

func (b *bars) Printf(format string, args ...any) {
	_, _ = b.Write(oneLine(format, args...)) // a screen that is gone stops no job
}

func (b *bars) Close() { b.progress.Wait() }

type stage struct {
	name  string
	share Share
}

type barJob struct {
	bars  *bars
	bar   *mpb.Bar
	id    string
	stage atomic.Pointer[stage]
}

func (j *barJob) Stage(name string, share Share) {
	j.stage.Store(&stage{name: name, share: share})
	j.Progress(0)
}

func (j *barJob) Progress(fraction float64) {
	share := j.stage.Load().share
	at := share.From + min(max(fraction, 0), 1)*(share.To-share.From)
	j.bar.SetCurrent(min(int64(at*whole), whole-1)) // a bar that is full is taken off
}

func (j *barJob) Finished(took time.Duration, note string) {
	j.Progress(1)
	j.bars.Printf("%s", line(j.id, finished(j.stage.Load().name, took), note))
}

func (j *barJob) End(status, note string) {
	j.bar.Abort(true)
	j.bars.Printf("%s", line(j.id, status, note))
}
