package trial

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

var policies = map[string]instrument.UnpricedPolicy{
	"deny": instrument.DenyUnpriced(), "reserve": instrument.ReserveUnpriced(reserveUnpriced), "allow": instrument.AllowUnpriced(),
}

func TestRandomPrograms(t *testing.T) {
	for seed := range uint64(300) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { trial(t, seed) })
		})
	}
}

func trial(t *testing.T, seed uint64) {
	a := newAudit()
	policy := []string{"deny", "reserve", "allow"}[seed%3]
	p, rec := instrumenttest.New(t, instrument.WithUnpricedPolicy(policies[policy]), instrument.WithEvents(a.events()), instrument.WithHistory(1000))
	b := newBooks()
	run := newProgram("p", seed, p, b, policy)
	run.run(t.Context())
	got := shown(t, rec.Exposition())
	run.takeProgress(t, got)
	compare(t, got, b.all())
	for _, wrong := range run.wrong {
		t.Error(wrong)
	}
	run.compareSpans(t, rec)
	run.compareHistory(t)
	rest := run.spentOutside // Spend is no event, and a job that lives has not told its cost
	for _, j := range p.Snapshot(instrument.Query{}).Live {
		rest += j.Cost.Float64()
	}
	a.compareCounts(t, got)
	a.compareCost(t, got, rest)
	if a.progress != run.progress {
		t.Errorf("%d reports of progress, the books say %d", a.progress, run.progress)
	}
	for name := range run.thresholds {
		if a.crossed[name] != run.thresholds[name] {
			t.Errorf("threshold %s was told %d times, the books say %d", name, a.crossed[name], run.thresholds[name])
		}
	}
	for name := range a.crossed {
		if run.thresholds[name] == 0 {
			t.Errorf("threshold %s was told, the books say never", name)
		}
	}
	if t.Failed() {
		t.Log(strings.Join(run.log, "\n"), strings.Join(a.log, "\n"))
	}
}

// takeProgress removes the progress of stages from what was shown: it is estimated, and the books do
// not have it. It is a share, and only of a job that lives.
func (p *program) takeProgress(t *testing.T, shown map[string]float64) {
	t.Helper()
	live := make(map[string]bool)
	for j := range p.live {
		live[j.id] = true
	}
	for name, v := range shown {
		labels, ok := strings.CutPrefix(name, prefix+"stage_progress_ratio{")
		if !ok {
			continue
		}
		_, id, _ := strings.Cut(labels, `job_id="`)
		id, _, _ = strings.Cut(id, `"`)
		if v < 0 || v > 0.99 || !live[id] {
			t.Errorf("%s is %v, want a share of a job that lives", name, v)
		}
		delete(shown, name)
	}
}

// compareSpans compares the spans of the jobs that ended.
func (p *program) compareSpans(t *testing.T, rec *instrumenttest.Recorder) {
	t.Helper()
	spans := make(map[trace.SpanID]tracetest.SpanStub)
	for _, s := range rec.Spans() {
		spans[s.SpanContext.SpanID()] = s
	}
	for _, e := range p.ended {
		s, ok := spans[e.span]
		if !ok {
			t.Errorf("the span of %s has not ended", e.id)
			continue
		}
		attrs := make(map[string]string)
		for _, a := range s.Attributes {
			attrs[string(a.Key)] = a.Value.String()
		}
		open := attrs["video.processing.calls_open"]
		if open == "" {
			open = "0"
		}
		isError := e.outcome == "failed" || e.outcome == "retried"
		got := fmt.Sprint(attrs["video.processing.outcome"], " open=", open, " error=", s.Status.Code == codes.Error)
		if want := fmt.Sprint(e.outcome, " open=", e.open, " error=", isError); got != want {
			t.Errorf("the span of %s says %s, the books say %s", e.id, got, want)
		}
	}
}

// compareHistory compares a snapshot: the jobs that ended, the newest first, and those that live.
func (p *program) compareHistory(t *testing.T) {
	t.Helper()
	snapshot := p.p.Snapshot(instrument.Query{})
	if len(snapshot.Ended) != len(p.ended) || len(snapshot.Live) != len(p.live) {
		t.Errorf("%d jobs ended and %d are live, the books say %d and %d", len(snapshot.Ended), len(snapshot.Live), len(p.ended), len(p.live))
		return
	}
	for i, s := range snapshot.Ended {
		want := p.ended[len(p.ended)-1-i]
		got := endedBook{s.ID, string(s.Outcome.Attempt), s.Outcome.ErrorType, s.Attempt, s.Unpriced, int64(s.Cost), want.open, want.span}
		if strings.HasPrefix(got.id, "unnamed~") {
			got.id = "unnamed"
		}
		if got != want {
			t.Errorf("the history says %+v, the books say %+v", got, want)
		}
	}
}
