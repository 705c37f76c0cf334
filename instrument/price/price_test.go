package price_test

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument/money"
	"github.com/stagemeter/stagemeter/instrument/price"
)

const rows = `{"checked": "2026-11-27", "rows": [
	{"provider": "openai", "model": "gpt-4o", "aliases": ["gpt-4o-latest"], "per_1M": {"input": "2.50", "cache_read": "1.25", "output": "10"}, "per_1000": {"web_search": "10"}},
	{"provider": "openai", "model": "gpt-4o", "tier": "flex", "per_1M": {"input": "1.25", "output": "5"}},
	{"provider": "openai", "model": "gpt-4o-2024-05-13", "per_1M": {"input": "5", "output": "15"}},
	{"provider": "openai", "model": "ft:gpt-4o", "per_1M": {"input": "3.75"}},
	{"provider": "openai", "model": "whisper-1", "per_60_seconds": {"audio": "0.006"}},
	{"provider": "groq", "model": "whisper", "per_3600_seconds": {"audio": "0.111"}},
	{"provider": "openai", "model": "tts-1", "per_1M": {"characters": "15"}},
	{"provider": "openai", "model": "moderation", "free": true},
	{"provider": "openai", "model": "dall-e-3", "variant": "1024x1024/standard", "per_1": {"images": "0.04"}},
	{"provider": "openai", "model": "dall-e-3", "variant": "1024x1024/hd", "per_1": {"images": "0.08"}},
	{"provider": "anthropic", "model": "claude-haiku-4-5", "per_1M": {"input": "1", "cache_read": "0.10", "cache_write_5m": "1.25", "cache_write_1h": "2", "output": "5"},
		"per_1000": {"web_search": "10"}, "times": {"geo:us": "1.1", "speed:fast": "6"}},
	{"provider": "gcp.gemini", "model": "pro", "per_1M": {"input": "1.25", "output": "10", "cache_read": "0.125"}, "over_input_tokens": 200000, "over_per_1M": {"input": "2.50", "output": "15"}},
	{"provider": "x", "model": "m", "to": "2026-03-01", "per_1M": {"input": "1"}},
	{"provider": "x", "model": "m", "from": "2026-03-01", "to": "2026-06-01", "per_1M": {"input": "2"}},
	{"provider": "x", "model": "m", "from": "2026-03-01", "to": "2026-06-01", "region": "eu", "per_1M": {"input": "3"}},
	{"provider": "fal", "model": "flux", "per_1": {"credits": "0.025"}}
]}`

func parse(t *testing.T, text string) *price.Table {
	t.Helper()
	table, err := price.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return table
}

type used map[price.Unit]int64

func usage(provider, model string, n used) price.Usage {
	u := price.Usage{Provider: provider, Model: model}
	for unit, n := range n {
		u.Add(unit, n)
	}
	return u
}

