package livepage

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/exporters"
	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/semconv"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares JSON with a file in testdata, byte by byte once both are indented alike.
func golden(t *testing.T, name string, text []byte) {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", "  "); err != nil {
		t.Fatal(err)
	}
	b.WriteByte('\n')
	name = filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, b.Bytes()) {
		t.Errorf("%s differs, see -update:\n%s", name, b.Bytes())
	}
}

// now is when the snapshots of the tests are taken.
var now = time.Date(2026, 11, 27, 14, 30, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return now.Add(-d) }

// everything is a snapshot that has a value for each field.
func everything() instrument.Snapshot {
	const dollar, cent = instrument.Dollar, instrument.Cent
	usual := &instrument.Usual{Runs: 20, Shorter: 19, Scaled: true, P50: 100 * time.Second, P90: 130 * time.Second, P95: 150 * time.Second}
	work := instrument.JobState{
		JobRef:  instrument.JobRef{ID: "podcast-118", Run: 7, Type: "podcast", Attempt: 2, MaxAttempts: 3},
		TraceID: "4bf92f3577b34da6a3ce929d0e0e4736", Start: ago(5 * time.Minute), Video: 10 * time.Minute, Cost: 31 * cent, Unpriced: 1,
		Budget:   &instrument.BudgetState{Account: "podcast-118", Limit: 30 * cent, Spent: 31 * cent, Held: 2 * cent, Unconfirmed: cent},
		Estimate: &instrument.Estimate{Fraction: 0.71234567, Left: 165 * time.Second, Least: 120 * time.Second, Most: 200 * time.Second, Runs: 20, Scaled: true},
		Stages: []instrument.StageState{
			{Name: "validation", Start: ago(300 * time.Second), End: ago(290 * time.Second), Usual: usual},
			{Name: "transcription", Depth: 0, Start: ago(180 * time.Second), Usual: usual, Overdue: true,
				Estimate: &instrument.Estimate{Fraction: -1, Left: 5 * time.Second, Least: 0, Most: 30 * time.Second, Runs: 20}},
			{Name: "rendering", Depth: 1, Start: ago(100 * time.Second), Stalled: ago(48 * time.Second),
				Progress: &instrument.Progress{Done: 40, Total: 100, Unit: "s", Speed: 13.2, At: ago(time.Second), Grown: ago(48 * time.Second)},
				Estimate: &instrument.Estimate{Fraction: 0.4, Left: -1, Least: -1, Most: -1}},
		},
		MoreStages: 3,
		Calls: []instrument.CallState{
			{API: "whisper", Stage: "transcription", Start: ago(170 * time.Second), End: ago(160 * time.Second), MaxCost: 40 * cent, Cost: 31 * cent},
			{API: "gpt", Start: ago(150 * time.Second), End: ago(140 * time.Second), Unpriced: "no_price", ErrorType: "http_500"},
			{API: "gpt", Stage: "transcription", Start: ago(2 * time.Second), MaxCost: 2 * cent},
		},
		MoreCalls:  5,
		Errors:     []instrument.ErrorState{{Stage: "transcription", ErrorType: "http_500", Count: 2, Last: ago(140 * time.Second)}},
		MoreErrors: 1,
		Processes: []instrument.ProcessState{
			{PID: 41877, Name: "ffmpeg", Stage: "rendering", Start: ago(99 * time.Second), CPU: 0, CPUSince: ago(20 * time.Second)},
			{PID: 41900, Name: "ffprobe", Start: ago(3 * time.Second)},
		},
		Quality: instrument.QualityState{LoudnessBefore: []instrument.LU{25, 23}, LoudnessAfter: []instrument.LU{0.2}, Segments: 12, Highlights: []float64{0.25, 0.95}},
	}
	done := instrument.JobState{
		JobRef: instrument.JobRef{ID: "lecture-9", Run: 3}, Start: ago(40 * time.Minute), End: ago(30 * time.Minute),
		Outcome: instrument.Outcome{Attempt: semconv.OutcomeCompleted, Status: semconv.JobStatusCompleted},
		Cost:    10_000_000 * dollar,
		Quality: instrument.QualityState{Segments: -1, Highlights: []float64{0, 1}},
	}
	retried := instrument.JobState{
		JobRef: instrument.JobRef{ID: "lecture-8", Run: 2}, Start: ago(2 * time.Hour), End: ago(59 * time.Minute),
		Outcome: instrument.Outcome{Attempt: semconv.OutcomeRetried, ErrorType: "timeout"}, Unpriced: 2,
		Errors:  []instrument.ErrorState{{Stage: "job", ErrorType: "timeout", Count: 1, Last: ago(61 * time.Minute)}},
		Quality: instrument.QualityState{Segments: 0},
	}
	return instrument.Snapshot{
		Time: now, Live: []instrument.JobState{work}, LiveJobs: 1, Ended: []instrument.JobState{done, retried}, EndedJobs: 2, Forgotten: ago(3 * time.Hour),
		Stages: []string{"validation", "transcription", "rendering"},
		APIs: []instrument.APIState{
			{API: "whisper", Calls: 40, Errors: 1, Refused: 2, Cost: 3 * dollar, Priced: true},
			{API: "gpt", InProgress: 1, Calls: 3, Errors: 1, Unpriced: 3},
		},
		Pools: []instrument.PoolState{{Kind: instrument.PoolDatabase, Name: "main", Used: 2, Idle: 3, Max: 10}, {Kind: instrument.PoolRedis, Name: "cache"}},
	}
}

