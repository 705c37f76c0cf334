package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument/money"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// made is a small seed, made up in content and real in shape.
const made = `[
	{"id": "openai", "models": [
		{"id": "gpt-4o", "match": {"or": [{"equals": "gpt-4o"}, {"equals": "GPT-4o-latest"}, {"regex": "^gpt-4o-\\d{4}-\\d{2}-\\d{2}$"}, {"contains": "4o"}]}, "context_window": 128000,
			"prices": {"input_mtok": 2.5, "cache_read_mtok": 1.25, "output_mtok": 10, "web_searches_kcount": 10}},
		{"id": "gpt-4o-mini", "match": {"or": [{"starts_with": "gpt-4o-mini"}, {"equals": "gpt-4o"}, {"equals": "gpt-4o-latest"}]}, "prices": {"input_mtok": 0.15, "output_mtok": 0.6}},
		{"id": "gpt-dated", "match": {"equals": "gpt-dated"}, "prices": [
			{"prices": {"input_mtok": 1}},
			{"constraint": {"type": "start_date", "start_date": "2026-03-01"}, "prices": {"input_mtok": 2}},
			{"constraint": {"type": "start_date", "start_date": "2027-01-01"}, "prices": {"input_mtok": 3}}]},
		{"id": "gpt-long", "match": {"equals": "gpt-long"}, "context_window": 200000, "prices": {"input_mtok": {"base": 1, "tiers": [{"start": 271999, "price": 2}]}, "output_mtok": 5}},
		{"id": "gpt-longer", "match": {"equals": "gpt-longer"}, "prices": {"input_mtok": {"base": 1, "tiers": [{"start": 1000, "price": 2}, {"start": 2000, "price": 3}]}}},
		{"id": "gpt-uneven", "match": {"equals": "gpt-uneven"}, "prices": {"input_mtok": {"base": 1, "tiers": [{"start": 1000, "price": 2}]}, "output_mtok": {"base": 1, "tiers": [{"start": 2000, "price": 2}]}}},
		{"id": "gpt-free", "match": {"equals": "gpt-free"}, "prices": {"input_mtok": 0, "output_mtok": 0}},
		{"id": "gpt-odd", "match": {"equals": "gpt-odd"}, "prices": {"input_mtok": 1, "dreams_kcount": 1}},
		{"id": "gpt-none", "match": {"equals": "gpt-none"}, "prices": {}},
		{"id": "gpt-disputed", "match": {"equals": "gpt-disputed"}, "prices": {"input_mtok": 1}},
		{"id": "gpt-ours", "match": {"equals": "gpt-ours"}, "prices": {"input_mtok": 1}},
		{"id": "gpt-theirs", "match": {"or": [{"equals": "gpt-theirs"}, {"equals": "gpt-ours-latest"}]}, "prices": {"input_mtok": 1}}]},
	{"id": "azure", "models": [{"id": "gpt-4o-mini", "match": {"equals": "gpt-4o-mini"}, "prices": {"input_mtok": 0.165, "output_mtok": 0.66}}]},
	{"id": "deepseek", "models": [{"id": "night", "match": {"equals": "night"}, "prices": [{"constraint": {"type": "time_of_date"}, "prices": {"input_mtok": 1}}]}]},
	{"id": "google", "models": [
		{"id": "gemini-2.5-flash", "match": {"equals": "gemini-2.5-flash"}, "prices": {"input_mtok": 0.3, "cache_read_mtok": 0.03, "output_mtok": 2.5, "input_audio_mtok": 1}},
		{"id": "claude-opus-5", "match": {"ends_with": "claude-opus-5"}, "prices": {"input_mtok": 5, "output_mtok": 25}}]},
	{"id": "nobody", "models": [{"id": "gpt-4o", "match": {"equals": "gpt-4o"}, "prices": {"input_mtok": 9}}]}
]`

const hand = `{
	"rows": [{"provider": "openai", "model": "gpt-ours", "aliases": ["gpt-ours-latest"], "per_1M": {"input": "7"}, "source": "https://example.com", "seen": "2026-11-01"}],
	"drop": [{"provider": "openai", "model": "gpt-disputed", "why": "its sources differ"}],
	"rules": [
		{"about": "images", "provider": "openai", "models": ["gpt-4o*"], "copy": {"input": ["input_image"], "cache_read": ["cache_read_image"]}, "source": "https://example.com/images", "seen": "2026-10-01"},
		{"about": "promised", "provider": "openai", "models": ["gpt-dated"], "to": "2026-12-24", "source": "https://example.com/news", "seen": "2026-10-01"},
		{"about": "resold", "provider": "azure.ai.openai", "models": ["*"], "but": ["gpt-long"], "like": "openai", "source": "https://example.com/azure", "seen": "2026-10-01"},
		{"about": "regions", "provider": "gcp.vertex_ai", "models": ["claude-*"], "regions": {"global": "1", "": "1.1"}, "source": "https://example.com/vertex", "seen": "2026-10-01"},
		{"about": "fast", "provider": "openai", "models": ["gpt-4o"], "times": {"speed:fast": "2"}, "source": "https://example.com/fast", "seen": "2026-10-01"},
		{"about": "half", "provider": "openai", "models": ["gpt-4o", "gpt-long"], "tiers": ["batch", "flex"], "by": "0.5", "units": ["input", "output"], "source": "https://example.com/batch", "seen": "2026-10-01"},
		{"about": "most", "provider": "openai", "models": ["gpt-4o"], "max_output_tokens": 16384, "source": "https://example.com/models", "seen": "2026-10-01"},
		{"about": "stale", "provider": "openai", "models": ["gone"], "max_output_tokens": 1, "source": "https://example.com", "seen": "2026-10-01"}
	]
}`

