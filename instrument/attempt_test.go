package instrument_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/propagation"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// The attempt is on the span. Numbers that make no sense count as invalid, and then nothing is
// known.
func TestAttemptOnTheSpan(t *testing.T) {
	for _, tt := range []struct {
		n, most    int
		valid      bool
		wantMost   bool
		outcomeAtE string // of an error
	}{
		{1, 0, true, false, "failed"},
		{7, 0, true, false, "failed"},
		{1, 1, true, true, "failed"},
		{1, 25, true, true, "retried"},
		{25, 25, true, true, "failed"},
		{0, 0, false, false, "failed"},
		{0, 3, false, false, "failed"},
		{-1, 3, false, false, "failed"},
		{2, -1, false, false, "failed"},
		{4, 3, false, false, "failed"},
	} {
		p, rec := instrumenttest.New(t)
		_ = p.RunJob(t.Context(), "job-1", func(context.Context) error { return errDecoder }, instrument.WithAttempt(tt.n, tt.most))
		got := map[string]int64{}
		for _, a := range rec.Span("job", label("video.processing.outcome", tt.outcomeAtE)).Attributes {
			if a.Key == "video.processing.job.attempt" || a.Key == "video.processing.job.max_attempts" {
				got[string(a.Key)] = a.Value.AsInt64()
			}
		}
		want := map[string]int64{}
		if tt.valid {
			want["video.processing.job.attempt"] = int64(tt.n)
		}
		if tt.wantMost {
			want["video.processing.job.max_attempts"] = int64(tt.most)
		}
		if len(got) != len(want) || got["video.processing.job.attempt"] != want["video.processing.job.attempt"] ||
			got["video.processing.job.max_attempts"] != want["video.processing.job.max_attempts"] {
			t.Errorf("WithAttempt(%d, %d): the span has %v, want %v", tt.n, tt.most, got, want)
		}
		invalid := rec.Counter(vp("invalid_values_total"), label("metric", "video.processing.attempts"), label("reason", "out_of_range"))
		if (invalid == 0) != tt.valid {
			t.Errorf("WithAttempt(%d, %d): invalid values = %v", tt.n, tt.most, invalid)
		}
	}
}

// The series of attempts exist from the start, and from the first job of each type.
func TestAttemptsBeginAtZero(t *testing.T) {
	p, rec := instrumenttest.New(t)
	_, job := p.StartJob(t.Context(), "job-1", instrument.WithJobType("dubbing"))
	want := `# HELP video_processing_attempts_total Number of attempts of jobs that ended, by outcome.
# TYPE video_processing_attempts_total counter
video_processing_attempts_total{outcome="canceled"} 0
video_processing_attempts_total{outcome="completed"} 0
video_processing_attempts_total{outcome="failed"} 0
video_processing_attempts_total{outcome="interrupted"} 0
video_processing_attempts_total{outcome="retried"} 0
video_processing_attempts_total{outcome="snoozed"} 0
video_processing_attempts_total{job_type="dubbing",outcome="canceled"} 0
video_processing_attempts_total{job_type="dubbing",outcome="completed"} 0
video_processing_attempts_total{job_type="dubbing",outcome="failed"} 0
video_processing_attempts_total{job_type="dubbing",outcome="interrupted"} 0
video_processing_attempts_total{job_type="dubbing",outcome="retried"} 0
video_processing_attempts_total{job_type="dubbing",outcome="snoozed"} 0
`
	if got := rec.Exposition(vp("attempts_total")); got != want {
		t.Errorf("attempts_total is\n%s\nwant\n%s", got, want)
	}
	job.End(nil)
	if got := rec.Counter(vp("attempts_total"), label("job_type", "dubbing"), label("outcome", "completed")); got != 1 {
		t.Errorf("completed attempts of the type = %v, want 1", got)
	}
}

