package aihttp

import (
	"net/http"
	"strings"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
)

// Options of a transcript that may have a price of their own.
var assemblyAIOptions = []string{
	"speaker_labels", "auto_chapters", "auto_highlights", "content_safety", "entity_detection", "iab_categories", "redact_pii",
	"redact_pii_audio", "sentiment_analysis", "summarization", "filter_profanity", "custom_topics",
}

// assemblyAI bills seconds of audio of transcripts that were completed: an answer tells them once the
// job is over.
var assemblyAI = func() *provider {
	paths := append([]string{"id", "status", "audio_duration", "speech_model_used", "speech_model", "speech_models"}, assemblyAIOptions...)
	read := func(x *exchange, v *wire.JSON) {
		state := jobPending
		switch v.Value(1).Text() {
		case "completed":
			state = jobDone
		case "error":
			state = jobFailed
		}
		x.is(v.Value(0).Text(), state)
		x.heard(v.Value(2))
		x.model = firstText(v.Value(3), v.Value(4), v.Value(5))
		x.extras = nil
		for i, option := range assemblyAIOptions {
			if string(v.Value(6+i)) == "true" {
				x.extras = append(x.extras, option)
			}
		}
	}
	asked := func(x *exchange) {
		if x.askedModel = firstText(x.sentValue(3), x.sentValue(4), x.sentValue(5)); x.askedModel == "" {
			x.askedModel = x.pick("universal", "best") // what is meant without a model
		}
	}
	tree := wire.NewTree(paths...)
	create := &endpoint{provider: "assemblyai", operation: "transcription", request: tree, answer: tree, asked: asked, read: read, job: true}
	poll := &endpoint{provider: "assemblyai", operation: "transcription", answer: tree, asked: asked, read: read, job: true, poll: true}
	gateway := openAIFor("assemblyai")
	return &provider{name: "assemblyai", hosts: []string{"api.assemblyai.com", ".assemblyai.com"}, endpoint: func(r *http.Request) *endpoint {
		switch path := r.URL.Path; {
		case r.Method == http.MethodPost && strings.HasSuffix(path, "/v2/transcript"):
			return create
		case r.Method == http.MethodGet && isLast(path, "/v2/transcript/"):
			return poll
		}
		return gateway.of(r)
	}}
}()

// firstText returns the first of several values that is a text, or a list that begins with one.
func firstText(values ...wire.Value) string {
	for _, v := range values {
		s := v.Text()
		v.Each(func(key []byte, item wire.Value) bool {
			if key == nil {
				s = item.Text()
			}
			return false
		})
		if s != "" {
			return s
		}
	}
	return ""
}

// isLast reports whether a path ends with a folder and one name in it.
func isLast(path, folder string) bool {
	_, name, ok := strings.Cut(path, folder)
	return ok && name != "" && !strings.Contains(name, "/")
}
