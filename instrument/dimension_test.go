package instrument_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// dimensioned are the metrics on which a job's type or labels are.
var dimensioned = []string{"jobs_total", "job_duration_seconds", "job_ratio", "cost_usd_total", "errors_total"}

// doWork runs one job that touches every metric with a dimension.
func doWork(t *testing.T, p *instrument.Pipeline, id string, opts ...instrument.JobOption) {
	t.Helper()
	p.Enqueue(t.Context(), id, propagation.MapCarrier{}, opts...)
	ctx, job := p.StartJob(t.Context(), id, append(opts, instrument.WithVideoDuration(1))...)
	instrument.Spend(ctx, "gpu", cent)
	err := instrument.RunStage(ctx, "analysis", func(context.Context) error { return errDecoder })
	job.End(&err)
}

// Without a type and labels the series are those that a pipeline without the options has.
func TestWithoutDimensionsTheSeriesAreTheSame(t *testing.T) {
	counters := func(rec *instrumenttest.Recorder) string {
		return rec.Exposition(vp("jobs_total"), vp("cost_usd_total"), vp("errors_total"))
	}
	plain, recPlain := instrumenttest.New(t)
	doWork(t, plain, "job-1")
	with, recWith := instrumenttest.New(t, instrument.WithLabels("tenant"))
	doWork(t, with, "job-1", instrument.WithJobType(""), instrument.WithLabel("tenant", ""))
	if got, want := counters(recWith), counters(recPlain); got != want {
		t.Errorf("with the options unused:\n%s\nwithout:\n%s", got, want)
	}
	if all := recPlain.Exposition(); strings.Contains(all, "job_type") || strings.Contains(all, "tenant") {
		t.Errorf("a dimension that nobody asked for:\n%s", all)
	}
}

func TestJobType(t *testing.T) {
	p, rec := instrumenttest.New(t)
	doWork(t, p, "job-1", instrument.WithJobType("highlights"))
	doWork(t, p, "job-2", instrument.WithJobType("dubbing"))
	doWork(t, p, "job-3")
	for _, kind := range []string{"highlights", "dubbing"} {
		typed := label("job_type", kind)
		for _, status := range []string{"queued", "processing", "failed"} {
			if got := rec.Counter(vp("jobs_total"), typed, label("status", status)); got != 1 {
				t.Errorf("jobs_total{job_type=%q, status=%q} = %v, want 1", kind, status, got)
			}
		}
		if got := rec.Counter(vp("cost_usd_total"), typed, label("api", "gpu")); got != 0.01 {
			t.Errorf("cost of %s = %v, want 0.01", kind, got)
		}
		if got := rec.Counter(vp("errors_total"), typed, label("stage", "analysis")); got != 1 {
			t.Errorf("errors of %s = %v, want 1", kind, got)
		}
		for _, name := range []string{"job_duration_seconds", "job_ratio"} {
			if got := rec.Histogram(vp(name), typed, label("status", "failed")).Count; got != 1 {
				t.Errorf("%s of %s has %d, want 1", name, kind, got)
			}
		}
		if rec.Span("job", typed).Name == "" {
			t.Errorf("the span of %s does not say so", kind)
		}
	}
	if got := rec.Counter(vp("jobs_total"), label("status", "failed")); got != 3 {
		t.Errorf("%v jobs failed in all, want 3", got)
	}
	if text := rec.Exposition(vp("jobs_total")); !strings.Contains(text, `video_processing_jobs_total{job_type="dubbing",status="completed"} 0`) {
		t.Errorf("a type's series do not begin at 0:\n%s", text)
	}
}

// A label is on the three metrics that say so, and on no other.
func TestLabels(t *testing.T) {
	p, rec := instrumenttest.New(t, instrument.WithLabels("tenant", "region"))
	doWork(t, p, "job-1", instrument.WithLabel("tenant", "acme"), instrument.WithLabel("region", "eu"), instrument.WithJobType("dubbing"))
	doWork(t, p, "job-2", instrument.WithLabel("region", "us"), instrument.WithLabel("region", "eu"))
	text := rec.Exposition()
	for _, want := range []string{
		`video_processing_jobs_total{job_type="dubbing",region="eu",status="failed",tenant="acme"} 1`,
		`video_processing_jobs_total{job_type="dubbing",region="eu",status="queued",tenant="acme"} 1`,
		`video_processing_jobs_total{region="eu",status="failed"} 1`,
		`video_processing_cost_usd_total{api="gpu",job_type="dubbing",region="eu",tenant="acme"} 0.01`,
		`video_processing_cost_usd_total{api="gpu",region="eu"} 0.01`,
		`video_processing_job_duration_seconds_count{job_type="dubbing",region="eu",status="failed",tenant="acme"} 1`,
		`video_processing_job_ratio_count{job_type="dubbing",status="failed"} 1`,
		`video_processing_errors_total{error_type="error",job_type="dubbing",stage="analysis"} 1`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no series %s", want)
		}
	}
	for line := range strings.Lines(text) {
		labelled := strings.Contains(line, `region="`)
		if may := strings.HasPrefix(line, vp("jobs_total{")) || strings.HasPrefix(line, vp("cost_usd_total{")) || strings.HasPrefix(line, vp("job_duration_seconds_")); labelled && !may {
			t.Errorf("a label on %s", line)
		}
	}
}

