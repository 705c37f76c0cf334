package aihttp

import (
	"net/http"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
	"github.com/stagemeter/stagemeter/instrument/price"
)

var groq = func() *provider {
	p := compatible("groq", "api.groq.com")
	e := openAIFor("groq")
	e.transcription.asked = func(x *exchange) {
		openAIAsked(x)
		if n := x.usage.Of(price.Audio); n > 0 && n < int64(10*time.Second) { // a request costs at least 10 s
			x.usage.Add(price.Audio, int64(10*time.Second)-n)
		}
	}
	p.endpoint = e.of
	return p
}()

var deepgram = func() *provider {
	listen := &endpoint{
		provider: "deepgram", operation: "transcription", answer: wire.NewTree("metadata"),
		asked: func(x *exchange) { x.askedModel = x.url.Query().Get("model") },
		read: func(x *exchange, v *wire.JSON) {
			about := v.Value(0)
			if about.Get("duration").Null() {
				return
			}
			ns, ok := about.Get("duration").Decimal(9)
			if channels, has := about.Get("channels").Int(); has && channels > 1 && x.url.Query().Get("multichannel") == "true" {
				ns *= channels
			}
			x.used(price.Audio, ns, ok)
		},
	}
	speak := &endpoint{
		provider: "deepgram", operation: "speech", request: wire.NewTree("text"),
		asked: func(x *exchange) {
			x.askedModel = x.url.Query().Get("model")
			x.spoken(0)
		},
		head: func(x *exchange, h http.Header) { x.characters(h.Get("Dg-Char-Count")) },
	}
	return &provider{name: "deepgram", hosts: []string{"api.deepgram.com", ".deepgram.com"}, endpoint: func(r *http.Request) *endpoint {
		switch {
		case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/v1/listen"):
			return listen
		case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/v1/speak"):
			return speak
		}
		return nil
	}}
}()

var elevenLabs = func() *provider {
	speak := &endpoint{
		provider: "elevenlabs", operation: "speech", request: wire.NewTree("text", "model_id"),
		asked: func(x *exchange) {
			if x.askedModel = x.sentText(1, ""); x.askedModel == "" {
				x.askedModel = "eleven_multilingual_v2"
			}
			x.spoken(0)
		},
		head: func(x *exchange, h http.Header) {
			if x.characters(h.Get("Character-Cost")); !x.hasUsage {
				x.characters(h.Get("X-Character-Count"))
			}
		},
	}
	listen := &endpoint{
		provider: "elevenlabs", operation: "transcription", form: []string{"model_id"},
		asked: func(x *exchange) { x.askedModel = x.sentText(0, "model_id") },
	}
	return &provider{name: "elevenlabs", hosts: []string{"api.elevenlabs.io", ".elevenlabs.io"}, endpoint: func(r *http.Request) *endpoint {
		switch {
		case r.Method != http.MethodPost:
			return nil
		case strings.Contains(r.URL.Path, "/v1/text-to-speech/"):
			return speak
		case strings.HasSuffix(r.URL.Path, "/v1/speech-to-text"):
			return listen
		}
		return nil
	}}
}()

// characters takes a number of characters that an answer's head tells.
func (x *exchange) characters(text string) {
	if n, ok := wire.ParseDecimal(text, 0); ok && text != "" {
		x.used(price.Characters, n, true)
	}
}

// spoken takes the characters of the request's text, unless the answer has told them.
func (x *exchange) spoken(path int) {
	if !x.hasUsage && x.sent != nil && !x.sent.TooBig() && !x.sent.Value(path).Null() {
		x.used(price.Characters, x.sent.Value(path).Runes(), true)
	}
}
