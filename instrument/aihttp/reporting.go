package aihttp

import (
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
)

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
		if ep := e.of(r); ep != nil || r.Method != http.MethodPost || name != "litellm" {
			return ep
		}
		return anyOfLiteLLM
	}}
}

// anyOfLiteLLM is any other request to LiteLLM, such as one to rank documents or one that it passes
// on. It is a call if the answer's head tells what it has cost.
var anyOfLiteLLM = &endpoint{
	provider: "litellm", operation: "request", poll: true,
	head: func(x *exchange, h http.Header) {
		if takeReportedHeader(x, h); !x.headCost {
			return
		}
		id := h.Get("X-Litellm-Call-Id")
		if id == "" {
			id = strconv.FormatInt(x.began.UnixNano(), 36)
		}
		x.is("call "+id, jobDone)
	},
}

// takeReported takes the cost in an answer's usage, unless the answer's head has told it. For a call
// with the user's own key, the cost is the fee, and what the key's owner pays is beside it.
func (x *exchange) takeReported(usage wire.Value) {
	cost := usage.Get("cost")
	if cost.Null() || x.isReported && x.headCost {
		return
	}
	if len(cost) > 0 && cost[0] == '{' {
		if cost = cost.Get("total_cost"); cost.Null() {
			return
		}
	}
	nano, ok := cost.Decimal(9)
	if parts := upstream(usage, nano); ok && parts != nil {
		nano, ok = sumOf(append(parts, cost)...)
	}
	x.report(nano, ok)
}

// upstream returns what the owner of a key is charged by the provider behind OpenRouter beside what
// OpenRouter has charged, or nil if nothing. Older answers have the figure only if the key is the
// user's own, and do not say so: the fee is less than it.
func upstream(usage wire.Value, charged int64) []wire.Value {
	byok := string(usage.Get("is_byok"))
	details := usage.Get("cost_details")
	cost := details.Get("upstream_inference_cost")
	if byok == "" && !cost.Null() {
		if nano, ok := cost.Decimal(9); !ok || nano > charged {
			byok = "true"
		}
	}
	switch {
	case byok != "true":
		return nil
	case !cost.Null():
		return []wire.Value{cost}
	}
	prompt, completions := details.Get("upstream_inference_prompt_cost"), details.Get("upstream_inference_completions_cost")
	if prompt.Null() || completions.Null() {
		return []wire.Value{wire.Value("unknown")}
	}
	return []wire.Value{prompt, completions}
}

// sumOf returns the sum of decimals in nano-dollars, rounded once.
func sumOf(values ...wire.Value) (int64, bool) {
	const digits = 15 // of which 6 are less than a nano-dollar
	var sum int64
	for _, v := range values {
		n, ok := v.Decimal(digits)
		if !ok || sum > math.MaxInt64-n {
			return 0, false
		}
		sum += n
	}
	return sum/1e6 + sum%1e6/5e5, true
}

// takeReportedHeader takes the cost that LiteLLM has in the answer's head. That of a stream is sent
// before anything was used: if it says 0, it is none.
func takeReportedHeader(x *exchange, h http.Header) {
	text := strings.TrimSpace(h.Get("X-Litellm-Response-Cost"))
	if text == "" || strings.EqualFold(text, "none") || strings.EqualFold(text, "null") {
		return
	}
	nano, ok := wire.ParseDecimal(text, 9)
	if ok && nano == 0 && strings.HasPrefix(strings.ToLower(h.Get("Content-Type")), "text/event-stream") {
		return
	}
	x.report(nano, ok)
	x.headCost = true
}
