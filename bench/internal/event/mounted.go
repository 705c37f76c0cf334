package event

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/bench/internal/figures"
	"github.com/stagemeter/stagemeter/bench/internal/rounds"
	"github.com/stagemeter/stagemeter/exporters"
	"github.com/stagemeter/stagemeter/instrument"
)

// The goals of a live page without clients.
const (
	timeToUnmounted = 1.1
	moreAllocs      = 0
)

// pageMounted ends the names of rivals that have a live page.
const pageMounted = ", page mounted"

// Mount mounts a live page: only a program imports it.
type Mount = func(*exporters.Telemetry, *instrument.Pipeline) error

// mounted measures the cost of a live page without clients for a stage, a call and a job. The rival
// is the same program without a page.
func mounted(s rounds.Settings, mount Mount) (figures.Section, error) {
	sec := figures.Section{Name: "mounted", Title: "A live page without clients",
		Intro: "A stage, a paid call and a job that do nothing, in a program that serves metrics, and in the same one with the live " +
			"page mounted beside them. A ratio divides the time with the page by the time without it. The two take short turns, one " +
			"right after the other, since their times are so close."}
	s.Rounds, s.Turn = 4*s.Rounds, s.Turn/4
	for _, t := range tracings() {
		table := figures.Table{
			Title:   "With a live page and without, " + t.name,
			Columns: []string{"", "1 core", "ratio", "2 cores", "ratio", "allocs", "bytes"},
		}
		for _, event := range []string{runStage, runCall, runJob} {
			rs, err := mountedRivals(t.provider, event, mount)
			if err != nil {
				return sec, err
			}
			one, two := rs.time(s, 1), rs.time(s, 2)
			rs.close()
			mountedRows(&table, event, one, two)
			if event == runJob {
				continue // with a page it also keeps its stages and calls, to show them after its end
			}
			for i, results := range []rounds.Results{one, two} {
				where := fmt.Sprintf("%s, %s, %s", event, t.name, []string{"1 core", "2 cores"}[i])
				sec.Ratio("Page mounted: time of a stage or call, to no page", where, mountedRatio(event, results), timeToUnmounted)
			}
			if with, without := one.Of(event+pageMounted), one.Of(event); with != nil && without != nil {
				sec.Absolute("Page mounted: allocations added to a stage or call", event+", "+t.name,
					round(with.Allocs().Median)-round(without.Allocs().Median), moreAllocs, "")
			}
		}
		sec.Tables = append(sec.Tables, table)
	}
	sec.Note("A job has no goal: with a page it also keeps its stages and calls, to show them after its end.")
	return sec, nil
}

func mountedRows(table *figures.Table, event string, one, two rounds.Results) {
	for i, r := range one {
		ratios := [2]string{}
		if r.Name != event {
			ratios = [2]string{ratio(mountedRatio(event, one)), ratio(mountedRatio(event, two))}
		}
		table.Add(r.Name, figures.Times(r.Nanos()), ratios[0], figures.Times(two[i].Nanos()), ratios[1],
			figures.Figure(round(r.Allocs().Median)), figures.Figure(round(r.Bytes().Median)))
	}
}

// mountedRatio is what an event takes with a page over what it takes without.
func mountedRatio(event string, results rounds.Results) float64 {
	return rounds.Ratio(results.Of(event+pageMounted), results.Of(event), nil)
}

// mountedRivals is an event without a page and with one.
func mountedRivals(tracers trace.TracerProvider, event string, mount Mount) (rivals, error) {
	var rs rivals
	rs.add(ourEvent(tracers, event, nil))
	rs.add(ourEvent(tracers, event, mount))
	return rs, rs.err()
}

// ourEvent is an event in a program that serves its metrics, and, unless mount is nil, a live page.
func ourEvent(tracers trace.TracerProvider, event string, mount Mount) (rival, error) {
	o, err := newOurs(tracers, exporters.WithPrometheusAddr("127.0.0.1:0"))
	if err != nil {
		return rival{}, err
	}
	r := rival{name: event, close: o.close}
	if mount != nil {
		r.name += pageMounted
		if err := mount(o.tel, o.pipeline); err != nil {
			o.close()
			return rival{}, err
		}
	}
	cent := func(int) instrument.USD { return instrument.Cent }
	switch event {
	case runStage:
		r.ctx, r.run = o.job(), func(ctx context.Context, _ string, do work) (int, error) {
			return instrument.RunStageValue(ctx, stageName, do)
		}
	case runCall:
		r.ctx, r.run = o.job(), func(ctx context.Context, _ string, do work) (int, error) {
			return instrument.RunCallValue(ctx, apiName, cent, do)
		}
	default:
		r.ctx, r.run = o.ctx, func(ctx context.Context, id string, do work) (out int, err error) {
			err = o.pipeline.RunJob(ctx, id, func(ctx context.Context) (err error) { out, err = do(ctx); return err },
				instrument.WithVideoDuration(video))
			return out, err
		}
	}
	return r, nil
}
