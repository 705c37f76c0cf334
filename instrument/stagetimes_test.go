package instrument_test

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/semconv"
)

// Times of stages that no longer exist take up neither series nor names. They are kept for the next
// process all the same.
func TestStageTimesOfStagesThatDoNotRun(t *testing.T) {
	given := []instrument.StageTimes{usually("former", time.Second, 3), usually("renamed", time.Second, 2)}
	p, rec := instrumenttest.New(t, instrument.WithNameLimit(2), instrument.WithStageTimes(given...))
	for _, name := range []string{"one", "two"} {
		_, stage := p.StartStage(t.Context(), name)
		defer stage.End(nil)
		if n, ok := rec.Gauge(semconv.StagesInProgressName, semconv.AttrStage.String(name)); !ok || n != 1 {
			t.Errorf("%s: %v, %v", name, n, ok)
		}
	}
	if got := p.Snapshot(instrument.Query{}).Stages; !reflect.DeepEqual(got, []string{"one", "two"}) {
		t.Errorf("stages %q", got)
	}
	if got := p.StageTimes(); !reflect.DeepEqual(got, given) {
		t.Errorf("%+v, want %+v", got, given)
	}
}

// Nothing that a store returns does harm: invalid times are ignored with an error, and the number
// of valid ones is bounded.
func TestStageTimesOfAnything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var many []instrument.StageTimes
		for i := range 200_000 {
			many = append(many, usually(fmt.Sprint("stage-", i), time.Second, 1))
		}
		long := usually("declared", math.MaxInt64, 100)
		p, _ := instrumenttest.New(t, instrument.WithStages("declared"), instrument.WithStageTimes(many...), instrument.WithStageTimes(long))
		got := p.StageTimes()
		if len(got) != 101 || got[0].Stage != "declared" || len(got[0].Runs) != 64 {
			t.Errorf("%d stages are kept, the first with %d runs", len(got), len(got[0].Runs))
		}
		again, _ := instrumenttest.New(t, instrument.WithStages("declared"), instrument.WithStageTimes(got...))
		if !reflect.DeepEqual(again.StageTimes(), got) {
			t.Error("it differs after a restart")
		}
		ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithVideoDuration(math.MaxInt64))
		defer job.End(nil)
		if e := onlyJob(t, p).Estimate; e == nil || e.Left <= 0 || e.Most < e.Left {
			t.Errorf("%+v", e)
		}
		_, stage := instrument.StartStage(ctx, "declared", instrument.WithVideoDuration(1))
		defer stage.End(nil)
		if e := onlyJob(t, p).Stages[0].Estimate; e == nil || e.Least > e.Left || e.Left > e.Most {
			t.Errorf("%+v", e)
		}
	})
	for name, times := range map[string]instrument.StageTimes{
		"no name": {Runs: make([]instrument.StageRun, 1)}, "a control": usually("a\x00b", 1, 1), "a long name": usually(strings.Repeat("x", 65), 1, 1),
		"all others": usually("other", 1, 1), "a negative time": usually("x", -1, 1), "a negative length": {Stage: "x", Runs: []instrument.StageRun{{Video: -1}}},
	} {
		p, err := instrument.New(instrument.WithStageTimes(times))
		if err == nil || !strings.Contains(err.Error(), "WithStageTimes") {
			t.Errorf("%s: %v", name, err)
		}
		if got := p.StageTimes(); len(got) != 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// Stages past the limit of names share the name "other", which has no usual times.
func TestStagesPastTheLimitHaveNoUsualTime(t *testing.T) {
	p, _ := instrumenttest.New(t, instrument.WithNameLimit(1), instrument.WithDetails())
	ctx, job := p.StartJob(t.Context(), "job-1")
	defer job.End(nil)
	for _, name := range []string{"one", "two", "three"} {
		runFor(ctx, name, 0, nil)
	}
	if got := p.StageTimes(); len(got) != 1 || got[0].Stage != "one" {
		t.Errorf("%+v", got)
	}
	if s := onlyJob(t, p).Stages; s[2].Name != "other" || s[2].Usual != nil {
		t.Errorf("%+v", s[2])
	}
}

// Runs with and without the length of their video are not mixed: a ratio needs a length.
func TestStageTimesWithAndWithoutVideos(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := errors.New("gone")
		runs := []instrument.StageRun{{Took: time.Minute}, {Took: 3 * time.Minute}, {Took: 10 * time.Second, Video: 10 * time.Second}}
		p, _ := instrumenttest.New(t, instrument.WithStageTimes(instrument.StageTimes{Stage: "encoding", Runs: runs}))
		for _, tt := range []struct {
			video  time.Duration
			p50    time.Duration
			runs   int
			scaled bool
		}{{0, time.Minute, 3, false}, {time.Hour, time.Hour, 1, true}} {
			ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithVideoDuration(tt.video))
			_, stage := instrument.StartStage(ctx, "encoding")
			if u := onlyJob(t, p).Stages[0].Usual; u == nil || u.P50 != tt.p50 || u.Runs != tt.runs || u.Scaled != tt.scaled {
				t.Errorf("a video of %v: %+v", tt.video, u)
			}
			stage.End(&gone)
			job.End(nil)
		}
	})
}
