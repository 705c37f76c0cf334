package instrument_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

func TestJobIDs(t *testing.T) {
	tests := []struct {
		reason, id, shown string
		invalid           float64
	}{
		{"a path with spaces and quotes", `/in/my "best" take.mp4`, `/in/my "best" take.mp4`, 0},
		{"a multi-byte id", "видео-7", "видео-7", 0},
		{"line breaks can't forge lines of a log or an exposition", "a\nb\x00c", "a\uFFFDb\uFFFDc~b1e616ccdfb706a9", 0},
		{"bytes that are not UTF-8 would make OTLP refuse the whole batch", "a\xff\xfeb", "a\uFFFDb~d48ffe81942d82b5", 0},
		{"and two of them stay two jobs", "a\xfe\xffb", "a\uFFFDb~c9d7bd818d85f36b", 0},
		{"huge", strings.Repeat("x", 1<<20), strings.Repeat("x", 239) + "~7f69900cc9622325", 0},
		{"huge, and other past the cut than the one above", strings.Repeat("x", 1<<20) + "y", strings.Repeat("x", 239) + "~e28321ba31c21554", 0},
		{"huge and multi-byte: cut between characters", strings.Repeat("я", 1<<10), strings.Repeat("я", 119) + "~f14981fea8262325", 0},
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
