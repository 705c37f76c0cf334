package aihttp

import (
	"math"
	"net/http"
	"net/url"
	"strings"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// deepgram bills seconds of audio as they are, for each channel if the request wants the channels
// apart. An answer to a request with a callback has no length: it is the hint's, or unknown.
var deepgram = func() *provider {
	listen := &endpoint{
		provider: "deepgram", operation: "transcription", answer: wire.NewTree("metadata"), asked: deepgramAsked, apart: "multichannel",
		read: func(x *exchange, v *wire.JSON) {
			about := v.Value(0)
			length := about.Get("duration")
			if length.Null() {
				return
			}
			ns, ok := length.Decimal(9)
			channels, has := about.Get("channels").Int()
			if has && channels > 1 && queryTrue(x.url.Query(), "multichannel") {
				ok = ok && ns < math.MaxInt64/channels
				ns *= channels
			}
			x.usage = price.Usage{}
			x.used(price.Audio, ns, ok)
			about.Get("model_info").Each(func(_ []byte, model wire.Value) bool {
				x.model = model.Get("arch").Text() // such as nova-3
				return false
			})
		},
	}
	speak := &endpoint{
		provider: "deepgram", operation: "speech", request: wire.NewTree("text"),
		asked: func(x *exchange) {
			if x.askedModel = x.url.Query().Get("model"); x.askedModel == "" {
				x.askedModel = "aura-asteria-en"
			}
			for _, family := range []string{"aura-2", "aura"} { // of voices, which have one price
				if strings.HasPrefix(x.askedModel, family+"-") {
					x.askedModel = x.pick(x.askedModel, family)
					break
				}
			}
			x.spoken(0)
		},
		head: func(x *exchange, h http.Header) { x.characters(h.Get("Dg-Char-Count")) },
	}
	text := &endpoint{
		provider: "deepgram", operation: "text_analysis", answer: wire.NewTree("metadata"),
		asked: func(x *exchange) { x.askedModel = "read" },
		read: func(x *exchange, v *wire.JSON) {
			v.Value(0).Each(func(_ []byte, part wire.Value) bool { // such as summary_info
				for field, unit := range map[string]price.Unit{"input_tokens": price.Input, "output_tokens": price.Output} {
					if n := part.Get(field); !n.Null() {
						count, ok := n.Int()
						x.used(unit, count, ok)
					}
				}
				return true
			})
		},
	}
	return &provider{name: "deepgram", hosts: []string{"api.deepgram.com", ".deepgram.com"}, endpoint: func(r *http.Request) *endpoint {
		switch {
		case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/v1/listen"):
			return listen
		case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/v1/speak"):
			return speak
		case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/v1/read"):
			return text
		}
		return nil
	}}
}()

// deepgramAsked takes the model, and the options that cost extra, of the query.
func deepgramAsked(x *exchange) {
	q := x.url.Query()
	x.askedModel = "base" // what is meant without a model
	if asked := q.Get("model"); asked != "" {
		x.askedModel, x.model = x.pick(asked, strings.TrimSuffix(asked, "-general")), ""
	}
	if q.Get("language") == "multi" {
		x.usage.Variant = "multi"
	}
	x.extras = nil
	for _, option := range []string{"diarize", "redact", "keyterm", "detect_entities", "sentiment", "summarize", "topics", "intents"} {
		if q.Has(option) && q.Get(option) != "false" {
			x.extras = append(x.extras, option)
		}
	}
}

func queryTrue(q url.Values, name string) bool { return strings.EqualFold(q.Get(name), "true") }
