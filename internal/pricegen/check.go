package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// litellmFields are the fields of litellm's file that have a unit of ours. All are per one.
var litellmFields = map[string]string{
	"input": "input_cost_per_token", "output": "output_cost_per_token", "cache_read": "cache_read_input_token_cost",
	"cache_write_5m": "cache_creation_input_token_cost", "cache_write_1h": "cache_creation_input_token_cost_above_1hr",
	"input_audio": "input_cost_per_audio_token", "output_audio": "output_cost_per_audio_token",
	"characters": "input_cost_per_character", "audio": "input_cost_per_second",
}

// litellmTiers are the endings that those fields have for a service tier.
var litellmTiers = map[string]string{"": "", "flex": "_flex", "priority": "_priority", "batch": "_batches"}

// litellmNames are what litellm puts before a model's name; the first that is there counts.
var litellmNames = map[string][]string{
	"openai": {""}, "anthropic": {""}, "aws.bedrock": {""}, "cohere": {""}, "azure.ai.openai": {"azure/"}, "gcp.gemini": {"gemini/", ""},
	"gcp.vertex_ai": {"vertex_ai/", ""}, "groq": {"groq/"}, "mistral_ai": {"mistral/"}, "x_ai": {"xai/"}, "deepseek": {"deepseek/"},
	"together": {"together_ai/"}, "fireworks": {"fireworks_ai/accounts/fireworks/models/"}, "perplexity": {"perplexity/"},
	"cerebras": {"cerebras/"}, "moonshot_ai": {"moonshot/"}, "voyageai": {"voyage/"}, "deepgram": {"deepgram/"},
	"assemblyai": {"assemblyai/"}, "elevenlabs": {"elevenlabs/"},
}

// compare prints where the table and a file of litellm differ by more than 1 %.
func compare(out io.Writer, t table, text []byte) error {
	var file map[string]map[string]json.RawMessage
	if err := json.Unmarshal(text, &file); err != nil {
		return fmt.Errorf("not a price file of litellm: %w", err)
	}
	global := make(map[string]bool) // models whose other regions have prices of their own
	for _, r := range t.Rows {
		if r.Region == "global" {
			global[r.Provider+" "+r.Model] = true
		}
	}
	compared, differ := 0, 0
	for _, r := range t.Rows {
		suffix, known := litellmTiers[r.Tier]
		if r.To != "" || !known || r.Variant != "" || r.Region != "global" && (r.Region != "" || global[r.Provider+" "+r.Model]) {
			continue
		}
		theirs := litellmModel(file, r)
		check := func(prices map[string]map[string]string, suffix, where string) {
			for _, per := range slices.Sorted(maps.Keys(prices)) {
				for _, unit := range slices.Sorted(maps.Keys(prices[per])) {
					their := math.NaN()
					if json.Unmarshal(theirs[litellmFields[unit]+suffix], &their) != nil || their == 0 {
						continue
					}
					compared++
					if ours := number(prices[per][unit]) / count(per); math.Abs(ours/their-1) > 0.01 {
						differ++
						fmt.Fprintf(out, "%s: %s%s per %s: %s here, %s there\n", strings.Join(strings.Fields(r.Provider+" "+r.Model+" "+r.Tier), " "),
							where, unit, per, prices[per][unit], strconv.FormatFloat(their*count(per), 'g', 6, 64))
					}
				}
			}
		}
		check(r.Per, suffix, "")
		if r.Tier == "" {
			check(r.OverPer, fmt.Sprintf("_above_%dk_tokens", r.Over/1000), fmt.Sprintf("over %d ", r.Over))
		}
	}
	fmt.Fprintf(out, "%d of %d prices that both have differ by more than 1 %%\n", differ, compared)
	return nil
}

func litellmModel(file map[string]map[string]json.RawMessage, r row) map[string]json.RawMessage {
	for _, prefix := range litellmNames[r.Provider] {
		if theirs := file[prefix+r.Model]; theirs != nil {
			return theirs
		}
	}
	return nil
}

// count returns how many units a price is per, such as 1M, 1000 or 60_seconds.
func count(per string) float64 {
	per = strings.TrimSuffix(per, "_seconds")
	for suffix, n := range map[string]float64{"K": 1e3, "M": 1e6, "B": 1e9} {
		if head, ok := strings.CutSuffix(per, suffix); ok {
			return number(head) * n
		}
	}
	return number(per)
}