// The queue wait is the time since an attempt could have been worked on; what is not known is not
// recorded.
func TestQueueWaitOfAnAttempt(t *testing.T) {
	const enqueuedAgo = 100 * time.Second
	ago := func(d time.Duration) time.Time { return time.Now().Add(-d) }
	for _, tt := range []struct {
		reason   string
		enqueue  func() []instrument.JobOption // after enqueuedAgo, the job starts
		start    func() []instrument.JobOption
		want     float64 // seconds; negative: none is recorded
		skewed   float64
		outRange float64
	}{
		{reason: "a first attempt: since it was enqueued", want: 100},
		{reason: "the first of some", start: opts(instrument.WithAttempt(1, 3)), want: 100},
		{reason: "a later attempt of which nothing is known", start: opts(instrument.WithAttempt(2, 3)), want: -1},
		{reason: "a later attempt, of how many is unknown", start: opts(instrument.WithAttempt(2, 0)), want: -1},
		{reason: "a later attempt with its schedule",
			start: func() []instrument.JobOption {
				return opts(instrument.WithAttempt(2, 3), instrument.WithScheduledAt(ago(7*time.Second)))()
			}, want: 7},
		{reason: "a first attempt with its schedule, which comes before the carrier's times",
			start: func() []instrument.JobOption { return opts(instrument.WithScheduledAt(ago(7 * time.Second)))() }, want: 7},
		{reason: "a job for later, in time",
			enqueue: func() []instrument.JobOption {
				return opts(instrument.WithScheduledAt(time.Now().Add(95 * time.Second)))()
			}, want: 5},
		{reason: "the schedule of the first attempt says nothing of the second",
			enqueue: func() []instrument.JobOption {
				return opts(instrument.WithScheduledAt(time.Now().Add(95 * time.Second)))()
			}, start: opts(instrument.WithAttempt(2, 3)), want: -1},
		{reason: "a schedule before the job was enqueued",
			enqueue: func() []instrument.JobOption { return opts(instrument.WithScheduledAt(ago(time.Hour)))() }, want: 100},
		{reason: "a job for later, worked on too early: a clock is wrong",
			enqueue: func() []instrument.JobOption { return opts(instrument.WithScheduledAt(time.Now().Add(time.Hour)))() },
			want:    0, skewed: 1},
		{reason: "a schedule after the start: a clock is wrong",
			start: func() []instrument.JobOption { return opts(instrument.WithScheduledAt(ago(-time.Minute)))() }, want: 0, skewed: 1},
		{reason: "a schedule of long ago", start: func() []instrument.JobOption {
			return opts(instrument.WithScheduledAt(time.Unix(1, 0)))()
		}, want: -1, outRange: 1},
		{reason: "the zero time says nothing", start: opts(instrument.WithScheduledAt(time.Time{})), want: 100},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, rec := instrumenttest.New(t)
				carrier := propagation.MapCarrier{}
				var enqueue, start []instrument.JobOption
				if tt.enqueue != nil {
					enqueue = tt.enqueue()
				}
				p.Enqueue(t.Context(), "job-1", carrier, enqueue...)
				time.Sleep(enqueuedAgo)
				if tt.start != nil {
					start = tt.start()
				}
				_, job := p.StartJob(t.Context(), "job-1", append(start, instrument.WithCarrier(carrier))...)
				job.End(nil)
				h := rec.Histogram(vp("queue_wait_seconds"))
				if count := uint64(1); tt.want < 0 && h.Count != 0 || tt.want >= 0 && (h.Count != count || h.Sum != tt.want) {
					t.Errorf("queue wait: %d values, sum %v, want %v", h.Count, h.Sum, tt.want)
				}
				for reason, want := range map[string]float64{"clock_skew": tt.skewed, "out_of_range": tt.outRange} {
					if got := rec.Counter(vp("invalid_values_total"), label("metric", "video.processing.queue_wait"), label("reason", reason)); got != want {
						t.Errorf("invalid values, %s: %v, want %v", reason, got, want)
					}
				}
				if got := rec.Histogram(vp("time_to_publish_seconds")); got.Count != 1 || got.Sum != 100 {
					t.Errorf("time to publish: %d values, sum %v, want 100", got.Count, got.Sum)
				}
			})
		})
	}
}

func opts(o ...instrument.JobOption) func() []instrument.JobOption {
	return func() []instrument.JobOption { return o }
}

// A schedule needs no carrier: a queue in a database tells it of each row.
func TestScheduleWithoutACarrier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, rec := instrumenttest.New(t)
		_, job := p.StartJob(t.Context(), "job-1", instrument.WithScheduledAt(time.Now().Add(-time.Minute)))
		job.End(nil)
		if h := rec.Histogram(vp("queue_wait_seconds")); h.Count != 1 || h.Sum != 60 {
			t.Errorf("queue wait: %d values, sum %v, want 60", h.Count, h.Sum)
		}
		if h := rec.Histogram(vp("time_to_publish_seconds")); h.Count != 0 {
			t.Errorf("time to publish: %d values, want none: when the job was enqueued is unknown", h.Count)
		}
	})
}

