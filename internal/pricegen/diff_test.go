package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func tableOf(t *testing.T, rows string) (all table) {
	t.Helper()
	if err := json.Unmarshal([]byte(`{"rows": [`+rows+`]}`), &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestDiff(t *testing.T) {
	was := tableOf(t, `
		{"provider": "p", "model": "kept", "per_1M": {"input": "1"}},
		{"provider": "p", "model": "moved", "per_1M": {"input": "2", "output": "4"}, "over_input_tokens": 200000, "over_per_1M": {"input": "3"}, "times": {"geo:us": "1.1"}},
		{"provider": "p", "model": "left", "tier": "flex", "per_60_seconds": {"audio": "0.006"}}`)
	is := tableOf(t, `
		{"provider": "p", "model": "kept", "per_1M": {"input": "1"}},
		{"provider": "p", "model": "moved", "to": "2027-01-01", "per_1M": {"input": "2.50", "output": "3"}, "over_input_tokens": 272000, "over_per_1M": {"input": "3"}, "times": {"geo:us": "1.2"}},
		{"provider": "p", "model": "new", "free": true}`)
	var out strings.Builder
	diff(&out, was, is)
	want := `gone:    p left flex: audio per 60_seconds 0.006
changed: p moved: input per 1M 2 to 2.50 (+25.0 %)
changed: p moved: output per 1M 4 to 3 (-25.0 %)
gone:    p moved: over 200000 input per 1M 3
new:     p moved: over 272000 input per 1M 3
changed: p moved: times geo:us 1.1 to 1.2 (+9.1 %)
new:     p moved: until 2027-01-01
new:     p new: free 0
1 prices are as before, of 7
`
	if out.String() != want {
		t.Errorf("%s\nwant\n%s", out.String(), want)
	}
	out.Reset()
	if diff(&out, is, is); out.String() != "7 prices are as before, of 7\n" {
		t.Errorf("%s", out.String())
	}
}

func TestCheck(t *testing.T) {
	ours := tableOf(t, `
		{"provider": "openai", "model": "gpt-4o", "per_1M": {"input": "2.50", "output": "10", "input_image": "2.50"}, "over_input_tokens": 272000, "over_per_1M": {"input": "5"}},
		{"provider": "openai", "model": "gpt-4o", "tier": "flex", "per_1M": {"input": "1.25"}},
		{"provider": "openai", "model": "gpt-4o", "tier": "other", "per_1M": {"input": "9"}},
		{"provider": "openai", "model": "whisper-1", "per_60_seconds": {"audio": "0.006"}},
		{"provider": "openai", "model": "old", "to": "2026-01-01", "per_1M": {"input": "9"}},
		{"provider": "groq", "model": "gpt-4o", "per_1M": {"input": "9"}},
		{"provider": "gcp.vertex_ai", "model": "claude", "region": "global", "per_1M": {"input": "5"}},
		{"provider": "gcp.vertex_ai", "model": "claude", "per_1M": {"input": "5.5"}}`)
	theirs := `{
		"gpt-4o": {"input_cost_per_token": 2.5e-06, "output_cost_per_token": 9e-06, "input_cost_per_token_flex": 1.5e-06, "input_cost_per_token_above_272k_tokens": 4e-06, "mode": "chat"},
		"whisper-1": {"input_cost_per_second": 0.0001, "output_cost_per_second": 0},
		"old": {"input_cost_per_token": 1e-06}, "vertex_ai/claude": {"input_cost_per_token": 5e-06}, "sample_spec": {"mode": "one of"}}`
	var out strings.Builder
	if err := compare(&out, ours, []byte(theirs)); err != nil {
		t.Fatal(err)
	}
	want := `openai gpt-4o: output per 1M: 10 here, 9 there
openai gpt-4o: over 272000 input per 1M: 5 here, 4 there
openai gpt-4o flex: input per 1M: 1.25 here, 1.5 there
3 of 6 prices that both have differ by more than 1 %
`
	if out.String() != want {
		t.Errorf("%s\nwant\n%s", out.String(), want)
	}
	if err := compare(&out, ours, []byte(`[]`)); err == nil || !strings.Contains(err.Error(), "not a price file of litellm") {
		t.Errorf("%v", err)
	}
}
