package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/money"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/summary"
)

// second is what a second of sound costs.
const second = instrument.Cent / 100

// chatCost is what the titles of a job cost, by their tokens.
func chatCost(job summary.Job) instrument.USD {
	return money.Total(money.PerMillion(15*instrument.Cent).Times(job.InputTokens), money.PerMillion(60*instrument.Cent).Times(job.OutputTokens))
}

// tokensUsed begins the name of the sum of tokens of one kind.
const tokensUsed = `gen_ai_client_token_usage_sum{gen_ai_operation_name="chat",gen_ai_provider_name="openai",` +
	`gen_ai_request_model="gpt-4o-mini",gen_ai_response_model="gpt-4o-mini",gen_ai_token_type=`

// Without a video the program makes one that speaks, understands it, and leaves its sound even.
func TestTalkingClip(t *testing.T) {
	t.Parallel()
	r := edit(t, "-out", t.TempDir())
	if r.exit != 0 || len(r.jobs) != 1 {
		t.Fatalf("exit status %d, jobs %+v", r.exit, r.jobs)
	}
	job := r.jobs[0]
	playable(t, job.Output)
	chat := chatCost(job)
	if job.Segments != 6 || job.Highlights != 3 || instrument.Dollars(job.CostUSD) != money.Sum(24*second, chat) || job.SpeechSeconds != 24 {
		t.Errorf("%d scenes, %d highlights, $%v for %v s of speech; want 6, 3 and $0.0024 for 24 seconds, and %v for the titles",
			job.Segments, job.Highlights, job.CostUSD, job.SpeechSeconds, chat)
	}
	if chat == 0 || len(job.Chapters) != 3 || !strings.HasPrefix(job.Chapters[0].Title, "Welcome to the smart video") || job.Chapters[1].Seconds != 4 || job.Summary == "" {
		t.Errorf("%d tokens make the chapters %+v and the summary %q", job.OutputTokens, job.Chapters, job.Summary)
	}
	if before, after := *job.LoudnessSpreadBeforeLU, *job.LoudnessSpreadAfterLU; before < 20 || before > 26 || after >= 1 {
		t.Errorf("the loudness spread is %.1f LU before and %.1f LU after, want about 23 and less than 1", before, after)
	}
	for _, words := range []string{"welcome to the smart video editor", "weather", "very quiet", "thank you for watching"} {
		if !strings.Contains(job.Transcript, words) {
			t.Errorf("the transcript is %q, without %q", job.Transcript, words)
		}
	}
	for _, words := range []string{fmt.Sprintf("1 completed, 0 failed, 0 canceled; $%.4f", job.CostUSD),
		fmt.Sprintf("0.4 min  %d → %d", job.InputTokens, job.OutputTokens)} {
		if !strings.Contains(r.output, words) {
			t.Errorf("the summary has no %q", words)
		}
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
		`api_calls_total{api="openai",status="success"}`:        1,
		`cost_usd_total{api="openai"}`:                          chat.Float64(),
		tokensUsed + `"input"}`:                                 float64(job.InputTokens),
		tokensUsed + `"output"}`:                                float64(job.OutputTokens),
		`cost_per_job_usd_count`:                                1,
		`job_ratio_count{status="completed"}`:                   1,
		`ratio_count{stage="rendering"}`:                        1,
		`database_connections{pool="checkpoints",state="used"}`: 0,
	})
}
