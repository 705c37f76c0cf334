package aihttp

import (
	"net/http"
	"strings"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// compatible is a provider whose API is OpenAI's.
func compatible(name string, hosts ...string) *provider {
	return &provider{name: name, hosts: hosts, endpoint: openAIFor(name).of}
}

var (
	azure      = compatible("azure.ai.openai", ".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")
	openRouter = reporting("openrouter", "openrouter.ai", ".openrouter.ai")
	liteLLM    = reporting("litellm") // by WithHost
)

var others = []*provider{
	compatible("deepseek", "api.deepseek.com"), compatible("mistral_ai", "api.mistral.ai"), compatible("x_ai", "api.x.ai"),
	compatible("together", "api.together.xyz", "api.together.ai"), compatible("fireworks", "api.fireworks.ai"),
	perplexity, compatible("cerebras", "api.cerebras.ai"), compatible("moonshot_ai", "api.moonshot.ai"),
}

// perplexity charges for each request beside its tokens. Its answers say what they cost.
var perplexity = func() *provider {
	e := openAIFor("perplexity")
	read := e.chat.read
	e.chat.read = func(x *exchange, v *wire.JSON) {
		read(x, v)
		if total := v.Value(gotUsage).Get("cost", "total_cost"); !total.Null() {
			nano, ok := total.Decimal(9)
			if x.reported, x.isReported = usd(nano), ok; !ok {
				x.bad = reasonMalformed
			}
		}
	}
	e.chat.asked = func(x *exchange) {
		if openAIAsked(x); x.hasUsage {
			with := x.usage
			with.Add(price.Requests, 1)
			x.choose(with, x.usage)
		}
	}
	e.chat.fee = true
	return &provider{name: "perplexity", hosts: []string{"api.perplexity.ai"}, endpoint: e.of}
}()

// reporting is a provider that says what it has charged.
func reporting(name string, hosts ...string) *provider {
	e := openAIFor(name)
	for _, ep := range []*endpoint{e.chat, e.responses, e.embeddings, e.transcription, e.speech, e.images} {
		read := ep.read
		ep.needles = append([]string{`"cost"`}, ep.needles...)
		ep.read = func(x *exchange, v *wire.JSON) {
			read(x, v)
			usage := v.Value(gotUsage)
			if ep == e.responses {
				usage = ofResponse(v, gotUsage)
			}
			x.takeReported(usage)
		}
		ep.head = takeReportedHeader
	}
	messages := anthropicFor(name)
	read := messages.read
	messages.read = func(x *exchange, v *wire.JSON) { read(x, v); x.takeReported(v.Value(1)) }
	messages.head = takeReportedHeader
	return &provider{name: name, hosts: hosts, endpoint: func(r *http.Request) *endpoint {
		if ep := ofAnthropic(r, messages); ep != nil {
			return ep
		}
		return e.of(r)
	}}
}

// takeReported takes the cost in an answer's usage. For a call with the user's own key, the cost is
// the fee, and what the key's owner pays is beside it.
func (x *exchange) takeReported(usage wire.Value) {
	cost := usage.Get("cost")
	if cost.Null() {
		return
	}
	nano, ok := cost.Decimal(9)
	if upstream := usage.Get("cost_details", "upstream_inference_cost"); ok && !upstream.Null() && string(usage.Get("is_byok")) == "true" {
		var more int64
		if more, ok = upstream.Decimal(9); ok && nano+more >= 0 {
			nano += more
		}
	}
	if !ok {
		x.bad = reasonMalformed
		return
	}
	x.reported, x.isReported = usd(nano), true
}

// takeReportedHeader takes the cost that LiteLLM has in the answer's head.
func takeReportedHeader(x *exchange, h http.Header) {
	text := h.Get("X-Litellm-Response-Cost")
	if text == "" || strings.EqualFold(text, "none") {
		return
	}
	if nano, ok := wire.ParseDecimal(text, 9); ok {
		x.reported, x.isReported = usd(nano), true
	}
}
