package main

import (
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/examples/aicosts/internal/fake"
)

const want = `1m0s: We open on the harbor.
1m30s: We open on the harbor.
refused: budget exceeded: job "reel-7" may spend $0.05, has spent $0.01925 and holds $0.00; a call of deepgram for at most $0.924 was not made
video_processing_api_calls_total{api="deepgram",status="refused"} 1
video_processing_api_calls_total{api="deepgram",status="success"} 2
video_processing_cost_usd_total{api="deepgram"} 0.01925
`

// nova-3: 60 s and 90 s at $0.0077 a minute are 7,700,000 and 11,550,000 nano-dollars, and two hours
// would be 924,000,000.
func TestRun(t *testing.T) {
	t.Setenv("STAGEMETER_PRICES", "../testdata/prices.json") // a newer table changes no figure here
	vendor, stop := fake.Start()
	defer stop()
	var out strings.Builder
	if err := run(t.Context(), &out, vendor); err != nil {
		t.Error(err)
	}
	if got := out.String(); got != want {
		t.Errorf("it prints\n%s\nwant\n%s", got, want)
	}
}
