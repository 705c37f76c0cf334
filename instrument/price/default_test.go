package price_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument/money"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// What facts that people have checked say of the table that comes with the package.
func TestDefault(t *testing.T) {
	table := price.Default()
	if table.Checked().Before(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("checked %v", table.Checked())
	}
	for _, tt := range []struct {
		u    price.Usage
		want money.USD
	}{
		{usage("openai", "gpt-4o-transcribe", used{price.InputAudio: 75, price.Input: 4, price.Output: 28}), 477_500},
		{usage("openai", "whisper-1", used{price.Audio: int64(61 * time.Second)}), 6_100_000},
		{usage("openai", "tts-1", used{price.Characters: 4095}), 61_425_000},
		{usage("openai", "gpt-4o-audio-preview", used{price.InputAudio: 1_000_000}), 40 * money.Dollar},
		{usage("openai", "gpt-5.4", used{price.Input: 272_000}), 680 * money.Dollar / 1000},
		{usage("openai", "gpt-5.4", used{price.Input: 272_001}), 1_360_005_000},
		{usage("anthropic", "claude-sonnet-4-5-20250929", used{price.Input: 1000}), 3_000_000},
		{usage("anthropic", "claude-sonnet-5", used{price.Input: 1000}), 2_000_000},
		{usage("gcp.gemini", "gemini-2.5-flash", used{price.InputAudio: 1000}), 1_000_000},
		{usage("groq", "whisper-large-v3", used{price.Audio: int64(time.Hour)}), 111 * money.Dollar / 1000},
	} {
		if got, err := table.Cost(tt.u); got != tt.want {
			t.Errorf("%s: %v, %v; want %v", tt.u.Model, got, err, tt.want)
		}
	}
	for _, model := range []string{"gpt-4o-mini-tts", "gpt-4o-nonsense", "gpt-9"} {
		if got, err := table.Cost(usage("openai", model, used{price.Input: 1})); err == nil {
			t.Errorf("%s costs %v, want unknown", model, got)
		}
	}
}

