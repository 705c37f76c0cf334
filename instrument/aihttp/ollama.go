package aihttp

import (
	"net/http"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// Servers of the user's own have no host that is known: [WithHost] names it. They cost time × rate if
// the model's row has a price of compute, else tokens, or nothing if the row says free. The time is
// what Ollama says it took, or else that from the request to the end of the answer, so that calls at
// the same time each cost it: such a rate is the machine's, divided by how many it serves at once.
var (
	ollama = ownServer("ollama")
	vLLM   = ownServer("vllm")
)

func ownServer(name string) *provider {
	openAI := openAIFor(name)
	for _, ep := range []*endpoint{openAI.chat, openAI.responses, openAI.embeddings, openAI.transcription, openAI.speech, openAI.images} {
		asked := ep.asked
		ep.asked = func(x *exchange) {
			asked(x)
			x.byTime(time.Since(x.began))
		}
	}
	native := &endpoint{
		provider: name, operation: "chat", request: wire.NewTree("model"),
		answer: wire.NewTree("model", "total_duration", "prompt_eval_count", "eval_count"),
		asked: func(x *exchange) {
			x.askedModel = x.sentText(0, "")
			took := time.Since(x.began)
			if x.took > 0 {
				took = x.took
			}
			x.byTime(took)
		},
		read: func(x *exchange, v *wire.JSON) {
			x.saw(v.Value(0), nil)
			if ns, ok := v.Value(1).Int(); ok && !v.Value(1).Null() {
				x.took = time.Duration(ns)
			}
			t := tokens{input: v.Value(2), output: v.Value(3)}
			switch { // what it had in its cache, or did not write, it does not tell
			case t.input.Null() == t.output.Null():
			case t.input.Null():
				t.input = wire.Value("0")
			default:
				t.output = wire.Value("0")
			}
			x.tokens(t)
		},
	}
	return &provider{name: name, endpoint: func(r *http.Request) *endpoint {
		switch path := strings.TrimSuffix(r.URL.Path, "/"); {
		case r.Method != http.MethodPost:
			return nil
		case strings.HasSuffix(path, "/api/chat"), strings.HasSuffix(path, "/api/generate"), strings.HasSuffix(path, "/api/embed"):
			return native
		}
		return openAI.of(r)
	}}
}

// byTime takes the time of a machine if the table prices it.
func (x *exchange) byTime(took time.Duration) {
	var machine price.Usage
	machine.Add(price.Compute, int64(took))
	x.choose(machine, x.usage)
}
