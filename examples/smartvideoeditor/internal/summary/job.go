// Package summary reports the results of jobs: as JSON for programs, as a table for people.
package summary

import "slices"

// A Stage is one finished stage of a job.
type Stage struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
}

// A Chapter is a scene of the reel.
type Chapter struct {
	Seconds float64 `json:"seconds"` // where it starts
	Title   string  `json:"title"`
}

// A Job is the result of one job, over all its runs. Results of stages that it did not reach are
// zero or null.
type Job struct {
	ID                     string    `json:"id"`
	Input                  string    `json:"input"`
	Status                 string    `json:"status"`     // completed, failed or canceled
	ErrorType              string    `json:"error_type"` // as in video_processing_errors_total
	Error                  string    `json:"error"`
	Stages                 []Stage   `json:"stages"` // the finished ones, in order
	CostUSD                float64   `json:"cost_usd"`
	LoudnessSpreadBeforeLU *float64  `json:"loudness_spread_before_lu"` // null without sound
	LoudnessSpreadAfterLU  *float64  `json:"loudness_spread_after_lu"`
	Segments               int       `json:"segments"`   // scenes found
	Highlights             int       `json:"highlights"` // scenes in the reel
	Transcript             string    `json:"transcript"`
	SpeechSeconds          float64   `json:"speech_seconds"` // of sound that was sent to be transcribed
	Chapters               []Chapter `json:"chapters"`       // of the reel, or null
	Summary                string    `json:"summary"`
	InputTokens            int64     `json:"input_tokens"` // of the chat model that wrote titles and summary
	OutputTokens           int64     `json:"output_tokens"`
	Output                 string    `json:"output"` // the reel's path
	Notes                  []string  `json:"notes"`  // what the reel cannot have, or null
}

// The statuses of a job that has ended.
const (
	Completed = "completed"
	Failed    = "failed"
	Canceled  = "canceled"
)

// AllCompleted says whether every job completed.
func AllCompleted(jobs []Job) bool {
	return !slices.ContainsFunc(jobs, func(j Job) bool { return j.Status != Completed })
}
