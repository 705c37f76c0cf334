package aihttp

import (
	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// perplexity charges for each request beside its tokens. Its answers say what they cost.
var perplexity = func() *provider {
	e := openAIFor("perplexity")
	read := e.chat.read
	e.chat.read = func(x *exchange, v *wire.JSON) {
		read(x, v)
		if total := v.Value(gotUsage).Get("cost", "total_cost"); !total.Null() {
			x.report(total.Decimal(9))
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
