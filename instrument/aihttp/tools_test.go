package aihttp_test

import (
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"

	"github.com/stagemeter/stagemeter/instrument/aihttp"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/instrument/price"
)

const toolPrices = `{"rows": [
	{"provider": "openai", "model": "gpt-5", "per_1M": {"input": "1", "output": "1"}, "per_1000": {"web_search": "10", "file_search": "2.5"}},
	{"provider": "openai", "model": "gpt-5", "variant": "web_search_preview", "per_1M": {"input": "1", "output": "1"}, "per_1000": {"web_search": "25"}},
	{"provider": "openai", "model": "gpt-4o-search-preview", "per_1M": {"input": "1", "output": "1"}, "per_1000": {"web_search": "25"}},
	{"provider": "openai", "model": "gpt-5-search-api", "per_1M": {"input": "1", "output": "1"}},
	{"provider": "anthropic", "model": "claude", "per_1M": {"input": "1", "output": "1"}, "per_1000": {"web_search": "10"}},
	{"provider": "gcp.gemini", "model": "gemini-2.5-flash", "per_1M": {"input": "1", "output": "1"}, "per_1000": {"web_search": "35"}},
	{"provider": "gcp.gemini", "model": "gemini-3-pro", "per_1M": {"input": "1", "output": "1"}, "per_1000": {"web_search": "14"}},
	{"provider": "gcp.gemini", "model": "gemini-unpriced", "per_1M": {"input": "1", "output": "1"}},
	{"provider": "x_ai", "model": "grok", "per_1M": {"input": "1", "output": "1"}},
	{"provider": "perplexity", "model": "sonar", "per_1M": {"input": "1", "output": "1"}, "per_1000": {"requests": "12"}},
	{"provider": "perplexity", "model": "r1", "per_1M": {"input": "1", "output": "1"}}
]}`

