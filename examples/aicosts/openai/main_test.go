package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/examples/aicosts/internal/fake"
)

const want = `A boat is late, and the harbor waits.
refused: budget exceeded: job "reel-7" may spend $0.01, has spent $0.0068235 and holds $0.00; a call of openai for at most $… was not made
video_processing_api_calls_total{api="openai",status="refused"} 1
video_processing_api_calls_total{api="openai",status="success"} 2
video_processing_cost_usd_total{api="openai"} 0.0068235
`

// without returns a text without the bound of a call, which goes by the bytes that the SDK sends.
func without(text string) string {
	return regexp.MustCompile(`for at most \$[\d.]+`).ReplaceAllString(text, "for at most $$…")
}

// gpt-transcribe: 90 s at $0.27 an hour are 6,750,000 nano-dollars.
//
// gpt-5.4-mini: 32 tokens at $0.75 a million are 24,000, and 11 at $4.50 are 49,500. The stream tells
// them only because WithStreamUsage has asked.
func TestRun(t *testing.T) {
	t.Setenv("STAGEMETER_PRICES", "../testdata/prices.json") // a newer table changes no figure here
	t.Setenv("OPENAI_BASE_URL", "https://api.openai.com/v1/")
	vendor, stop := fake.Start()
	defer stop()
	var out strings.Builder
	if err := run(t.Context(), &out, vendor); err != nil {
		t.Error(err)
	}
	if got := without(out.String()); got != want {
		t.Errorf("it prints\n%s\nwant\n%s", got, want)
	}
	page, err := os.ReadFile("../../../docs/costs.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(without(string(page)), want) {
		t.Error("docs/costs.md shows another answer")
	}
}