var today = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// buildMade returns the table of made and hand, and what was told.
func buildMade(t *testing.T) (table, string) {
	t.Helper()
	s := seed{version: "0.1.8", day: "2026-09-23"}
	if err := json.Unmarshal([]byte(made), &s.providers); err != nil {
		t.Fatal(err)
	}
	over, err := parseOverrides("hand", []byte(hand))
	if err != nil {
		t.Fatal(err)
	}
	built, notes, err := build(s, over, today)
	if err != nil {
		t.Fatal(err)
	}
	return built, strings.Join(notes, "\n")
}

func TestBuildPrices(t *testing.T) {
	built, _ := buildMade(t)
	text, err := built.text()
	if err != nil {
		t.Fatal(err)
	}
	prices, err := price.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if got := prices.Checked(); !got.Equal(today.Truncate(24 * time.Hour)) {
		t.Errorf("checked %v", got)
	}
	for _, tt := range []struct {
		name            string
		provider, model string
		day, tier       string
		region          string
		fast            bool
		unit            price.Unit
		n               int64
		want            money.USD
		reason          price.Reason
	}{
		{name: "a price", model: "gpt-4o", unit: price.Input, n: 2, want: 5000},
		{name: "an alias in capital letters", model: "gpt-4o-latest", unit: price.Input, n: 2, want: 5000},
		{name: "a dated snapshot", model: "gpt-4o-2024-08-06", unit: price.Input, n: 2, want: 5000},
		{name: "a name that only has the model's in it", model: "my-4o", unit: price.Input, n: 2, reason: price.UnknownModel},
		{name: "a name that only begins as the model's does", model: "gpt-4o-mini-new", unit: price.Input, n: 2, reason: price.UnknownModel},
		{name: "a model's own name, which another one claims", model: "gpt-4o-mini", unit: price.Input, n: 2, want: 300},
		{name: "images as text", model: "gpt-4o", unit: price.InputImage, n: 2, want: 5000},
		{name: "cached images as cached text", model: "gpt-4o", unit: price.CacheReadImage, n: 2, want: 2500},
		{name: "audio is never text", model: "gpt-4o", unit: price.InputAudio, n: 2, reason: price.UnknownUnit},
		{name: "a price of the past", model: "gpt-dated", day: "2026-02-28", unit: price.Input, n: 1, want: 1000},
		{name: "the price of now", model: "gpt-dated", unit: price.Input, n: 1, want: 2000},
		{name: "after the day until which it was promised", model: "gpt-dated", day: "2026-12-24", unit: price.Input, n: 1, reason: price.UnknownDate},
		{name: "a price of the future, which is not applied", model: "gpt-dated", day: "2027-01-02", unit: price.Input, n: 1, reason: price.UnknownDate},
		{name: "at the threshold", model: "gpt-long", unit: price.Input, n: 272_000, want: 272_000_000},
		{name: "above the threshold", model: "gpt-long", unit: price.Input, n: 272_001, want: 544_002_000},
		{name: "two thresholds", model: "gpt-longer", unit: price.Input, n: 1, reason: price.UnknownModel},
		{name: "thresholds that differ", model: "gpt-uneven", unit: price.Input, n: 1, reason: price.UnknownModel},
		{name: "free", model: "gpt-free", unit: price.Input, n: 1},
		{name: "a unit that is none of ours", model: "gpt-odd", unit: price.Input, n: 1, reason: price.UnknownModel},
		{name: "no price", model: "gpt-none", unit: price.Input, n: 1, reason: price.UnknownModel},
		{name: "dropped by hand", model: "gpt-disputed", unit: price.Input, n: 1, reason: price.UnknownModel},
		{name: "written by hand", model: "gpt-ours", unit: price.Input, n: 1, want: 7000},
		{name: "an alias that is another's by hand", model: "gpt-ours-latest", unit: price.Input, n: 1, want: 7000},
		{name: "by time of day", provider: "deepseek", model: "night", unit: price.Input, n: 1, reason: price.UnknownModel},
		{name: "a tier", model: "gpt-4o", tier: "flex", unit: price.Input, n: 2, want: 2500},
		{name: "a tier, above the threshold", model: "gpt-long", tier: "batch", unit: price.Input, n: 272_001, want: 272_001_000},
		{name: "a unit whose price in the tier is not known", model: "gpt-4o", tier: "flex", unit: price.CacheRead, n: 2, reason: price.UnknownUnit},
		{name: "a search costs the same in a tier", model: "gpt-4o", tier: "flex", unit: price.WebSearch, n: 1, want: money.Cent},
		{name: "a tier that nobody says the price of", model: "gpt-4o-mini", tier: "flex", unit: price.Input, n: 2, reason: price.UnknownTier},
		{name: "a multiplier", model: "gpt-4o", fast: true, unit: price.Input, n: 2, want: 10_000},
		{name: "a multiplier in a tier", model: "gpt-4o", tier: "flex", fast: true, unit: price.Input, n: 2, want: 5000},
		{name: "resold", provider: "azure.ai.openai", model: "gpt-4o", unit: price.Input, n: 2, want: 5000},
		{name: "resold, by a price of its own", provider: "azure.ai.openai", model: "gpt-4o-mini", unit: price.Input, n: 2, want: 330},
		{name: "what a reseller does not sell", provider: "azure.ai.openai", model: "gpt-long", unit: price.Input, n: 2, reason: price.UnknownModel},
		{name: "a search at a reseller", provider: "azure.ai.openai", model: "gpt-4o", unit: price.WebSearch, n: 2, reason: price.UnknownUnit},
		{name: "global", provider: "gcp.vertex_ai", model: "claude-opus-5", region: "global", unit: price.Input, n: 2, want: 10_000},
		{name: "a region", provider: "gcp.vertex_ai", model: "claude-opus-5", region: "us-east5", unit: price.Input, n: 2, want: 11_000},
		{name: "Claude is not in the Gemini API", provider: "gcp.gemini", model: "claude-opus-5", unit: price.Input, n: 2, reason: price.UnknownModel},
		{name: "a provider that is not taken", provider: "nobody", model: "gpt-4o", unit: price.Input, n: 2, reason: price.UnknownModel},
	} {
		u := price.Usage{Provider: tt.provider, Model: tt.model, Tier: tt.tier, Region: tt.region, At: today}
		if u.Provider == "" {
			u.Provider = "openai"
		}
		if tt.day != "" {
			u.At, _ = time.Parse(time.DateOnly, tt.day)
		}
		if tt.fast {
			u.Multipliers = []string{"speed:fast"}
		}
		u.Add(tt.unit, tt.n)
		got, err := prices.Cost(u)
		var reason price.Reason
		if unknown, ok := err.(*price.UnknownError); ok {
			reason = unknown.Reason
		}
		if got != tt.want || reason != tt.reason {
			t.Errorf("%s: %d, %v; want %d, reason %q", tt.name, int64(got), err, int64(tt.want), tt.reason)
		}
	}
}