// What the provider's own tools do beside the tokens is priced, or the call is unpriced: it is never
// only its tokens.
func TestToolsOfTheProvider(t *testing.T) {
	const (
		responses = "https://api.openai.com/v1/responses"
		messages  = "https://api.anthropic.com/v1/messages"
		gemini    = "https://generativelanguage.googleapis.com/v1beta/models/"
		tokens    = 2000 // one of input, one of output
	)
	response := func(items ...string) string {
		return `{"id":"r","model":"gpt-5","output":[` + strings.Join(items, ",") + `],"usage":{"input_tokens":1,"output_tokens":1},"tools":[{"type":"web_search"}]}`
	}
	completed := func(items ...string) string {
		return "data: {\"type\":\"response.created\",\"response\":{\"model\":\"gpt-5\",\"usage\":null,\"output\":[]}}\n\n" +
			"data: {\"type\":\"response.completed\",\"response\":" + response(items...) + "}\n\n"
	}
	claude := func(more string) string {
		return `{"model":"claude","content":[],` + more + `,"id":"m"}`
	}
	grounded := func(model, metadata string) string {
		return `{"candidates":[{"content":{},"groundingMetadata":` + metadata + `}],"modelVersion":"` + model + `","usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1}}`
	}
	event := func(metadata string) string { return "data: " + grounded("gemini-3-pro", metadata) + "\n\n" }
	search := `{"type":"web_search_call","id":"a","status":"completed","action":{"type":"search","query":"\"x\"}"}}`
	early := `{"action":{"query":"x","type":"search","sources":[{"type":"url"}]},"type":"web_search_call"}`
	message := `{"type":"message","content":[{"type":"output_text","text":"web_search_call"}],"status":"completed"}`
	for name, tt := range map[string]struct {
		url, text string
		want      int64 // -1 is unpriced
	}{
		"no tool":                        {responses, response(message), tokens},
		"two searches":                   {responses, response(search, message, early), tokens + 20_000_000},
		"the older search":               {responses, strings.Replace(response(search), "web_search\"}]", "web_search_preview_2025_03_11\"},{\"type\":\"function\"}]", 1), tokens + 25_000_000},
		"a stream's older search":        {responses, strings.Replace(completed(search), "web_search\"}]", "web_search_preview\"}]", 1), tokens + 25_000_000},
		"a search without an action":     {responses, response(`{"type":"web_search_call","status":"completed"}`), tokens + 10_000_000},
		"opened pages are free":          {responses, response(search, `{"type":"web_search_call","action":{"type":"open_page"}}`, `{"type":"web_search_call","action":{"type":"find_in_page"}}`), tokens + 10_000_000},
		"a search that failed":           {responses, response(`{"type":"web_search_call","status":"failed"}`), tokens},
		"a call of the user's own":       {responses, response(`{"type":"function_call","name":"web_search_call"}`, `{"type":"mcp_call"}`), tokens},
		"files":                          {responses, response(`{"type":"file_search_call","results":null}`), tokens + 2_500_000},
		"code":                           {responses, response(`{"type":"code_interpreter_call","container_id":"c"}`), -1},
		"pictures of another model":      {responses, response(`{"type":"image_generation_call","result":"` + strings.Repeat("A", 200_000) + `"}`), -1},
		"a stream":                       {responses, completed(search, message, early), tokens + 20_000_000},
		"a stream with a long answer":    {responses, completed(search, `{"type":"message","content":"`+strings.Repeat("x", 300_000)+`"}`), tokens + 10_000_000},
		"a model that always searches":   {chatURL, `{"model":"gpt-4o-search-preview-2025-03-11","usage":{"prompt_tokens":1,"completion_tokens":1}}`, tokens + 25_000_000},
		"its price is not known":         {chatURL, `{"model":"gpt-5-search-api","usage":{"prompt_tokens":1,"completion_tokens":1}}`, -1},
		"Anthropic's searches":           {messages, claude(`"usage":{"input_tokens":1,"output_tokens":1,"server_tool_use":{"web_search_requests":2}}`), tokens + 20_000_000},
		"fetching is free":               {messages, claude(`"usage":{"input_tokens":1,"output_tokens":1,"server_tool_use":{"web_fetch_requests":2}}`), tokens},
		"code is charged by time":        {messages, claude(`"container":{"id":"c"},"usage":{"input_tokens":1,"output_tokens":1}`), -1},
		"no container":                   {messages, claude(`"container":null,"usage":{"input_tokens":1,"output_tokens":1}`), tokens},
		"code that searches is free":     {messages, claude(`"container":{"id":"c"},"usage":{"input_tokens":1,"output_tokens":1,"server_tool_use":{"web_search_requests":1}}`), tokens + 10_000_000},
		"Gemini 2 by the request":        {gemini + "gemini-2.5-flash:generateContent", grounded("gemini-2.5-flash", `{"webSearchQueries":["a","b"]}`), tokens + 35_000_000},
		"Gemini 3 by the search":         {gemini + "gemini-3-pro:generateContent", grounded("gemini-3-pro", `{"webSearchQueries":["a","b"]}`), tokens + 28_000_000},
		"Gemini that did not search":     {gemini + "gemini-3-pro:generateContent", grounded("gemini-3-pro", `{}`), tokens},
		"Gemini's price is not known":    {gemini + "gemini-unpriced:generateContent", grounded("gemini-unpriced", `{"webSearchQueries":["a"]}`), -1},
		"Gemini's maps":                  {gemini + "gemini-unpriced:generateContent", grounded("gemini-unpriced", `{"groundingChunks":[{"maps":{"uri":"x"}}]}`), -1},
		"Gemini's stream of one array":   {gemini + "gemini-3-pro:streamGenerateContent", "[" + grounded("gemini-3-pro", `{"webSearchQueries":["a"]}`) + "," + grounded("gemini-3-pro", `{}`) + "]", tokens + 14_000_000},
		"Gemini's stream, within it":     {gemini + "gemini-3-pro:streamGenerateContent", strings.Repeat(event(`{}`), 10) + event(`{"webSearchQueries":["a"]}`) + strings.Repeat(event(`{}`), 10), tokens + 14_000_000},
		"xAI's sources":                  {"https://api.x.ai/v1/chat/completions", `{"model":"grok","usage":{"prompt_tokens":1,"completion_tokens":1,"num_sources_used":3}}`, -1},
		"xAI without sources":            {"https://api.x.ai/v1/chat/completions", `{"model":"grok","usage":{"prompt_tokens":1,"completion_tokens":1,"num_sources_used":0}}`, tokens},
		"Perplexity's fee of a request":  {"https://api.perplexity.ai/chat/completions", `{"model":"sonar","usage":{"prompt_tokens":1,"completion_tokens":1}}`, tokens + 12_000_000},
		"Perplexity says what it cost":   {"https://api.perplexity.ai/chat/completions", `{"model":"sonar","usage":{"prompt_tokens":1,"completion_tokens":1,"cost":{"request_cost":0.005,"total_cost":0.005002}}}`, 5_002_000},
		"Perplexity's model without fee": {"https://api.perplexity.ai/chat/completions", `{"model":"r1","usage":{"prompt_tokens":1,"completion_tokens":1}}`, tokens},
	} {
		t.Run(name, func(t *testing.T) {
			table, err := price.Parse([]byte(toolPrices))
			if err != nil {
				t.Fatal(err)
			}
			kind := "application/json"
			if strings.HasPrefix(tt.text, "data:") {
				kind = "text/event-stream"
			}
			p, rec := instrumenttest.New(t)
			ctx, job := p.StartJob(t.Context(), "job")
			f := newFake(t, says(200, kind, tt.text), aihttp.WithPrices(table))
			if text, err := f.post(ctx, tt.url, `{}`); err != nil || text != tt.text {
				t.Errorf("%d bytes, %v", len(text), err)
			}
			job.End(nil)
			unpriced := rec.Counter(vp("api_unpriced_total"), attribute.String("reason", "unit"))
			if got := int64(cost(rec)); got != max(tt.want, 0) || (unpriced == 1) != (tt.want < 0) {
				t.Errorf("cost %d, %v unpriced, want %d", got, unpriced, tt.want)
			}
		})
	}
}