func TestLabelsThatCannotBe(t *testing.T) {
	for _, key := range []string{"", "Tenant", "tenant id", "1st", "_tenant", "__name__", "job__type", "a__b", "tenant_", "otel_scope_schema_url", "tenant-id", strings.Repeat("t", 65),
		"status", "api", "stage", "error_type", "job_id", "job_type", "le", "quantile", "job", "instance"} {
		t.Run(key, func(t *testing.T) {
			_, err := instrument.New(instrument.WithLabels(key, "tenant"))
			if err == nil || !strings.Contains(err.Error(), "WithLabels") || !strings.Contains(err.Error(), fmt.Sprintf("%.100q", key)) {
				t.Errorf("error %v does not name the option and the key", err)
			}
		})
	}
}

// A key that was not declared is counted and not recorded; the job is.
func TestUndeclaredLabel(t *testing.T) {
	p, rec := instrumenttest.New(t, instrument.WithLabels("tenant"))
	doWork(t, p, "job-1", instrument.WithLabel("tennant", "acme"))
	if got := rec.Counter(vp("invalid_values_total"), label("reason", "bad_name")); got != 2 { // Enqueue and StartJob
		t.Errorf("%v bad names, want 2", got)
	}
	if text := rec.Exposition(); strings.Contains(text, "acme") || rec.Counter(vp("jobs_total"), label("status", "failed")) != 1 {
		t.Errorf("the job is not as one without a label:\n%s", text)
	}
}

// Values that come from users are without end.
func TestDimensionsAreBounded(t *testing.T) {
	reports := captureReports(t)
	p, rec := instrumenttest.New(t, instrument.WithLabels("tenant"), instrument.WithNameLimit(5))
	for i := range 500 {
		doWork(t, p, "job", instrument.WithJobType(fmt.Sprint("type-", i%20)), instrument.WithLabel("tenant", fmt.Sprint("tenant-", i/20)))
	}
	text := rec.Exposition()
	for _, name := range dimensioned {
		if n := strings.Count(text, "\n"+vp(name)); n > 3000 {
			t.Errorf("%s has %d lines", name, n)
		}
	}
	if got := strings.Count(text, "\n"+vp("jobs_total{")); got > 5*(50+4+1) { // statuses of ten times the limit, of what is past it, and of none
		t.Errorf("%d series of jobs_total", got)
	}
	if got := rec.Counter(vp("jobs_total"), label("status", "failed")); got != 500 {
		t.Errorf("%v jobs, want 500: none is lost", got)
	}
	if got := rec.Counter(vp("jobs_total"), label("status", "failed"), label("job_type", "other")); got == 0 {
		t.Error("no job is of another type")
	}
	if got := rec.Counter(vp("cost_usd_total")); fmt.Sprintf("%.2f", got) != "5.00" {
		t.Errorf("cost %v, want 5", got)
	}
	if n := len(reports.all()); n == 0 || n > 4 {
		t.Errorf("%d reports: %q", n, reports.all())
	}
}

// Combinations are bounded even where each value is among the first.
func TestCombinationsAreBounded(t *testing.T) {
	reports := captureReports(t)
	p, rec := instrumenttest.New(t, instrument.WithLabels("a", "b", "c"), instrument.WithNameLimit(4))
	for i := range 64 {
		doWork(t, p, "job", instrument.WithLabel("a", fmt.Sprint(i%4)), instrument.WithLabel("b", fmt.Sprint(i/4%4)), instrument.WithLabel("c", fmt.Sprint(i/16)))
	}
	text := rec.Exposition(vp("jobs_total"))
	if got := strings.Count(text, `status="failed"} `) + strings.Count(text, `status="failed",`); got > 40+2 {
		t.Errorf("%d combinations, want at most 40, the rest and none", got)
	}
	if !strings.Contains(text, `video_processing_jobs_total{a="other",b="other",c="other",status="failed"} 24`) {
		t.Errorf("the rest is not 24:\n%s", text)
	}
	reports.expect(t, "more than 40 combinations")
}

// A type with the label of every job's id: none takes the place of another.
func TestJobTypeBesideTheJobIDLabel(t *testing.T) {
	p, rec := instrumenttest.New(t, instrument.WithJobIDLabel())
	doWork(t, p, "job-1", instrument.WithJobType("dubbing"))
	if text := rec.Exposition(vp("cost_usd_total")); !strings.Contains(text, `{api="gpu",job_id="job-1",job_type="dubbing"} 0.01`) {
		t.Errorf("cost:\n%s", text)
	}
}