func TestCost(t *testing.T) {
	table := parse(t, rows)
	on := func(u price.Usage, day string) price.Usage {
		u.At, _ = time.Parse(time.DateOnly, day)
		return u
	}
	with := func(u price.Usage, set func(*price.Usage)) price.Usage { set(&u); return u }
	haiku := used{price.Input: 25, price.CacheWrite5m: 60, price.CacheWrite1h: 40, price.CacheRead: 50, price.Output: 15, price.WebSearch: 2}
	for _, tt := range []struct {
		name   string
		u      price.Usage
		want   money.USD
		reason price.Reason
	}{
		{"cached tokens", usage("openai", "gpt-4o", used{price.Input: 176, price.CacheRead: 1024, price.Output: 300}), 4_720_000, ""},
		{"a snapshot", usage("openai", "gpt-4o-2024-08-06", used{price.Input: 2}), 5_000, ""},
		{"a snapshot with a price of its own", usage("openai", "gpt-4o-2024-05-13", used{price.Input: 2}), 10_000, ""},
		{"a snapshot of eight digits", usage("anthropic", "claude-haiku-4-5-20251001", haiku), 20_260_000, ""},
		{"a snapshot of Vertex", usage("anthropic", "claude-haiku-4-5@20251001", haiku), 20_260_000, ""},
		{"an alias", usage("openai", "gpt-4o-latest", used{price.Input: 2}), 5_000, ""},
		{"a snapshot of an alias", usage("openai", "gpt-4o-latest-2026-01-01", used{price.Input: 2}), 5_000, ""},
		{"a fine-tuned model", usage("openai", "ft:gpt-4o-2024-08-06:studio::abc", used{price.Input: 2}), 7_500, ""},
		{"a fine-tuned model without a row", usage("openai", "ft:whisper-1:studio::abc", used{price.Audio: 2}), 0, price.UnknownModel},
		{"capital letters", usage("OpenAI", "GPT-4o", used{price.Input: 2}), 5_000, ""},
		{"a name that only begins alike", usage("openai", "gpt-4o-mini", used{price.Input: 2}), 0, price.UnknownModel},
		{"an ending that is no day", usage("openai", "gpt-4o-2024-13-45", used{price.Input: 2}), 0, price.UnknownModel},
		{"only a day", usage("openai", "-2024-08-06", used{price.Input: 2}), 0, price.UnknownModel},
		{"another provider", usage("azure.ai.openai", "gpt-4o", used{price.Input: 2}), 0, price.UnknownModel},
		{"audio at no rate", usage("openai", "gpt-4o", used{price.Input: 2, price.InputAudio: 1}), 0, price.UnknownUnit},
		{"no audio", usage("openai", "gpt-4o", used{price.Input: 2, price.InputAudio: 0}), 5_000, ""},
		{"nothing given", usage("openai", "gpt-4o", nil), 0, price.UnknownUsage},
		{"zero tokens given", usage("openai", "gpt-4o", used{price.Input: 0}), 0, ""},
		{"a negative number", usage("openai", "gpt-4o", used{price.Input: -1}), 0, price.UnknownUsage},
		{"a unit that is none", usage("openai", "gpt-4o", used{price.Unit(200): 1}), 0, price.UnknownUsage},
		{"the ordinary tier", with(usage("openai", "gpt-4o", used{price.Input: 2}), func(u *price.Usage) { u.Tier = "default" }), 5_000, ""},
		{"another tier", with(usage("openai", "gpt-4o", used{price.Input: 2}), func(u *price.Usage) { u.Tier = "flex" }), 2_500, ""},
		{"a tier without a row", with(usage("openai", "gpt-4o", used{price.Input: 2}), func(u *price.Usage) { u.Tier = "priority" }), 0, price.UnknownTier},
		{"a minute begun", usage("openai", "whisper-1", used{price.Audio: int64(61 * time.Second)}), 6_100_000, ""},
		{"half a nano-dollar", usage("groq", "whisper", used{price.Audio: int64(3003 * time.Millisecond)}), 92_593, ""},
		{"characters", usage("openai", "tts-1", used{price.Characters: 15}), 225_000, ""},
		{"free", usage("openai", "moderation", nil), 0, ""},
		{"an image", with(usage("openai", "dall-e-3", used{price.Images: 2}), func(u *price.Usage) { u.Variant = "1024x1024/HD" }), 160_000_000, ""},
		{"an image of no known size", usage("openai", "dall-e-3", used{price.Images: 2}), 0, price.UnknownVariant},
		{"multipliers", with(usage("anthropic", "claude-haiku-4-5", used{price.Input: 1000}), func(u *price.Usage) { u.Multipliers = []string{"geo:us", "speed:fast"} }), 6_600_000, ""},
		{"searches are not multiplied", with(usage("anthropic", "claude-haiku-4-5", used{price.Input: 1000, price.WebSearch: 1}), func(u *price.Usage) { u.Multipliers = []string{"geo:us"} }), 11_100_000, ""},
		{"a multiplier without a factor", with(usage("anthropic", "claude-haiku-4-5", used{price.Input: 1}), func(u *price.Usage) { u.Multipliers = []string{"geo:eu"} }), 0, price.UnknownMultiplier},
		{"at the threshold", usage("gcp.gemini", "pro", used{price.Input: 199_999, price.CacheRead: 1}), 249_998_875, ""},
		{"above the threshold", usage("gcp.gemini", "pro", used{price.Input: 200_000, price.CacheRead: 1, price.Output: 1}), 500_015_125, ""},
		{"before a price", on(usage("x", "m", used{price.Input: 1}), "2026-02-28"), 1_000, ""},
		{"the day of a price", on(usage("x", "m", used{price.Input: 1}), "2026-03-01"), 2_000, ""},
		{"after the last price", on(usage("x", "m", used{price.Input: 1}), "2026-06-01"), 0, price.UnknownDate},
		{"a region", on(with(usage("x", "m", used{price.Input: 1}), func(u *price.Usage) { u.Region = "eu" }), "2026-04-01"), 3_000, ""},
		{"a region without a row", on(with(usage("x", "m", used{price.Input: 1}), func(u *price.Usage) { u.Region = "us" }), "2026-04-01"), 2_000, ""},
		{"a fraction of a unit", usage("fal", "flux", used{price.Credits: 3_008_000}), 75_200_000, ""},
		{"more than there is money", usage("openai", "gpt-4o", used{price.Input: math.MaxInt64, price.Output: math.MaxInt64}), money.Unlimited, ""},
	} {
		got, err := table.Cost(tt.u)
		var unknown *price.UnknownError
		errors.As(err, &unknown)
		if got != tt.want || (unknown == nil) != (tt.reason == "") || unknown != nil && unknown.Reason != tt.reason {
			t.Errorf("%s: %d, %v; want %d, reason %q", tt.name, int64(got), err, int64(tt.want), tt.reason)
		}
		if unknown != nil && !strings.Contains(err.Error(), tt.u.Model) {
			t.Errorf("%s: %v does not name the model", tt.name, err)
		}
	}
}

