package aihttp

import (
	"net/http"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// compatible is a provider whose API is OpenAI's, and maybe Anthropic's beside it.
func compatible(name string, hosts ...string) *provider {
	e, messages := openAIFor(name), anthropicFor(name)
	return &provider{name: name, hosts: hosts, endpoint: func(r *http.Request) *endpoint {
		if ep := ofAnthropic(r, messages); ep != nil {
			return ep
		}
		return e.of(r)
	}}
}

var (
	azure      = compatible("azure.ai.openai", ".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")
	openRouter = reporting("openrouter", "openrouter.ai", ".openrouter.ai")
	liteLLM    = reporting("litellm") // by WithHost
)

var others = []*provider{
	compatible("deepseek", "api.deepseek.com"), mistral, compatible("x_ai", "api.x.ai", ".api.x.ai"),
	compatible("together", "api.together.xyz", "api.together.ai"), compatible("fireworks", "api.fireworks.ai", ".fireworks.ai"),
	perplexity, compatible("cerebras", "api.cerebras.ai"), compatible("moonshot_ai", "api.moonshot.ai", "api.moonshot.cn"),
}

// compatible takes what usages of OpenAI's shape have beside tokens at other providers.
func (x *exchange) compatible(usage wire.Value) {
	switch x.ep.provider {
	case "x_ai":
		if ticks := usage.Get("cost_in_usd_ticks"); !ticks.Null() { // ten of which are a nano-dollar
			x.report(ticks.Decimal(-1))
		}
		x.add(price.WebSearch, usage.Get("num_sources_used"))
	case "perplexity":
		x.add(price.WebSearch, usage.Get("num_search_queries"))
		if n, ok := usage.Get("citation_tokens").Int(); ok && n > 0 && !x.isReported { // at a rate that no table has
			x.bad = string(price.UnknownUnit)
		}
	case "mistral_ai":
		if length := usage.Get("prompt_audio_seconds"); len(length) > 0 && length[0] != '{' && !length.Null() {
			ns, ok := length.Decimal(9)
			if x.used(price.Audio, ns, ok); ns == 0 && !x.usage.Given(price.Input) {
				x.hasUsage = false
			}
		}
	}
}

// add adds a number of a unit to a usage that is known.
func (x *exchange) add(unit price.Unit, v wire.Value) {
	if v.Null() || !x.hasUsage {
		return
	}
	if n, ok := v.Int(); !ok || n > mostTokens {
		x.bad = reasonMalformed
	} else if n > 0 {
		x.usage.Add(unit, n)
	}
}

// report takes what the provider says it has charged, in nano-dollars.
func (x *exchange) report(nano int64, ok bool) {
	if !ok || usd(nano).Validate() != nil {
		x.bad, x.isReported = reasonMalformed, false
		return
	}
	x.reported, x.isReported = usd(nano), true
}
