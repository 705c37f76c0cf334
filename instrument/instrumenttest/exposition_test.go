package instrumenttest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

const budgetText = `# HELP video_processing_budget_exceeded_total Number of jobs that crossed their budget, each counted once.
# TYPE video_processing_budget_exceeded_total counter
video_processing_budget_exceeded_total 0
# HELP video_processing_budget_remaining_usd Budget that a job in progress has left, in US dollars.
# TYPE video_processing_budget_remaining_usd gauge
video_processing_budget_remaining_usd{job_id="job-1"} 2
`

var budgetNames = []string{"video_processing_budget_remaining_usd", "video.processing.budget_exceeded"}

func TestExposition(t *testing.T) {
	p, rec := instrumenttest.New(t)
	_, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(2*instrument.Dollar))
	defer job.End(nil)
	names := append([]string(nil), budgetNames...)
	if got := rec.Exposition(names...); got != budgetText {
		t.Errorf("got\n%s\nwant\n%s", got, budgetText)
	}
	if names[1] != budgetNames[1] {
		t.Error("the caller's names were changed")
	}
	all := rec.Exposition()
	for _, name := range []string{"video_processing_jobs_total", "video_processing_jobs_in_progress 1\n"} {
		if !strings.Contains(all, name) {
			t.Errorf("all of it is without %s:\n%s", name, all)
		}
	}
	for _, noise := range []string{"target_info", "otel_scope"} {
		if strings.Contains(all, noise) {
			t.Errorf("it has %s:\n%s", noise, all)
		}
	}
}

func TestGolden(t *testing.T) {
	golden := func() *fakeT {
		return attempt(func(t testing.TB) {
			p, rec := instrumenttest.New(t)
			_, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(2*instrument.Dollar))
			defer job.End(nil)
			rec.Golden("sub/budget.prom", budgetNames...)
		})
	}
	t.Chdir(t.TempDir())
	t.Setenv("UPDATE_GOLDEN", "")
	file := filepath.Join("testdata", "sub", "budget.prom")

	if f := golden(); !f.fatal || !strings.Contains(f.said(), "UPDATE_GOLDEN=1 writes it") {
		t.Errorf("without a file: fatal %v, said %q", f.fatal, f.said())
	}
	t.Setenv("UPDATE_GOLDEN", "1")
	if f := golden(); f.said() != "" {
		t.Errorf("writing said %q", f.said())
	}
	if written, err := os.ReadFile(file); err != nil || string(written) != budgetText {
		t.Errorf("wrote\n%s\nerror %v, want\n%s", written, err, budgetText)
	}
	t.Setenv("UPDATE_GOLDEN", "")
	if f := golden(); f.said() != "" {
		t.Errorf("the same said %q", f.said())
	}
	old := strings.Replace(budgetText, `"job-1"} 2`, `"job-1"} 3`, 1)
	if err := os.WriteFile(file, []byte(old), 0o666); err != nil {
		t.Fatal(err)
	}
	f := golden()
	const want = `- video_processing_budget_remaining_usd{job_id="job-1"} 3
+ video_processing_budget_remaining_usd{job_id="job-1"} 2
`
	if f.fatal || !strings.HasSuffix(f.said(), want) || !strings.Contains(f.said(), filepath.ToSlash(file)) {
		t.Errorf("another value: fatal %v, said\n%s\nwant at the end\n%s", f.fatal, f.said(), want)
	}
	if now, _ := os.ReadFile(file); string(now) != old {
		t.Error("a comparison has changed the file")
	}
}