func TestBuildTells(t *testing.T) {
	_, notes := buildMade(t)
	for _, want := range []string{
		"openai gpt-dated: a price from 2027-01-01 on: write it into overrides.json when it holds",
		"openai gpt-longer: input_mtok has 2 thresholds",
		"openai gpt-uneven: it has two thresholds",
		"openai gpt-odd: dreams_kcount is no unit of ours",
		"openai gpt-none: it has no price",
		"openai gpt-disputed: its sources differ",
		"deepseek night: its prices go by time_of_date",
		`the rule "stale" has nothing to say`,
	} {
		if !strings.Contains(notes, want) {
			t.Errorf("nobody is told %q:\n%s", want, notes)
		}
	}
}

// A row names all that it is made of, and the oldest day on which somebody saw that.
func TestBuildCites(t *testing.T) {
	built, _ := buildMade(t)
	i := slices.IndexFunc(built.Rows, func(r row) bool { return r.Provider == "openai" && r.Model == "gpt-4o" && r.Tier == "flex" })
	r := built.Rows[i]
	for _, want := range []string{"genai-prices 0.1.8", "/images", "/fast", "/batch", "/models"} {
		if !strings.Contains(r.Source, want) {
			t.Errorf("%q does not name %s", r.Source, want)
		}
	}
	if r.Seen != "2026-09-23" || r.MaxOutput != 16384 || r.MaxInput != 128000 {
		t.Errorf("seen %s, at most %d of %d tokens", r.Seen, r.MaxOutput, r.MaxInput)
	}
	for _, r := range built.Rows {
		if r.Model == "gpt-long" && r.MaxInput != 0 {
			t.Errorf("%d tokens of input at most, and a threshold at %d", r.MaxInput, r.Over)
		}
		if r.Source == "" || r.Seen == "" {
			t.Errorf("%s of %s: source %q, seen %q", r.Model, r.Provider, r.Source, r.Seen)
		}
	}
}

// The same seed and overrides give the same bytes, in which nothing is there twice.
func TestBuildIsStable(t *testing.T) {
	first, _ := buildMade(t)
	want, _ := first.text()
	for range 20 {
		again, _ := buildMade(t)
		if got, _ := again.text(); string(got) != string(want) {
			t.Fatalf("%s\nand then\n%s", want, got)
		}
	}
}