// Where the vendors say that something has the price of something else, the table says so too, and
// nowhere else.
func TestDefaultPricesWhatVendorsSay(t *testing.T) {
	table := price.Default()
	on := func(day string) time.Time { at, _ := time.Parse(time.DateOnly, day); return at }
	for _, tt := range []struct {
		name   string
		u      price.Usage
		unit   price.Unit
		want   money.USD // of a million
		reason price.Reason
	}{
		{"images are charged as text", price.Usage{Provider: "openai", Model: "gpt-4o"}, price.InputImage, 2500 * money.Dollar / 1000, ""},
		{"cached ones too", price.Usage{Provider: "openai", Model: "gpt-4o"}, price.CacheReadImage, 1250 * money.Dollar / 1000, ""},
		{"audio is not", price.Usage{Provider: "openai", Model: "gpt-4o"}, price.InputAudio, 0, price.UnknownUnit},
		{"audio of a model that has no rate for it", price.Usage{Provider: "gcp.gemini", Model: "gemini-3.5-flash"}, price.InputAudio, 0, price.UnknownUnit},
		{"video is charged as text", price.Usage{Provider: "gcp.gemini", Model: "gemini-2.5-flash"}, price.InputVideo, 30 * money.Cent, ""},
		{"an embedding of an image is not", price.Usage{Provider: "gcp.gemini", Model: "gemini-embedding-2"}, price.InputImage, 45 * money.Cent, ""},
		{"what an image model draws", price.Usage{Provider: "openai", Model: "gpt-image-1"}, price.OutputImage, 40 * money.Dollar, ""},
		{"what a speech model says", price.Usage{Provider: "gcp.gemini", Model: "gemini-2.5-flash-preview-tts"}, price.OutputAudio, 10 * money.Dollar, ""},
		{"a picture by its size and quality", price.Usage{Provider: "openai", Model: "dall-e-3", Variant: "1024x1792/hd"}, price.Images, 120_000 * money.Dollar, ""},
		{"a picture of a size that is not sold", price.Usage{Provider: "openai", Model: "dall-e-3", Variant: "16x16/hd"}, price.Images, 0, price.UnknownVariant},
		{"moderation is free", price.Usage{Provider: "openai", Model: "omni-moderation-2024-09-26"}, price.Input, 0, ""},
		{"Azure", price.Usage{Provider: "azure.ai.openai", Model: "gpt-4.1-2025-04-14"}, price.Input, 2 * money.Dollar, ""},
		{"Vertex AI", price.Usage{Provider: "gcp.vertex_ai", Model: "gemini-2.5-flash"}, price.InputAudio, money.Dollar, ""},
		{"Claude on Vertex AI", price.Usage{Provider: "gcp.vertex_ai", Model: "claude-haiku-4-5@20251001", Region: "global"}, price.Input, money.Dollar, ""},
		{"Claude in a region", price.Usage{Provider: "gcp.vertex_ai", Model: "claude-haiku-4-5@20251001", Region: "europe-west1"}, price.Input, 110 * money.Cent, ""},
		{"a batch of OpenAI", price.Usage{Provider: "openai", Model: "gpt-4o-mini", Tier: "batch"}, price.Input, 75 * money.Cent / 10, ""},
		{"what is cached in it", price.Usage{Provider: "openai", Model: "gpt-4o-mini", Tier: "batch"}, price.CacheRead, 0, price.UnknownUnit},
		{"flex", price.Usage{Provider: "openai", Model: "gpt-5", Tier: "flex"}, price.CacheRead, 625 * money.Cent / 100, ""},
		{"priority", price.Usage{Provider: "openai", Model: "gpt-4o", Tier: "priority"}, price.Output, 17 * money.Dollar, ""},
		{"its new name", price.Usage{Provider: "openai", Model: "gpt-5.4", Tier: "fast"}, price.Input, 10 * money.Dollar, ""}, // a million is above the threshold
		{"a tier without a source", price.Usage{Provider: "openai", Model: "gpt-5", Tier: "scale"}, price.Input, 0, price.UnknownTier},
		{"a batch of Anthropic", price.Usage{Provider: "anthropic", Model: "claude-haiku-4-5", Tier: "batch"}, price.CacheWrite1h, money.Dollar, ""},
		{"fast", price.Usage{Provider: "anthropic", Model: "claude-opus-5", Multipliers: []string{"speed:fast", "geo:us"}}, price.Output, 55 * money.Dollar, ""},
		{"in a geography without a factor", price.Usage{Provider: "anthropic", Model: "claude-opus-5", Multipliers: []string{"geo:eu"}}, price.Output, 0, price.UnknownMultiplier},
		{"a model that has no fast mode", price.Usage{Provider: "anthropic", Model: "claude-haiku-4-5", Multipliers: []string{"speed:fast"}}, price.Output, 0, price.UnknownMultiplier},
		{"before a price fell", price.Usage{Provider: "openai", Model: "gpt-5.6-sol", At: on("2026-08-20")}, price.Output, 30 * money.Dollar, ""},
		{"while it is promised", price.Usage{Provider: "openai", Model: "gpt-5.6-sol", At: on("2026-11-21")}, price.Output, 20 * money.Dollar, ""},
		{"after that", price.Usage{Provider: "openai", Model: "gpt-5.6-sol", At: on("2026-11-22")}, price.Output, 0, price.UnknownDate},
		{"by time of day", price.Usage{Provider: "deepseek", Model: "deepseek-chat"}, price.Input, 0, price.UnknownModel},
	} {
		tt.u.Add(tt.unit, 1_000_000)
		got, err := table.Cost(tt.u)
		var unknown *price.UnknownError
		errors.As(err, &unknown)
		if got != tt.want || (unknown == nil) != (tt.reason == "") || unknown != nil && unknown.Reason != tt.reason {
			t.Errorf("%s: %v, %v; want %v, reason %q", tt.name, got, err, tt.want, tt.reason)
		}
	}
}
