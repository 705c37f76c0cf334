package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/examples/aicosts/internal/fake"
)

const want = `Late Boat
A boat is late, and the harbor waits.
refused: budget exceeded: job "reel-7" may spend $0.05, has spent $0.0001494 and holds $0.00; a call of gcp.gemini for at most $… was not made
video_processing_api_calls_total{api="gcp.gemini",status="refused"} 1
video_processing_api_calls_total{api="gcp.gemini",status="success"} 2
video_processing_cost_usd_total{api="gcp.gemini"} 0.0001494
`

// gemini-2.5-flash, in nano-dollars a token: input 300, output and thoughts 2,500.
//
//	the title        24 × 300 +         3 × 2,500 =  14,700
//	the description  24 × 300 + (11 + 40) × 2,500 = 134,700
func TestRun(t *testing.T) {
	t.Setenv("STAGEMETER_PRICES", "../testdata/prices.json") // a newer table changes no figure here
	t.Setenv("GOOGLE_GEMINI_BASE_URL", "https://generativelanguage.googleapis.com/")
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
