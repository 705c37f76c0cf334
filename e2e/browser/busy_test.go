package browser

import (
	"context"
	"errors"
	"os/exec"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/semconv"
)

// busy is a program with a job in each state, which all tests may look at and none may change.
var busy *world

// The ids of its live jobs.
const (
	keynote  = "keynote-2026-11-27.mp4"    // goes well
	stuck    = "interview-berlin-cam2.mov" // makes no progress, with a process that sleeps
	slow     = "podcast-ep-118"            // takes longer than its stage used to
	dear     = "wedding-raw-18.mp4"        // has spent more than its budget
	free     = "drone-footage-004.mp4"     // has no budget, and paid nothing
	priced   = "lecture-cs101-07.mkv"      // calls an API whose price is unknown
	fresh    = "upload-9f3c1e"             // has done nothing yet
	failed   = "town-hall-q3.mp4"          // has failed
	good     = "news-0930.mp4"             // has completed
	rented   = "shorts-batch-22"           // has completed, and its cost is not known
	limited  = "rate_limited"              // a type of error
	gpu      = "gpu-rent"                  // an API without a price
	generous = 2 * instrument.Dollar       // a budget
)

// A world is a program and the jobs in it, each of which works in a goroutine of its own.
type world struct {
	*program
	ctx     context.Context
	cancel  context.CancelFunc
	working sync.WaitGroup
	mu      sync.Mutex
	traced  map[string]string // the trace ids of live jobs, by id
}

// usual has the usual times of the stages, for a video of half an hour. Only that of the
// transcription is soon exceeded.
var usual = []time.Duration{time.Second, 5 * time.Hour, 12 * time.Second, 5 * time.Hour, 5 * time.Hour}

// startBusy starts a program that has run before: it knows how long its stages take.
func startBusy() (*world, error) {
	var times []instrument.StageTimes
	for i, name := range stages {
		t := instrument.StageTimes{Stage: name}
		for run := range 20 {
			took := usual[i] * time.Duration(90+run) / 100
			t.Runs = append(t.Runs, instrument.StageRun{Took: took, Video: 30 * time.Minute})
		}
		times = append(times, t)
	}
	m, err := serve("127.0.0.1:0", nil, times)
	if err != nil {
		return nil, err
	}
	w := &world{program: m, traced: make(map[string]string)}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	for _, pool := range []struct {
		kind instrument.PoolKind
		name string
	}{{instrument.PoolDatabase, "main"}, {instrument.PoolRedis, "cache"}} {
		if _, err := m.p.ObservePool(pool.kind, pool.name, func() instrument.PoolStats { return instrument.PoolStats{Used: 4, Idle: 6, Max: 10} }); err != nil {
			return nil, err
		}
	}
	for _, e := range ended {
		w.working.Go(func() { w.end(e) })
	}
	w.live()
	return w, nil
}

// stop ends all jobs, then the program.
func (w *world) stop() {
	w.cancel()
	w.working.Wait()
	shutDown(w.tel)
}