// From the first enqueue to the end of the attempt that completes, and of no other.
func TestTimeToPublish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, rec := instrumenttest.New(t)
		carrier := carrierOf(p, t.Context())
		for n, err := range []error{errDecoder, says("snoozed"), says("interrupted"), nil} {
			time.Sleep(10 * time.Second)
			_ = p.RunJob(t.Context(), "job-1", func(context.Context) error { time.Sleep(5 * time.Second); return err },
				instrument.WithCarrier(carrier), instrument.WithAttempt(n+1, 9))
		}
		_ = p.RunJob(t.Context(), "job-2", func(context.Context) error { return errDecoder }, instrument.WithCarrier(carrier))
		if h := rec.Histogram(vp("time_to_publish_seconds")); h.Count != 1 || h.Sum != 60 {
			t.Errorf("time to publish: %d values, sum %v, want one of 60", h.Count, h.Sum)
		}
	})
}

// An enqueue time after the start, of a clock that is ahead, is the start, and counts once.
func TestTimeToPublishOfAClockThatIsAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, rec := instrumenttest.New(t)
		carrier := propagation.MapCarrier{instrument.EnqueuedAtKey: time.Now().Add(time.Hour).UTC().Format(time.RFC3339Nano)}
		_ = p.RunJob(t.Context(), "job-1", func(context.Context) error { time.Sleep(5 * time.Second); return nil }, instrument.WithCarrier(carrier))
		if h := rec.Histogram(vp("time_to_publish_seconds")); h.Count != 1 || h.Sum != 5 {
			t.Errorf("time to publish: %d values, sum %v, want one of 5", h.Count, h.Sum)
		}
		if got := rec.Counter(vp("invalid_values_total")); got != 1 {
			t.Errorf("invalid values = %v, want 1", got)
		}
	})
}

// A carrier may hold anything as the schedule, too.
func TestScheduleOfACarrier(t *testing.T) {
	p, _ := instrumenttest.New(t)
	again := carrierOf(p, t.Context())
	p.Enqueue(t.Context(), "job-1", again, instrument.WithScheduledAt(time.Now().Add(time.Hour)))
	if p.Enqueue(t.Context(), "job-1", again); again[instrument.ScheduledAtKey] != "" {
		t.Errorf("the schedule %q of an earlier Enqueue is left", again[instrument.ScheduledAtKey])
	}
	for _, tt := range []struct{ text, invalid string }{
		{"", ""}, {"tomorrow", "bad_format"}, {"1970-01-01T00:00:00Z", "out_of_range"}, {"9999-12-31T23:59:59Z", "clock_skew"},
	} {
		p, rec := instrumenttest.New(t)
		carrier := carrierOf(p, t.Context())
		carrier[instrument.ScheduledAtKey] = tt.text
		_, job := p.StartJob(t.Context(), "job-1", instrument.WithCarrier(carrier))
		job.End(nil)
		if h := rec.Histogram(vp("queue_wait_seconds")); h.Count != 1 || h.Max > 1 {
			t.Errorf("%q: queue wait has %d values, at most %v, want the one since the job was enqueued", tt.text, h.Count, h.Max)
		}
		if tt.invalid != "" && rec.Counter(vp("invalid_values_total"), label("reason", tt.invalid)) != 1 || tt.invalid == "" && rec.Counter(vp("invalid_values_total")) != 0 {
			t.Errorf("%q: invalid values:\n%s", tt.text, rec.Exposition(vp("invalid_values_total")))
		}
	}
}

// The metrics say of jobs and attempts the same as the rows of a queue: of four jobs one completes
// at once, one in its third attempt, one after a snooze, and one is canceled.
func TestAttemptsAndJobsEqualTheRows(t *testing.T) {
	p, rec := instrumenttest.New(t)
	for id, errs := range map[string][]error{
		"ok": {nil}, "fails twice": {errDecoder, errDecoder, nil}, "snoozes": {says("snoozed"), nil}, "cancels": {says("canceled")},
	} {
		for n, err := range errs {
			_ = p.RunJob(t.Context(), id, func(context.Context) error { return err }, instrument.WithAttempt(n+1, 25))
		}
	}
	s := rec.Snapshot()
	for status, want := range map[string]float64{"processing": 7, "completed": 3, "canceled": 1, "failed": 0} {
		if got := s.Counter(vp("jobs_total"), label("status", status)); got != want {
			t.Errorf("jobs_total{status=%q} = %v, want %v", status, got, want)
		}
	}
	for outcome, want := range map[string]float64{"completed": 3, "retried": 2, "snoozed": 1, "canceled": 1, "failed": 0} {
		if got := s.Counter(vp("attempts_total"), label("outcome", outcome)); got != want {
			t.Errorf("attempts_total{outcome=%q} = %v, want %v", outcome, got, want)
		}
	}
	if got := s.Counter(vp("errors_total")); got != 2 {
		t.Errorf("errors_total = %v, want 2", got)
	}
}
