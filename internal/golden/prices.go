package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/stagemeter/stagemeter/instrument/price"
)

// names are the providers whose names in golden files differ from OpenTelemetry's, or stand for
// several APIs, in small letters and without signs.
var names = map[string][]string{
	"azure": {"azure.ai.openai"}, "azureopenai": {"azure.ai.openai"}, "gemini": {"gcp.gemini"}, "googlegemini": {"gcp.gemini"},
	"vertex": {"gcp.vertex_ai"}, "vertexai": {"gcp.vertex_ai"},
	"google": {"gcp.gemini", "gcp.vertex_ai", "gcp.speech"}, "gcp": {"gcp.gemini", "gcp.vertex_ai", "gcp.speech"},
	"googlestt": {"gcp.speech"}, "googlespeech": {"gcp.speech"}, "googlecloudspeech": {"gcp.speech"}, "googlespeechtotext": {"gcp.speech"},
	"gcpspeech": {"gcp.speech"}, "gcpspeechtotext": {"gcp.speech"}, "gcpstt": {"gcp.speech"},
	"bedrock": {"aws.bedrock"}, "amazonbedrock": {"aws.bedrock"}, "aws": {"aws.bedrock", "aws.transcribe"}, "awsbedrock": {"aws.bedrock"},
	"awstranscribe": {"aws.transcribe"}, "amazontranscribe": {"aws.transcribe"}, "transcribe": {"aws.transcribe"},
	"azureopenaiservice": {"azure.ai.openai"}, "azureaiopenai": {"azure.ai.openai"}, "azaiopenai": {"azure.ai.openai"}, "azureai": {"azure.ai.openai"},
	"azureaifoundry": {"azure.ai.openai"}, "azureaiinference": {"azure.ai.openai"}, "azaiinference": {"azure.ai.openai"},
	"openrouterai": {"openrouter"}, "litellmproxy": {"litellm"}, "groqcloud": {"groq"}, "deepseekai": {"deepseek"}, "cerebrasai": {"cerebras"},
	"togetherai": {"together"}, "fireworksai": {"fireworks"}, "perplexityai": {"perplexity"}, "moonshotai": {"moonshot_ai"}, "kimi": {"moonshot_ai"}, "grok": {"x_ai"},
	"xai": {"x_ai"}, "mistral": {"mistral_ai"}, "mistralai": {"mistral_ai"}, "moonshot": {"moonshot_ai"}, "assemblyai": {"assemblyai"}, "elevenlabs": {"elevenlabs"},
	"rev": {"rev_ai"}, "revai": {"rev_ai"}, "fal": {"fal"}, "falai": {"fal"}, "runwayml": {"runway"},
}

func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(name))
}

// providers returns the names of the file's provider in a table of prices.
func (f *file) providers() []string {
	if all := names[plain(f.Provider)]; all != nil {
		return all
	}
	return []string{strings.ToLower(f.Provider)}
}

// table returns the file's prices.
func (f *file) table() (*price.Table, error) {
	if len(f.Prices) == 0 {
		return price.Parse([]byte(`{"rows":[]}`))
	}
	var rows []any
	for _, provider := range f.providers() {
		row := map[string]any{"provider": provider, "model": f.Model}
		if err := f.fill(row, provider); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	text, err := json.Marshal(map[string]any{"rows": rows})
	if err != nil {
		return nil, err
	}
	return price.Parse(text)
}

// units are names of units that differ from those of package price, by provider; "" is for all.
var units = map[string]map[string]string{
	"": {"units": "credits", "billable_units": "credits", "seconds": "audio", "minutes": "audio", "video_seconds": "video", "compute_seconds": "compute", "gpu_seconds": "compute", "predict_time": "compute",
		"cache_write": "cache_write_5m", "image": "images", "request": "requests", "calls": "requests", "searches": "web_search", "web_searches": "web_search", "audio_seconds": "audio"},
	"fal":       {"request": "credits", "requests": "credits", "image": "credits", "images": "credits"}, // one each, or a part of one
	"runway":    {"seconds": "video", "audio": "video"},
	"replicate": {"seconds": "compute", "audio": "compute"},
	"ollama":    {"seconds": "compute", "audio": "compute"},
	"vllm":      {"seconds": "compute", "audio": "compute"},
}

// fill sets the prices of a row: what is not of price as they are, prices of time per seconds.
func (f *file) fill(row map[string]any, provider string) error {
	paid := false
	for field, text := range f.Prices {
		if !strings.Contains(field, "per_") {
			row[field] = text
			continue
		}
		var prices map[string]json.RawMessage
		if err := json.Unmarshal(text, &prices); err != nil {
			return fmt.Errorf("%s: %w", field, err)
		}
		for name, raw := range prices {
			amount := strings.Trim(string(raw), `"`)
			paid = paid || strings.Trim(amount, "0.") != ""
			if own := units[provider][name]; own != "" {
				name = own
			} else if own := units[""][name]; own != "" {
				name = own
			}
			to := field
			if (name == "audio" || name == "video" || name == "compute") && !strings.HasSuffix(field, "_seconds") {
				to += "_seconds"
			}
			if row[to] == nil {
				row[to] = make(map[string]string)
			}
			row[to].(map[string]string)[name] = amount
		}
	}
	if !paid && row["free"] == nil { // a row that costs nothing has to say so
		row["free"] = true
	}
	return nil
}
