package instrument_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"go.opentelemetry.io/otel"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// Somebody puts a file name into a stage name: after a hundred of them the rest is one series, and it is said once.
func TestNameLimit(t *testing.T) {
	reports := captureReports(t)
	p, rec := instrumenttest.New(t, instrument.WithNameLimit(2), instrument.WithStages("analysis", "rendering"), instrument.WithAPIs("whisper"))
	ctx := instrument.ContextWithPipeline(t.Context(), p)
	stage := func(name string) {
		_, _ = instrument.RunStageValue(ctx, name, func(context.Context) (int, error) { return 0, nil })
	}
	for i := range 10 {
		stage(fmt.Sprint("cut-", i))
		instrument.Spend(ctx, fmt.Sprint("api-", i), instrument.Cent)
	}
	stage("analysis")
	stage("rendering")
	stage("cut-1")
	stage("another")
	instrument.Spend(ctx, "whisper", instrument.Cent)
	for name, want := range map[string]uint64{
		"analysis": 1, "rendering": 1, "cut-0": 1, "cut-1": 2, "cut-2": 0, "other": 9,
	} {
		if got := rec.Histogram(vp("duration_seconds"), label("stage", name)).Count; got != want {
			t.Errorf("stage %q has %d, want %d", name, got, want)
		}
	}
	for name, want := range map[string]int64{"whisper": 1, "api-0": 1, "api-1": 1, "api-2": 0, "other": 8} {
		if got := rec.Counter(vp("cost_usd_total"), label("api", name)); instrument.Dollars(got) != money.Mul(cent, want) {
			t.Errorf("api %q has %v, want %v cents", name, got, want)
		}
	}
	reports.expect(t, `more than 2 undeclared stage names: "cut-2"`, `more than 2 undeclared API names: "api-2"`)
	rec.Span("stage cut-0")
}

// An error handler that counts errors with this very package runs within the report of a full table of names.
func TestErrorHandlerThatRecords(t *testing.T) {
	p, rec := instrumenttest.New(t, instrument.WithNameLimit(1))
	ctx := instrument.ContextWithPipeline(t.Context(), p)
	captureReports(t) // undoes the handler below
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		instrument.RecordError(ctx, err)
		instrument.Spend(ctx, "telemetry", 0)
	}))
	for i := range 3 {
		instrument.Spend(ctx, fmt.Sprint("api-", i), instrument.Cent)
		_, stage := instrument.StartStage(ctx, fmt.Sprint("stage-", i))
		stage.End(nil)
	}
	if got := rec.Counter(vp("errors_total")); got != 2 {
		t.Errorf("the handler was told %v times, want 2", got)
	}
}

// A handler that panics, in a program that never had an error to handle before.
func TestErrorHandlerThatPanics(t *testing.T) {
	p, _ := instrumenttest.New(t)
	captureReports(t)
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) { panic("no handler") }))
	if v := recovered(func() { p.Enqueue(t.Context(), "job-1", panickyCarrier{}) }); v != nil {
		t.Errorf("panicked with %v", v)
	}
}

func TestNames(t *testing.T) {
	tests := []struct {
		reason, name, want string
		bad                bool
	}{
		{"a word", "analysis", "analysis", false},
		{"words and marks", "loudness pass 2/2 (EBU)", "loudness pass 2/2 (EBU)", false},
		{"another script", "анализ", "анализ", false},
		{"the longest", strings.Repeat("x", 64), strings.Repeat("x", 64), false},
		{"quotes and backslashes are for the exposition to escape", `a"b\c`, `a"b\c`, false},
		{"empty", "", "unknown", true},
		{"blank", "   ", "unknown", true},
		{"blanks at its ends", " analysis ", "analysis", true},
		{"too long", strings.Repeat("x", 65), strings.Repeat("x", 64), true},
		{"huge", strings.Repeat("x", 1<<20), strings.Repeat("x", 64), true},
		{"too long, cut between characters", strings.Repeat("я", 33), strings.Repeat("я", 32), true},
		{"a character across the cut", "x" + strings.Repeat("я", 32), "x" + strings.Repeat("я", 31), true},
		{"a line break", "a\nb", "a\uFFFDb", true},
		{"the zero byte", "a\x00b", "a\uFFFDb", true},
		{"an escape sequence of a terminal", "\x1b[31mred", "\uFFFD[31mred", true},
		{"not UTF-8", "caf\xe9", "caf\uFFFD", true},
		{"nothing that is UTF-8", "\xff\xfe\xfd", "\uFFFD", true},
		{"half a surrogate pair", "a\xed\xa0\x80b", "a\uFFFDb", true},
		{"an accent that follows its letter", "cafe\u0301", "cafe\u0301", false},
		{"a picture", "\U0001F3AC", "\U0001F3AC", false},
		{"other spaces", "a\u00a0b\u3000c\u202fd", "a b c d", true},
		{"a space that is none", "a\u200bb", "a\uFFFDb", true},
		{"joiners", "a\u200db\u200cc\u2060d", "a\uFFFDb\uFFFDc\uFFFDd", true},
		{"from right to left", "\u202egpj.exe\u2069\u200f", "\uFFFDgpj.exe\uFFFD\uFFFD", true},
		{"tags, a text that nobody sees", "a\U000E0041\U000E007F", "a\uFFFD\uFFFD", true},
		{"variation selectors", "a\ufe0fb\U000e0101c\u180b", "a\uFFFDb\uFFFDc\uFFFD", true},
		{"a soft hyphen", "a\u00adb", "a\uFFFDb", true},
		{"annotations between lines", "a\ufff9b\ufffbc", "a\uFFFDb\uFFFDc", true},
		{"fillers", "a\u115f\u1160\u3164\uffa0\u034f\u17b4", "a" + strings.Repeat("\uFFFD", 6), true},
		{"letters and symbols without ink", "a\u2800\U00013441\U00016FE4\U0001D159", "a" + strings.Repeat("\uFFFD", 4), true},
		{"unassigned and private", "a\u0378\ue000\U0010fffd\U0001fffe", "a" + strings.Repeat("\uFFFD", 4), true},
		{"separators of lines", "a\u2028b\u2029c\u0085d", "a\uFFFDb\uFFFDc\uFFFDd", true},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			p, rec := instrumenttest.New(t)
			ctx := instrument.ContextWithPipeline(t.Context(), p)
			for range 2 {
				_, _ = instrument.RunStageValue(ctx, tt.name, func(context.Context) (int, error) { return 0, nil })
				instrument.Spend(ctx, tt.name, instrument.Cent)
			}
			s := rec.Snapshot()
			if got := s.Histogram(vp("duration_seconds"), label("stage", tt.want)).Count; got != 2 {
				t.Errorf("no stage %q:\n%s", tt.want, rec.Exposition(vp("stages_in_progress")))
			}
			if got := s.Counter(vp("cost_usd_total"), label("api", tt.want)); got != 0.02 {
				t.Errorf("no api %q:\n%s", tt.want, rec.Exposition(vp("cost_usd_total")))
			}
			want := 0.0
			if tt.bad {
				want = 2 // each time, so that a rate shows it
			}
			for _, metric := range []string{"duration", "api_calls"} {
				if got := s.Counter(vp("invalid_values_total"), label("metric", "video.processing."+metric), label("reason", "bad_name")); got != want {
					t.Errorf("bad names of %s = %v, want %v", metric, got, want)
				}
			}
		})
	}
}

