package instrument_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// One who may choose ids cannot take the series, and so the budget that is shown, of another's job.
func TestNoTwoIDsAreShownAsOne(t *testing.T) {
	unnamed := func(t *testing.T, p *instrument.Pipeline) string {
		_, job := p.StartJob(t.Context(), "")
		t.Cleanup(func() { job.End(nil) })
		return p.Snapshot(instrument.Query{Job: job.ID()}).Live[0].ID
	}
	for _, tt := range []struct{ reason, id string }{
		{"changed", "film\x00.mp4"},
		{"cut", strings.Repeat("x", 300)},
		{"cut, not UTF-8", strings.Repeat("\xff", 300)},
		{"of what nobody sees", "\u200b"},
		{"with a space at its end", "film.mp4 "},
		{"it looks changed", "film~0123456789abcdef0123456789ABCDEF"},
		{"given none", ""},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			p, rec := instrumenttest.New(t)
			ids := []string{tt.id}
			if tt.id == "" {
				ids[0] = unnamed(t, p)
			}
			for range 4 { // each has the form of the one before
				ids = append(ids, instrument.ShowID(ids[len(ids)-1]))
			}
			ids = append(ids, strings.ToUpper(ids[1]))
			for _, id := range ids {
				_, job := p.StartJob(t.Context(), id, instrument.WithBudget(instrument.Dollar))
				defer job.End(nil)
				if job.ID() != id {
					t.Errorf("ID() of %q is %q", id, job.ID())
				}
			}
			text := rec.Exposition(vp("budget_remaining_usd"))
			if got := strings.Count(text, "job_id="); got != len(ids) {
				t.Errorf("%d series of %d ids:\n%s", got, len(ids), text)
			}
		})
	}
}

// What a job without an id spends is not the account of the one who names its shown form.
func TestShownIDOfAnUnnamedJobOpensAnotherAccount(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "", instrument.WithBudget(instrument.Dollar))
	instrument.Spend(ctx, "gpu", cent)
	shown := p.Snapshot(instrument.Query{}).Live[0].ID
	_, other := p.StartJob(t.Context(), shown, instrument.WithBudget(2*instrument.Dollar))
	_, same := p.StartJob(t.Context(), job.ID())
	for _, j := range []*instrument.Job{job, other, same} {
		defer j.End(nil)
	}
	if got, _ := other.BudgetRemaining(); got != 2*instrument.Dollar {
		t.Errorf("the other has %s left, want $2", got)
	}
	for _, j := range []*instrument.Job{job, same} {
		if got, _ := j.BudgetRemaining(); got != 99*cent {
			t.Errorf("%s is left, want $0.99", got)
		}
	}
	if strings.Contains(rec.Exposition(), job.ID()) {
		t.Error("the whole id is shown")
	}
}

// An id has one form in all processes, so that both deliveries of a message are found.
func TestJobIDs(t *testing.T) {
	tests := []struct {
		reason, id, shown string
		invalid           float64
	}{
		{"a path with spaces and quotes", `/in/my "best" take.mp4`, `/in/my "best" take.mp4`, 0},
		{"a multi-byte id", "видео-7", "видео-7", 0},
		{"line breaks can't forge lines of a log or an exposition", "a\nb\x00c", "a\uFFFDb\uFFFDc~896144d1d44195e89a7ed32b80e86e5c", 0},
		{"bytes that are not UTF-8 would make OTLP refuse the whole batch", "a\xff\xfeb", "a\uFFFDb~373388e615af530fbe6573705f6dfb84", 0},
		{"and two of them stay two jobs", "a\xfe\xffb", "a\uFFFDb~896d6f6eba8d0e4c95571097068e19db", 0},
		{"a presigned URL", "https://u:hunter2@host/a.mp4?v=1&sig=hunter2", "https://…@host/a.mp4?v=1&sig=…~941b29ddd3c7af65469d1b7fcc2ec092", 0},
		{"huge", strings.Repeat("x", 1<<20), strings.Repeat("x", 223) + "~8f990ba0b577b51cf009ea049368c16b", 0},
		{"huge, and other past the cut than the one above", strings.Repeat("x", 1<<20) + "y", strings.Repeat("x", 223) + "~56c8a5b6a4fb60400890961be33dbd0b", 0},
		{"huge and multi-byte: cut between characters", strings.Repeat("я", 1<<10), strings.Repeat("я", 111) + "~f4c2bcd80fff929d8ef4fa1f7c4b5b34", 0},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			p, rec := instrumenttest.New(t)
			ctx, job := p.StartJob(t.Context(), tt.id)
			instrument.Spend(ctx, "gpu", instrument.Cent)
			if job.ID() != tt.id {
				t.Errorf("ID() is not what StartJob was given")
			}
			if _, ok := rec.Gauge(vp("job_cost_usd"), label("job_id", tt.shown)); !ok {
				t.Errorf("no series for job_id=%q:\n%s", tt.shown, rec.Exposition(vp("job_cost_usd")))
			}
			job.End(nil)
			rec.Span("job", label("video.processing.job.id", tt.shown))
			if got := rec.Counter(vp("invalid_values_total")); got != tt.invalid {
				t.Errorf("invalid values = %v, want %v", got, tt.invalid)
			}
		})
	}
}

// Two jobs without an id must not share a budget, and somebody should find out.
func TestJobWithoutAnIDGetsItsOwn(t *testing.T) {
	p, rec := instrumenttest.New(t)
	seen := make(map[string]bool)
	for _, id := range []string{"", "", " ", "   "} {
		_, job := p.StartJob(t.Context(), id, instrument.WithBudget(instrument.Dollar))
		defer job.End(nil)
		if !utf8.ValidString(job.ID()) || seen[job.ID()] {
			t.Errorf("the id %q is taken", job.ID())
		}
		seen[job.ID()] = true
	}
	if got, _ := rec.Gauge(vp("budget_remaining_usd")); got != 4 {
		t.Errorf("the budgets add up to %v, want 4 of $1", got)
	}
	if got := rec.Counter(vp("invalid_values_total"), label("metric", "video.processing.jobs"), label("reason", "bad_name")); got != 4 {
		t.Errorf("invalid_values_total{jobs,bad_name} = %v, want 4", got)
	}
}