// Jobs that start at once with one new combination share its series.
func TestDimensionsOfJobsInParallel(t *testing.T) {
	p, rec := instrumenttest.New(t, instrument.WithLabels("tenant", "region"))
	const jobs, tenants = 400, 8
	var wg sync.WaitGroup
	for i := range jobs {
		wg.Go(func() {
			tenant, region := fmt.Sprint("tenant-", i%tenants), fmt.Sprint("region-", i%2)
			doWork(t, p, fmt.Sprint("job-", i), instrument.WithJobType("dubbing"), instrument.WithLabel("tenant", tenant), instrument.WithLabel("region", region))
		})
	}
	wg.Wait()
	for i := range tenants {
		own := []attribute.KeyValue{label("tenant", fmt.Sprint("tenant-", i)), label("region", fmt.Sprint("region-", i%2)), label("job_type", "dubbing")}
		if got := rec.Counter(vp("jobs_total"), append(own, label("status", "failed"))...); got != jobs/tenants {
			t.Errorf("%v jobs of tenant %d, want %d", got, i, jobs/tenants)
		}
		if got := rec.Counter(vp("cost_usd_total"), own...); instrument.Dollars(got) != jobs/tenants*cent {
			t.Errorf("cost %v of tenant %d, want %s", got, i, jobs/tenants*cent)
		}
	}
}

// A tenant who chooses its name does not get into the series of another.
func TestNoTwoValuesOfALabelAreShownAsOne(t *testing.T) {
	p, rec := instrumenttest.New(t, instrument.WithLabels("tenant"))
	values := []string{"acme", "acme ", "acme\u200b", "ac\u200bme", "ac\u200cme", strings.Repeat("x", 65), strings.Repeat("x", 66)}
	for _, v := range values[1:] {
		shown, _ := instrument.ShowValue(v)
		values = append(values, shown)
	}
	for i, v := range values {
		_, job := p.StartJob(t.Context(), fmt.Sprint("job-", i), instrument.WithLabel("tenant", v))
		job.End(nil)
	}
	text := rec.Exposition(vp("jobs_total"))
	for line := range strings.Lines(text) {
		if strings.Contains(line, `status="completed"`) && strings.Contains(line, "tenant=") && !strings.HasSuffix(line, " 1\n") {
			t.Errorf("two tenants in %s", line)
		}
	}
	if got := strings.Count(text, `status="completed",tenant=`); got != len(values) {
		t.Errorf("%d series of %d tenants:\n%s", got, len(values), text)
	}
}

// Names of job types and values are cleaned as every name is.
func TestHostileDimensions(t *testing.T) {
	captureReports(t)
	p, rec := instrumenttest.New(t, instrument.WithLabels("tenant"))
	for _, text := range []string{"\x00", "a\nb", "\xff", strings.Repeat("x", 5000), " ", "é"} {
		doWork(t, p, "job", instrument.WithJobType(text), instrument.WithLabel("tenant", text))
	}
	if got := rec.Counter(vp("jobs_total"), label("status", "failed")); got != 6 {
		t.Errorf("%v jobs, want 6", got)
	}
	if text := rec.Exposition(); !utf8.ValidString(text) || strings.Contains(text, "\x00") || strings.Contains(text, strings.Repeat("x", 65)) {
		t.Error("a text was not cleaned")
	}
}

func TestErrorOfAJobOutsideOfItsStages(t *testing.T) {
	p, rec := instrumenttest.New(t)
	_ = p.RunJob(t.Context(), "job-1", func(ctx context.Context) error {
		instrument.RecordError(ctx, errors.New("survived"))
		return errDecoder
	}, instrument.WithJobType("dubbing"))
	if got := rec.Counter(vp("errors_total"), label("stage", "job"), label("job_type", "dubbing")); got != 2 {
		t.Errorf("errors_total = %v, want 2", got)
	}
	instrument.RecordError(instrument.ContextWithPipeline(t.Context(), p), errDecoder)
	if got := rec.Counter(vp("errors_total"), label("stage", "none")); got != 1 {
		t.Errorf("outside of any job: %v, want 1", got)
	}
}

// Past the limit of error types, each stage with each job type would still be a series of the error type "other".
func TestOtherErrorsOfStagesAndJobTypesAreBounded(t *testing.T) {
	captureReports(t)
	const limit = 20
	p, rec := instrumenttest.New(t, instrument.WithNameLimit(limit))
	fail := func(jobType, stage string, err error) {
		_ = p.RunJob(t.Context(), "job", func(ctx context.Context) error {
			return instrument.RunStage(ctx, stage, func(context.Context) error { return err })
		}, instrument.WithJobType(jobType))
	}
	for i := range limit {
		fail("type-0", "stage-0", &ownType{fmt.Sprint("error-", i)})
	}
	for i := range limit * limit {
		fail(fmt.Sprint("type-", i%limit), fmt.Sprint("stage-", i/limit), &ownType{"late"})
	}
	got := strings.Count(rec.Exposition(vp("errors_total")), "\n"+vp("errors_total{"))
	if most := 10*limit + 2*limit + 3; got > most { // combinations, those past them, the zeros of jobs
		t.Errorf("%d series of errors_total, want at most %d", got, most)
	}
	if got := rec.Counter(vp("errors_total"), label("error_type", "other")); got != limit*limit {
		t.Errorf("%v errors of type other, want %d", got, limit*limit)
	}
}
