package event

import (
	"errors"
	"fmt"
	"runtime"
	"strings"

	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/bench/internal/figures"
	"github.com/stagemeter/stagemeter/bench/internal/rounds"
)

// A scenario is one kind of event.
type scenario struct {
	name, title, intro string
	ours               []string // names of our rivals: the ways that a user can write it
	metrics            []string // what is recorded, by the names of Prometheus
	rivals             func(trace.TracerProvider) (rivals, error)
	allocs             bool // has the goal for allocations
}

// rivals are those of a scenario.
type rivals struct {
	all  []rival
	errs []error
}

func (rs *rivals) add(r rival, err error) {
	if err != nil {
		rs.errs = append(rs.errs, err)
		return
	}
	rs.all = append(rs.all, r)
}

func (rs rivals) err() error { return errors.Join(rs.errs...) }

func (rs rivals) close() {
	for _, r := range rs.all {
		r.close()
	}
}

// Goals of an event.
const (
	timeToByHand   = 0.35
	timeToPrebuilt = 0.7
	ownAllocs      = 2 // above the span's
)

// measure checks that the rivals measure the same, and times them: for each tracing, on one core and on two.
func (sc scenario) measure(s rounds.Settings) (figures.Section, error) {
	sec := figures.Section{Name: sc.name, Title: sc.title, Intro: sc.intro}
	if err := sc.check(); err != nil {
		return sec, fmt.Errorf("%s: %w", sc.name, err)
	}
	if runtime.NumCPU() < 2 {
		sec.Note("This machine has one core: the columns of two cores tell nothing.")
	}
	for _, t := range tracings() {
		rs, err := sc.rivals(t.provider)
		if err != nil {
			return sec, err
		}
		one, two := rs.time(s, 1), rs.time(s, 2)
		rs.close()
		sec.Tables = append(sec.Tables, sc.table(t, one, two))
		sc.goals(&sec, t, one, two)
	}
	return sec, nil
}

// time times the rivals on some cores.
func (rs rivals) time(s rounds.Settings, procs int) (results rounds.Results) {
	var timed []rounds.Rival
	for _, r := range rs.all {
		timed = append(timed, rounds.Rival{Name: r.name, Loop: rounds.Parallel(procs, r.loop)})
	}
	rounds.OnProcs(procs, func() { results = rounds.Run(s, timed...) })
	return results
}

// base is what a ratio leaves out: the span's own time, where the tracing says so.
func (t tracing) base(results rounds.Results) *rounds.Result {
	if !t.net {
		return nil
	}
	return results.Of(spanAlone)
}

func (sc scenario) table(t tracing, one, two rounds.Results) figures.Table {
	table := figures.Table{
		Title:   sc.title + ", " + t.name,
		Columns: []string{"", "1 core", "ratio", "2 cores", "ratio", "scaling", "allocs", "bytes"},
	}
	if t.net {
		table.Title += " (ratios net of the span)"
	}
	for i, r := range one {
		table.Add(r.Name,
			figures.Times(r.Nanos()), ratio(sc.ratio(t, one, r.Name)),
			figures.Times(two[i].Nanos()), ratio(sc.ratio(t, two, r.Name)),
			figures.Figure(scaling(one, two, r.Name)),
			figures.Figure(round(r.Allocs().Median)), figures.Figure(round(r.Bytes().Median)))
	}
	return table
}

// ratio is what the counterpart of a rival takes over what the rival does, each net of the span where the tracing says so.
func (sc scenario) ratio(t tracing, results rounds.Results, rival string) float64 {
	if rival == spanAlone && t.net {
		return 0
	}
	return rounds.Ratio(results.Of(sc.counterpart(rival)), results.Of(rival), t.base(results))
}

// counterpart is the first of ours that has the same to do as a rival.
func (sc scenario) counterpart(rival string) string {
	for _, name := range sc.ours {
		if variant(name) == variant(rival) {
			return name
		}
	}
	return sc.ours[0]
}

// variant is how a name ends of those that have more to do than others.
func variant(name string) string {
	if strings.HasSuffix(name, withBudget) {
		return withBudget
	}
	return ""
}

// scaling is how much more is done on two cores than on one.
func scaling(one, two rounds.Results, name string) float64 {
	a, b := one.Of(name), two.Of(name)
	if a == nil || b == nil {
		return 0
	}
	return a.Nanos().Median / b.Nanos().Median
}

func (sc scenario) goals(sec *figures.Section, t tracing, one, two rounds.Results) {
	for _, name := range sc.ours {
		hand, built := byHand+variant(name), prebuilt+variant(name)
		for i, results := range []rounds.Results{one, two} {
			ours, base := results.Of(name), t.base(results)
			where := fmt.Sprintf("%s, %s, %s", name, t.name, []string{"1 core", "2 cores"}[i])
			sec.Ratio(sc.title+": time, to OTel prebuilt", where, rounds.Ratio(ours, results.Of(built), base), timeToPrebuilt)
			sec.Ratio(sc.title+": time, to OTel by hand", where, rounds.Ratio(ours, results.Of(hand), base), timeToByHand)
		}
		if a, b := scaling(one, two, name), scaling(one, two, built); a > 0 && b > 0 {
			sec.Ratio(sc.title+": the scaling of OTel prebuilt over ours", name+", "+t.name, b/a, 1)
		}
		if ours, span := one.Of(name), one.Of(spanAlone); sc.allocs && ours != nil && span != nil {
			own := round(ours.Allocs().Median - span.Allocs().Median)
			sec.Absolute(sc.title+": allocations above the span's", name+", "+t.name, own, ownAllocs, "")
		}
	}
}

func ratio(r float64) string {
	if r == 0 {
		return ""
	}
	return figures.Figure(r) + figures.Ratio
}

// round drops what other goroutines allocated meanwhile.
func round(v float64) float64 { return float64(int(v + 0.5)) }