// Hundreds of goroutines meet the same new names at once.
func TestNewNamesAtOnce(t *testing.T) {
	p, rec := instrumenttest.New(t, instrument.WithNameLimit(20))
	reports := captureReports(t)
	ctx := instrument.ContextWithPipeline(t.Context(), p)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for i := range 40 {
				recordErrorIn(ctx, fmt.Sprint("stage-", i), errDecoder)
			}
		})
	}
	wg.Wait()
	if got := rec.Counter(vp("errors_total")); got != 16*40 {
		t.Errorf("errors_total = %v, want %d", got, 16*40)
	}
	if got := rec.Counter(vp("errors_total"), label("stage", "other")); got != 16*20 {
		t.Errorf("other = %v, want %d", got, 16*20)
	}
	reports.expect(t, "undeclared stage names")
}

// A failed job takes no place among the names of stages, and loses its own to none.
func TestErrorsOfJobsAreNoStage(t *testing.T) {
	captureReports(t)
	p, rec := instrumenttest.New(t, instrument.WithNameLimit(1))
	ctx := instrument.ContextWithPipeline(t.Context(), p)
	for i := range 3 {
		recordErrorIn(ctx, fmt.Sprint("stage-", i), errDecoder)
	}
	_ = p.RunJob(ctx, "job-1", func(context.Context) error { return errDecoder })
	if got := rec.Counter(vp("errors_total"), label("stage", "job")); got != 1 {
		t.Errorf("errors_total{stage=job} = %v, want 1", got)
	}
	if _, ok := rec.Gauge(vp("stages_in_progress"), label("stage", "job")); ok {
		t.Error("there is a stage called job")
	}
}

// The span of a stage past the limit says which stage it was: it is not bounded as series are.
func TestSpanOfAStagePastTheLimit(t *testing.T) {
	captureReports(t)
	p, rec := instrumenttest.New(t, instrument.WithNameLimit(1))
	ctx := instrument.ContextWithPipeline(t.Context(), p)
	for _, name := range []string{"one", "two"} {
		_, stage := instrument.StartStage(ctx, name)
		stage.End(nil)
	}
	rec.Span("stage one", label("video.processing.stage", "one"))
	rec.Span("stage other", label("video.processing.stage", "two"))
}

// Any bytes make a text that every exporter takes: valid UTF-8, bounded, only of what a reader sees, never empty for a
// name; and one that is clean stays as it is. Two ids never have one form.
func FuzzNames(f *testing.F) {
	for _, s := range []string{"", " ", "analysis", "a\nb", "caf\xe9", "\xff", strings.Repeat("я", 300), strings.Repeat(" ", 2000) + "x",
		strings.Repeat("\xff", 300) + "x", "\u0085x\u00a0", "\xed\xa0\x80", strings.Repeat("\U0001F3AC", 17)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, limit := range []int{instrument.MaxNameLen, instrument.MaxIDLen} {
			c := instrument.Clean(s, limit)
			if !utf8.ValidString(c) || len(c) > limit || strings.ContainsFunc(c, isInvisible) || strings.TrimSpace(c) != c {
				t.Errorf("Clean(%q, %d) = %q", s, limit, c)
			}
			if again := instrument.Clean(c, limit); again != c {
				t.Errorf("Clean(%q, %d) = %q, and once more %q", s, limit, c, again)
			}
		}
		if shown := instrument.ShowID(s); shown != s && shown != "" {
			if instrument.ShowID(shown) == shown || len(shown) > instrument.MaxIDLen || strings.ContainsFunc(shown, isInvisible) {
				t.Errorf("the id %q has the form %q, which another id can have", s, shown)
			}
		}
		name, ok := instrument.CleanName(s)
		if name == "" || ok != (name == s) {
			t.Errorf("CleanName(%q) = %q, %v", s, name, ok)
		}
		if again, ok := instrument.CleanName(name); !ok || again != name {
			t.Errorf("CleanName(%q) = %q, and once more %q, %v", s, name, again, ok)
		}
	})
}

func isInvisible(r rune) bool { return instrument.Visible(r) != r }
