package aihttp

import (
	"net/http"
	"strings"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// elevenLabs bills characters of text, which the answer's head tells, and the length of audio. An
// answer to a request with a webhook has no length: it is the hint's, or unknown.
var elevenLabs = func() *provider {
	speak := &endpoint{
		provider: "elevenlabs", operation: "speech", request: wire.NewTree("text", "model_id", "inputs"),
		asked: func(x *exchange) {
			if x.askedModel = x.sentText(1, ""); x.askedModel == "" {
				x.askedModel = "eleven_multilingual_v2"
				if strings.Contains(x.url.Path, "/text-to-dialogue") {
					x.askedModel = "eleven_v3"
				}
			}
			x.spoken(0)
			if inputs := x.sentValue(2); !x.hasUsage && !inputs.Null() {
				n := int64(0)
				inputs.Each(func(_ []byte, input wire.Value) bool {
					n += input.Get("text").Runes()
					return true
				})
				x.used(price.Characters, n, true)
			}
		},
		head: func(x *exchange, h http.Header) {
			if x.characters(h.Get("Character-Cost")); !x.hasUsage {
				x.characters(h.Get("X-Character-Count"))
			}
		},
	}
	other := &endpoint{ // which may tell its price in the same way
		provider: "elevenlabs", operation: "media_generation", form: []string{"model_id"}, request: wire.NewTree("model_id"), head: speak.head,
		asked: func(x *exchange) {
			if x.askedModel = x.sentText(0, "model_id"); x.askedModel == "" {
				_, path, _ := strings.Cut(x.url.Path, "/v1/")
				x.askedModel, _, _ = strings.Cut(path, "/")
			}
		},
	}
	listen := &endpoint{
		provider: "elevenlabs", operation: "transcription", form: []string{"model_id"}, answer: wire.NewTree("audio_duration_secs", "transcripts.*.audio_duration_secs"),
		asked: func(x *exchange) { x.askedModel = x.sentText(0, "model_id") },
		read: func(x *exchange, v *wire.JSON) {
			x.heard(v.Value(1))
			x.heard(v.Value(0))
		},
	}
	return &provider{name: "elevenlabs", hosts: []string{"api.elevenlabs.io", ".elevenlabs.io"}, endpoint: func(r *http.Request) *endpoint {
		switch {
		case r.Method != http.MethodPost:
			return nil
		case strings.Contains(r.URL.Path, "/v1/text-to-speech/"), strings.Contains(r.URL.Path, "/v1/text-to-dialogue"):
			return speak
		case strings.HasSuffix(r.URL.Path, "/v1/speech-to-text"):
			return listen
		}
		_, path, _ := strings.Cut(r.URL.Path, "/v1/")
		switch kind, _, _ := strings.Cut(path, "/"); kind {
		case "speech-to-speech", "sound-generation", "music", "audio-isolation", "text-to-voice", "dubbing":
			return other
		}
		return nil
	}}
}()