func TestCostDoesNotAllocate(t *testing.T) {
	table := parse(t, rows)
	u := usage("anthropic", "claude-haiku-4-5-20251001", used{price.Input: 25, price.Output: 15, price.WebSearch: 2})
	u.Multipliers = []string{"geo:us"}
	if n := testing.AllocsPerRun(100, func() { _, _ = table.Cost(u) }); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func TestParseNamesWhatIsWrong(t *testing.T) {
	row := func(fields string) string { return `{"rows": [{"provider": "p", "model": "m", ` + fields + `}]}` }
	for text, want := range map[string]string{
		``:                               "not a table",
		`[]`:                             "not a table",
		`{"rows": []} {}`:                "something follows",
		`{"row": []}`:                    `"row"`,
		`{"checked": "now"}`:             `"now"`,
		`{"rows": [{"model": "m"}]}`:     "provider or model is missing",
		row(`"per_1M": {"input": "x"}`):  `input is "x"`,
		row(`"per_1M": {"input": "-1"}`): `input is "-1"`,
		row(`"per_1M": {"input": 1}`):    "per_1M",
		row(`"per_1M": {"inputs": "1"}`): `"inputs" is no unit`,
		row(`"per_1M": {"input": "0"}`):  "must say free",
		row(`"per_1M": {"input": "1"}, "free": true`):                             "says free",
		row(`"per_0": {"input": "1"}`):                                            `"per_0"`,
		row(`"per_9999999999": {"input": "1"}`):                                   "9999999999",
		row(`"per_M": {"input": "1"}`):                                            "per_M",
		row(`"per_1M": {"audio": "1"}`):                                           "audio is not priced by 1M",
		row(`"per_60_seconds": {"input": "1"}`):                                   "input is not priced by 60_seconds",
		row(`"per_1M": {"input": "1"}, "per_1000": {"input": "1"}`):               "has a price already",
		row(`"tiers": "flex", "per_1M": {"input": "1"}`):                          "tiers",
		row(`"source": "x"`):                                                      "without prices",
		row(`"from": "2026", "per_1M": {"input": "1"}`):                           `from is "2026"`,
		row(`"from": "2026-02-01", "to": "2026-02-01", "per_1M": {"input": "1"}`): "not before",
		row(`"over_input_tokens": 5, "per_1M": {"input": "1"}`):                   "need each other",
		row(`"over_per_1M": {"input": "2"}, "per_1M": {"input": "1"}`):            "need each other",
		row(`"over_input_tokens": 5, "max_input_tokens": 5, "over_per_1M": {"input": "2"}, "per_1M": {"input": "1"}`): "not below",
		row(`"over_input_tokens": -5, "per_1M": {"input": "1"}`):                                                      "negative",
		row(`"times": {"fast": "0"}, "per_1M": {"input": "1"}`):                                                       `"fast"`,
		row(`"times": {"fast": "1.00001"}, "per_1M": {"input": "1"}`):                                                 "1.00001",
		row(`"per_1M": {"input": "1"}}, {"provider": "p", "model": "M", "per_1M": {"input": "2"}`):                    "row 2",
	} {
		if _, err := price.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	// The rows that are right count.
	table, err := price.Parse([]byte(`{"rows": [{"provider": "p", "model": "m"}, {"provider": "p", "model": "n", "per_1M": {"input": "1"}}]}`))
	if got, costErr := table.Cost(usage("p", "n", used{price.Input: 1})); err == nil || got != 1000 || costErr != nil {
		t.Errorf("%v, %v, %v", got, costErr, err)
	}
}

// The user's rows replace all rows of the same model, tiers and other names of it too: an answer
// names a snapshot.
func TestWith(t *testing.T) {
	own := parse(t, `{"checked": "2026-12-24", "rows": [{"provider": "openai", "model": "gpt-4o", "per_1M": {"input": "1"}}]}`)
	table := parse(t, rows).With(own).With(nil)
	flex := usage("openai", "gpt-4o", used{price.Input: 1})
	flex.Tier = "flex"
	if _, err := table.Cost(flex); err == nil {
		t.Error("the tier of a row that was replaced is left")
	}
	for model, want := range map[string]money.USD{"gpt-4o": 1000, "gpt-4o-latest": 1000, "gpt-4o-2024-08-06": 1000, "gpt-4o-2024-05-13": 5000} {
		if got, err := table.Cost(usage("openai", model, used{price.Input: 1})); got != want {
			t.Errorf("%s: %v, %v; want %v", model, got, err, want)
		}
	}
	if got := table.Checked().Format(time.DateOnly); got != "2026-12-24" {
		t.Errorf("checked %s", got)
	}
	if got, err := parse(t, rows).Cost(usage("openai", "gpt-4o", used{price.Input: 1})); got != 2500 {
		t.Errorf("the table itself has changed: %v, %v", got, err)
	}
	var none *price.Table
	if _, err := none.Cost(usage("p", "m", used{price.Input: 1})); err == nil || !none.Checked().IsZero() {
		t.Error("a nil table has a price")
	}
}

func TestFromEnv(t *testing.T) {
	file := filepath.Join(t.TempDir(), "prices.json")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	u := usage("openai", "gpt-4o", used{price.Input: 1})
	t.Setenv("STAGEMETER_PRICES", "")
	if table, err := price.FromEnv(); err != nil || table != price.Default() {
		t.Errorf("%v", err)
	}
	t.Setenv("STAGEMETER_PRICES", file)
	if table, err := price.FromEnv(); !errors.Is(err, os.ErrNotExist) || table == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("%v", err)
	}
	write(`{"rows": [{"provider": "openai", "model": "gpt-4o", "per_1M": {"input": "9"}}, {}]}`)
	table, err := price.FromEnv()
	if err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "row 2") {
		t.Errorf("%v", err)
	}
	if got, err := table.Cost(u); got != 9000 {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := table.Cost(usage("openai", "whisper-1", used{price.Audio: int64(time.Minute)})); got != 6*money.Cent/10 {
		t.Errorf("%v, %v", got, err)
	}
}

// Whatever a file has, Parse does not panic, and what it takes has prices that are amounts.
func FuzzParse(f *testing.F) {
	f.Add([]byte(rows))
	f.Add([]byte(`{"rows": [{"provider": "p", "model": "m", "per_1B": {"input": "0.000000001"}, "times": {"a": "0.0001", "b": "999.9999", "c": "999.9999", "d": "999.9999"}}]}`))
	f.Add([]byte(`{"rows": [{"provider": "p", "model": "m", "aliases": ["m", "x"], "variant": "v", "per_1": {"images": "9223372036.854775806"}, "max_output_tokens": 9223372036854775807}, null, {}, 1]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		own, _ := price.Parse(text)
		for _, table := range []*price.Table{own, own.With(own), parse(t, rows).With(own)} {
			for _, model := range []string{"m", "gpt-4o", "pro", "whisper-1", ""} {
				for _, provider := range []string{"p", "openai", "gcp.gemini"} {
					u := usage(provider, model, used{price.Input: 300_000, price.Output: 7})
					u.Multipliers = []string{"a", "b", "c", "d"}
					fits := func(name string, got money.USD, err error) {
						if err == nil && got != money.Unlimited && got.Validate() != nil || err != nil && got != 0 {
							t.Errorf("%s of %s: %v, %v", name, model, got, err)
						}
					}
					got, err := table.Cost(u)
					fits("Cost", got, err)
					most, err := table.AtMost(u, usage(provider, model, used{price.Images: 1}))
					if fits("AtMost", most, err); err == nil && most < got {
						t.Errorf("%s costs %v, and at most %v", model, got, most)
					}
					if in, out := table.Limits(provider, model); in < 0 || out < 0 {
						t.Errorf("limits of %s: %d, %d", model, in, out)
					}
				}
			}
		}
	})
}

func TestHasAndPrices(t *testing.T) {
	table, err := price.Parse([]byte(`{"rows":[{"provider":"openai","model":"gpt-4o","tier":"flex","per_1M":{"input":"1"}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		u            price.Usage
		unit         price.Unit
		has, isThere bool
	}{
		{price.Usage{Provider: "OpenAI", Model: "gpt-4o", Tier: "flex"}, price.Input, true, true},
		{price.Usage{Provider: "openai", Model: "gpt-4o-2024-08-06", Tier: "flex"}, price.Input, true, true},
		{price.Usage{Provider: "openai", Model: "gpt-4o", Tier: "flex"}, price.Output, true, false},
		{price.Usage{Provider: "openai", Model: "gpt-4o"}, price.Input, true, false},
		{price.Usage{Provider: "openai", Model: "gpt-4o-mini", Tier: "flex"}, price.Input, false, false},
		{price.Usage{Provider: "openai", Model: "gpt-4o", Tier: "flex"}, price.Unit(200), true, false},
	} {
		if has, isThere := table.Has(tt.u.Provider, tt.u.Model), table.Prices(tt.u, tt.unit); has != tt.has || isThere != tt.isThere {
			t.Errorf("%+v, %s: %t, %t", tt.u, tt.unit, has, isThere)
		}
	}
	if (*price.Table)(nil).Has("openai", "gpt-4o") {
		t.Error("a nil table has a row")
	}
}

// The product of multipliers is exact, or there is no price.
func TestManyMultipliers(t *testing.T) {
	table := parse(t, `{"rows": [{"provider": "p", "model": "m", "per_1": {"input": "1"}, "times": {"a": "999.9999", "b": "999.9998", "c": "999.9997", "d": "0.0001", "e": "0.0003", "f": "0.0007"}}]}`)
	for _, tt := range []struct {
		names string
		want  money.USD
	}{
		{"", money.Dollar}, {"a", 999_999_900_000}, {"a d", 99_999_990}, {"d e f", 0}, {"a d d", 10_000}, {"d d d d", 0}, {"a b", -1},
		{"a b c", -1}, {"a b c a", -1}, {"d d d d d", -1}, {"x", -1},
	} {
		u := usage("p", "m", used{price.Input: 1})
		u.Multipliers = strings.Fields(tt.names)
		got, err := table.Cost(u)
		var unknown *price.UnknownError
		if tt.want >= 0 && (err != nil || got != tt.want) || tt.want < 0 && (!errors.As(err, &unknown) || unknown.Reason != price.UnknownMultiplier) {
			t.Errorf("%s: %d, %v, want %d", tt.names, int64(got), err, int64(tt.want))
		}
	}
}

// The dearest variant of a model is found by every name that the model has.
func TestAtMostOfAnotherName(t *testing.T) {
	table := parse(t, `{"rows": [
		{"provider": "p", "model": "m", "aliases": ["other"], "variant": "small", "per_1": {"images": "1"}},
		{"provider": "p", "model": "m", "aliases": ["other"], "variant": "large", "per_1": {"images": "2"}}]}`)
	for _, model := range []string{"m", "M", "other", "m-2025-04-15"} {
		if got, err := table.AtMost(usage("p", model, used{price.Images: 3})); got != 6*money.Dollar || err != nil {
			t.Errorf("%s: %v, %v", model, got, err)
		}
	}
}
