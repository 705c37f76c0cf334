package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/examples/aicosts/internal/fake"
)

const want = `Late Boat
A boat is late, and the harbor waits.
refused: budget exceeded: job "reel-7" may spend $0.05, has spent $0.006352 and holds $0.00; a call of anthropic for at most $… was not made
video_processing_api_calls_total{api="anthropic",status="refused"} 1
video_processing_api_calls_total{api="anthropic",status="success"} 2
video_processing_cost_usd_total{api="anthropic"} 0.006352
`

// claude-haiku-4-5, in nano-dollars a token: input 1,000, written to the cache 1,250, read from it 100,
// output 5,000.
//
//	the title        21 × 1,000 + 4,600 × 1,250 +  6 × 5,000 = 5,801,000
//	the description  21 × 1,000 + 4,600 ×   100 + 14 × 5,000 =   551,000
func TestRun(t *testing.T) {
	t.Setenv("STAGEMETER_PRICES", "../testdata/prices.json") // a newer table changes no figure here
	t.Setenv("ANTHROPIC_BASE_URL", "https://api.anthropic.com/")
	vendor, stop := fake.Start()
	defer stop()
	var out strings.Builder
	if err := run(t.Context(), &out, vendor); err != nil {
		t.Error(err)
	}
	got := regexp.MustCompile(`for at most \$[\d.]+`).ReplaceAllString(out.String(), "for at most $$…") // by the bytes that the SDK sends
	if got != want {
		t.Errorf("it prints\n%s\nwant\n%s", got, want)
	}
}