// health is of telemetry that is scraped, and pushed with failures.
func health() exporters.Health {
	return exporters.Health{
		Scrape: exporters.ScrapeHealth{State: exporters.HealthWorks, Successes: 1234, LastSuccess: ago(4 * time.Second), Duration: 3400 * time.Microsecond, Series: 1200},
		Metrics: exporters.PushHealth{State: exporters.HealthFails, Successes: 3, LastSuccess: ago(2 * time.Minute), Failures: 4, FailuresInARow: 2,
			LastFailure: ago(time.Second), LastError: "connection refused"},
		Traces: exporters.PushHealth{State: exporters.HealthWorks, Successes: 9, LastSuccess: ago(3 * time.Second), Failures: 1},
		Spans:  exporters.SpanHealth{QueueSize: 2048, Queued: 1, Sent: 1000, Dropped: 2},
		Series: exporters.SeriesHealth{Limit: 2000, LastCollection: ago(4 * time.Second), OverLimit: []string{"a_total", "b_total"}},
	}
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	e, err := encode(v)
	if err != nil {
		t.Fatal(err)
	}
	return e.plain
}

// The JSON of version 1, byte by byte.
func TestGoldenSnapshot(t *testing.T) {
	var b builder
	s := b.build(everything())
	s.Every, s.KeepMost = every.Milliseconds(), keep
	s.Service = service{Name: "editor", Instance: "worker-1:4711", Version: "1.4.2", Started: ms(ago(time.Hour)), Metrics: true}
	s.Telemetry = telemetryOf(health(), s.Now)
	page := Page{fleet: fakeFleet{Time: ago(time.Second), Queued: 12, Workers: 3, Lost: 1}}
	s.Fleet = page.fleetNow()
	golden(t, "snapshot.json", marshal(t, s))
}

func TestGoldenSnapshotOfNothing(t *testing.T) {
	var b builder
	golden(t, "empty.json", marshal(t, b.build(instrument.Snapshot{Time: now})))
}

func TestGoldenJob(t *testing.T) {
	var b builder
	s := everything()
	golden(t, "job.json", marshal(t, answer{version, ms(s.Time), b.job(s.Live[0], s.Time)}))
}

type fakeFleet FleetState

func (f fakeFleet) State() FleetState { return FleetState(f) }
