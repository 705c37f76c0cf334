package main

import (
	"strings"
	"testing"
)

// Without a video the program makes one that speaks, understands it, and leaves its sound even.
func TestTalkingClip(t *testing.T) {
	t.Parallel()
	r := edit(t, "-out", t.TempDir())
	if r.exit != 0 || len(r.jobs) != 1 {
		t.Fatalf("exit status %d, jobs %+v", r.exit, r.jobs)
	}
	job := r.jobs[0]
	playable(t, job.Output)
	if job.Segments != 6 || job.Highlights != 3 || job.CostUSD != 0.0024 {
		t.Errorf("%d scenes, %d highlights, $%v; want 6, 3 and $0.0024 for 24 seconds", job.Segments, job.Highlights, job.CostUSD)
	}
	if before, after := *job.LoudnessSpreadBeforeLU, *job.LoudnessSpreadAfterLU; before < 20 || before > 26 || after >= 1 {
		t.Errorf("the loudness spread is %.1f LU before and %.1f LU after, want about 23 and less than 1", before, after)
	}
	for _, words := range []string{"welcome to the smart video editor", "weather", "very quiet", "thank you for watching"} {
		if !strings.Contains(job.Transcript, words) {
			t.Errorf("the transcript is %q, without %q", job.Transcript, words)
		}
	}
	if !strings.Contains(r.output, "1 completed, 0 failed, 0 canceled; $0.0024") {
		t.Error("there is no summary")
	}
	r.metrics.want(t, map[string]float64{
		`jobs_total{status="queued"}`:                           1,
		`jobs_total{status="completed"}`:                        1,
		`queue_wait_seconds_count`:                              1,
		`segments_detected_sum`:                                 6,
		`highlight_scores_count`:                                6,
		`audio_loudness_spread_lu_count{phase="before"}`:        1,
		`audio_loudness_spread_lu_count{phase="after"}`:         1,
		`audio_normalization_db_count`:                          6,
		`api_calls_total{api="whisper",status="success"}`:       1,
		`cost_usd_total{api="whisper"}`:                         0.0024,
		`cost_per_job_usd_count`:                                1,
		`job_ratio_count{status="completed"}`:                   1,
		`ratio_count{stage="rendering"}`:                        1,
		`database_connections{pool="checkpoints",state="used"}`: 0,
	})
}