// rest waits, and reports whether the world goes on.
func (w *world) rest(d time.Duration) bool {
	select {
	case <-w.ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// job starts a job that lives as long as the world, with what it does.
func (w *world) job(id string, does func(context.Context), opts ...instrument.JobOption) {
	ctx, job := w.p.StartJob(w.ctx, id, opts...)
	w.mu.Lock()
	w.traced[id] = trace.SpanContextFromContext(ctx).TraceID().String()
	w.mu.Unlock()
	w.working.Go(func() {
		defer job.End(nil)
		does(ctx)
		<-w.ctx.Done()
	})
}

// pass runs a stage to its end.
func (w *world) pass(ctx context.Context, name string, took time.Duration) {
	_ = instrument.RunStage(ctx, name, func(ctx context.Context) error {
		const steps = 5
		for i := range steps {
			instrument.ReportProgress(ctx, float64(i), steps, instrument.WithSpeed(13.2))
			w.rest(took / steps)
		}
		return nil
	})
}

// work runs a stage that goes on as long as the world, a little further each time.
func (w *world) work(ctx context.Context, name string, from, to float64, speed float64) {
	_ = instrument.RunStage(ctx, name, func(ctx context.Context) error {
		for done := from; ; done += (to - done) / 400 {
			instrument.ReportProgress(ctx, done, 1, instrument.WithSpeed(speed))
			if !w.rest(200 * time.Millisecond) {
				return nil
			}
		}
	})
}

// pay makes a paid call, which a budget may refuse.
func pay(ctx context.Context, api string, cost instrument.USD) {
	_ = instrument.RunCall(ctx, api, func(ctx context.Context) error {
		instrument.CallFromContext(ctx).SetCost(cost)
		return nil
	}, instrument.WithMaxCost(cost))
}

// payUnknown makes a call whose price is unknown.
func payUnknown(ctx context.Context, api string) {
	_ = instrument.RunCall(ctx, api, func(ctx context.Context) error {
		instrument.CallFromContext(ctx).SetUnpriced("no_price")
		return nil
	}, instrument.WithUnknownCost("no_price"))
}

// live starts the live jobs.
func (w *world) live() {
	const cent = instrument.Cent
	w.job(keynote, func(ctx context.Context) {
		w.pass(ctx, "validation", 400*time.Millisecond)
		w.pass(ctx, "analysis", time.Second)
		_ = instrument.RunStage(ctx, "transcription", func(ctx context.Context) error {
			for range 3 {
				pay(ctx, "whisper", cent*52/5)
				w.rest(time.Second)
			}
			return nil
		})
		w.pass(ctx, "normalization", 1500*time.Millisecond)
		w.work(ctx, "rendering", 0.4, 0.98, 13.2)
	}, instrument.WithBudget(generous), instrument.WithVideoDuration(52*time.Minute), instrument.WithJobType("keynote"))
	w.job(stuck, func(ctx context.Context) {
		w.pass(ctx, "analysis", time.Second)
		pay(ctx, "whisper", 18*cent)
		_ = instrument.RunStage(ctx, "rendering", w.stick)
	}, instrument.WithBudget(instrument.Dollar), instrument.WithVideoDuration(39*time.Minute))
	w.job(slow, func(ctx context.Context) {
		pay(ctx, "whisper", 87*cent)
		w.work(ctx, "transcription", 0.6, 0.8, 0)
	}, instrument.WithBudget(instrument.Dollar), instrument.WithVideoDuration(5*time.Minute), instrument.WithAttempt(2, 3))
	w.job(dear, func(ctx context.Context) {
		w.pass(ctx, "validation", 300*time.Millisecond)
		instrument.Spend(ctx, "gpt-4o-transcribe", 61*cent)
		pay(ctx, "gpt-4o-transcribe", 10*cent) // is refused
		w.work(ctx, "normalization", 0.5, 0.9, 21.4)
	}, instrument.WithBudget(60*cent), instrument.WithVideoDuration(4*time.Minute))
	w.job(free, func(ctx context.Context) { w.work(ctx, "analysis", 0.8, 0.95, 2.9) }, instrument.WithVideoDuration(96*time.Second))
	w.job(priced, func(ctx context.Context) {
		payUnknown(ctx, gpu)
		w.work(ctx, "analysis", 0.35, 0.6, 0)
	}, instrument.WithVideoDuration(90*time.Minute))
	w.job(fresh, func(context.Context) {})
}

// stick is a stage whose process does nothing.
func (w *world) stick(ctx context.Context) error {
	process, err := instrument.StartProcess(ctx, exec.CommandContext(w.ctx, "sleep", "3600"))
	if err != nil {
		return err
	}
	instrument.ReportProgress(ctx, 57, 100)
	return process.Wait()
}

// A run is a job that ends soon after the start of the world.
type run struct {
	id            string
	took          time.Duration
	cost          instrument.USD // 0: unknown
	before, after instrument.LU
	segments      int
	best          float64
	err           error
}

var ended = []run{
	{good, 1200 * time.Millisecond, 6 * instrument.Cent, 14.6, 0.4, 11, 0.92, nil},
	{"wedding-raw-17.mp4", 2500 * time.Millisecond, 21 * instrument.Cent, 21.8, 1.1, 34, 0.88, nil},
	{rented, 700 * time.Millisecond, 0, 6.1, 0.2, 4, 0.97, nil},
	{"interview-berlin-cam1.mov", 1800 * time.Millisecond, 18 * instrument.Cent, 23, 2.6, 22, 0.83, nil},
	{failed, 900 * time.Millisecond, 9 * instrument.Cent, 0, 0, 0, 0, failure(limited)},
	{"upload-77ab02", 300 * time.Millisecond, 1, 0, 0, 0, 0, context.Canceled},
}

// A failure is an error with a type of its own.
type failure string

func (f failure) Error() string     { return "failed: " + string(f) }
func (f failure) ErrorType() string { return string(f) }

// end runs one of the ended jobs.
func (w *world) end(e run) {
	ctx, cancel := context.WithCancel(w.ctx)
	defer cancel()
	_ = w.p.RunJob(ctx, e.id, func(ctx context.Context) error {
		w.pass(ctx, "analysis", e.took/2)
		if e.cost == 0 {
			payUnknown(ctx, gpu)
		} else {
			instrument.Spend(ctx, "whisper", e.cost)
		}
		if e.segments > 0 {
			instrument.RecordLoudnessSpread(ctx, semconv.PhaseBefore, e.before)
			instrument.RecordLoudnessSpread(ctx, semconv.PhaseAfter, e.after)
			instrument.RecordSegments(ctx, e.segments)
			for i := range e.segments {
				instrument.RecordHighlight(ctx, e.best*float64(i+1)/float64(e.segments))
			}
		}
		return instrument.RunStage(ctx, "rendering", func(context.Context) error {
			w.rest(e.took / 2)
			if errors.Is(e.err, context.Canceled) {
				cancel()
			}
			return e.err
		})
	}, instrument.WithVideoDuration(time.Minute))
}

// busyIDs are the live jobs in the order of their starts.
var busyIDs = []string{keynote, stuck, slow, dear, free, priced, fresh}

// trace returns the trace id of a live job.
func (w *world) trace(id string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.traced[id]
}
