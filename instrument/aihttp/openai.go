package aihttp

import (
	"bytes"
	"net/http"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
	"github.com/stagemeter/stagemeter/instrument/price"
)

var openAI = &provider{name: "openai", hosts: []string{"api.openai.com", ".api.openai.com"}, endpoint: openAIEndpoint}

var openAIEndpoints = openAIFor("openai")

// openAIEndpoint returns the endpoint of a path that ends as OpenAI's do, whatever a proxy has put
// before it.
func openAIEndpoint(r *http.Request) *endpoint { return openAIEndpoints.of(r) }

// endpoints are those of OpenAI's API at one provider.
type endpoints struct {
	chat, responses, embeddings, transcription, speech, images *endpoint
}

func (e *endpoints) of(r *http.Request) *endpoint {
	if r.Method != http.MethodPost {
		return nil
	}
	path := strings.TrimSuffix(r.URL.Path, "/")
	switch {
	case strings.HasSuffix(path, "/chat/completions"), strings.HasSuffix(path, "/completions"):
		return e.chat
	case strings.HasSuffix(path, "/responses"):
		return e.responses
	case strings.HasSuffix(path, "/embeddings"):
		return e.embeddings
	case strings.HasSuffix(path, "/audio/transcriptions"), strings.HasSuffix(path, "/audio/translations"):
		return e.transcription
	case strings.HasSuffix(path, "/audio/speech"):
		return e.speech
	case strings.HasSuffix(path, "/images/generations"), strings.HasSuffix(path, "/images/edits"), strings.HasSuffix(path, "/images/variations"):
		return e.images
	}
	return nil
}

// Paths of what is read.
const (
	sentModel = iota
	sentStream
	sentTier
	sentInput
	sentN
	sentSize
	sentQuality
	sentMaxTokens
	sentMaxCompletion
	sentMaxOutput
)

var openAIRequest = wire.NewTree("model", "stream", "service_tier", "input", "n", "size", "quality", "max_tokens", "max_completion_tokens", "max_output_tokens")

var openAILimits = map[string]int{
	"n": sentN, "max_tokens": sentMaxTokens, "max_completion_tokens": sentMaxCompletion, "max_output_tokens": sentMaxOutput,
}

const (
	gotModel = iota
	gotTier
	gotUsage
	gotDuration
	gotID
	gotInner // of an event, which has the same of its response
)

var openAIAnswer = wire.NewTree("model", "service_tier", "usage", "duration", "id")

// openAIResponse reads a response, or an event that has one.
var openAIResponse = withItems("model", "service_tier", "usage", "duration", "id", "response.model", "response.service_tier", "response.usage", "response.duration", "response.id")

var tokenNeedles = []string{`_tokens"`}

func openAIFor(name string) *endpoints {
	of := func(operation string, read func(*exchange, *wire.JSON)) *endpoint {
		return &endpoint{
			provider: name, operation: operation, request: openAIRequest, answer: openAIAnswer, needles: tokenNeedles,
			limits: openAILimits, asked: openAIAsked, read: read, last: openAILast,
		}
	}
	e := &endpoints{
		chat: of("chat", readOpenAIChat), responses: of("chat", readOpenAIResponses), embeddings: of("embeddings", readOpenAIChat),
		transcription: of("transcription", readOpenAITranscription), speech: of("speech", readOpenAITranscription), images: of("image_generation", readOpenAIImages),
	}
	switch name {
	case "openai", "azure.ai.openai", "litellm", "groq", "deepseek", "together", "fireworks", "x_ai":
		e.chat.tellsUsage = true
	}
	e.chat.whole = `"usage"`
	e.chat.asked = openAIChatAsked
	e.responses.answer, e.responses.item = openAIResponse, readOpenAIItem
	e.transcription.form = []string{"model", "response_format", "stream"}
	e.images.form = []string{"model", "n", "size", "quality"}
	e.transcription.needles = []string{`_tokens"`, `"seconds"`}
	e.speech.asked = openAISpoken
	e.images.asked = openAIDrawn
	return e
}

// openAILast reports whether an event is the last one of a stream.
func openAILast(event []byte) bool {
	if bytes.Equal(event, []byte("[DONE]")) {
		return true
	}
	word, first := bytes.CutPrefix(event, []byte(`{"type":"`))
	if first { // as OpenAI writes it
		word, _, first = bytes.Cut(word, []byte{'"'})
	}
	if !first {
		if !bytes.Contains(event, []byte(`"type"`)) {
			return false
		}
		word = bytes.Trim(wire.Value(event).Get("type"), `"`)
	}
	switch string(word) {
	case "response.completed", "response.failed", "response.incomplete", "transcript.text.done", "speech.audio.done",
		"image_generation.completed", "image_edit.completed":
		return true
	}
	return false
}

func openAIAsked(x *exchange) {
	x.askedModel = x.sentText(sentModel, "model")
	if x.tier == "" {
		x.tier = x.sentText(sentTier, "")
	}
}

func readOpenAIChat(x *exchange, v *wire.JSON) {
	x.sawID(v.Value(gotID))
	x.saw(v.Value(gotModel), v.Value(gotTier))
	usage := v.Value(gotUsage)
	if usage.Null() {
		return
	}
	in, out := usage.Get("prompt_tokens_details"), usage.Get("completion_tokens_details")
	x.tokens(tokens{
		input: usage.Get("prompt_tokens"), output: usage.Get("completion_tokens"),
		cached: in.Get("cached_tokens"), written: in.Get("cache_write_tokens"), audioIn: in.Get("audio_tokens"), imageIn: in.Get("image_tokens"),
		audioOut: out.Get("audio_tokens"), imageOut: out.Get("image_tokens"),
	})
	if n, ok := usage.Get("num_sources_used").Int(); ok && n > 0 { // of xAI's search
		x.usage.Add(price.WebSearch, n)
	}
}

// ofResponse returns a value of a response, whether the answer is one or an event that has one.
func ofResponse(v *wire.JSON, n int) wire.Value {
	if inner := v.Value(gotInner + n); !inner.Null() {
		return inner
	}
	return v.Value(n)
}

func readOpenAIResponses(x *exchange, v *wire.JSON) {
	x.sawID(ofResponse(v, gotID))
	x.saw(ofResponse(v, gotModel), ofResponse(v, gotTier))
	usage := ofResponse(v, gotUsage)
	if usage.Null() {
		return
	}
	in, out := usage.Get("input_tokens_details"), usage.Get("output_tokens_details")
	x.tokens(tokens{
		input: usage.Get("input_tokens"), output: usage.Get("output_tokens"),
		cached: in.Get("cached_tokens"), written: in.Get("cache_write_tokens"), audioIn: in.Get("audio_tokens"), imageIn: in.Get("image_tokens"),
		audioOut: out.Get("audio_tokens"), imageOut: out.Get("image_tokens"),
	})
	x.addTools()
}

func readOpenAITranscription(x *exchange, v *wire.JSON) {
	x.saw(v.Value(gotModel), nil)
	usage := v.Value(gotUsage)
	if usage.Null() {
		if length := v.Value(gotDuration); !length.Null() { // begun seconds are billed
			ns, ok := length.Decimal(9)
			x.usage = price.Usage{}
			x.used(price.Audio, int64((time.Duration(ns) + time.Second - 1).Truncate(time.Second)), ok)
		}
		return
	}
	if usage.Get("type").Is("duration") {
		ns, ok := usage.Get("seconds").Decimal(9)
		x.used(price.Audio, ns, ok)
		return
	}
	in := usage.Get("input_token_details")
	if in.Null() {
		in = usage.Get("input_tokens_details")
	}
	x.tokens(tokens{input: usage.Get("input_tokens"), output: usage.Get("output_tokens"), audioIn: in.Get("audio_tokens")})
}

func readOpenAIImages(x *exchange, v *wire.JSON) {
	x.saw(v.Value(gotModel), nil)
	usage := v.Value(gotUsage)
	if usage.Null() {
		return
	}
	in, out := usage.Get("input_tokens_details"), usage.Get("output_tokens_details")
	t := tokens{input: usage.Get("input_tokens"), output: usage.Get("output_tokens"), imageIn: in.Get("image_tokens"), imageOut: out.Get("image_tokens")}
	if out.Null() { // all that the model has drawn
		t.imageOut = t.output
	}
	x.tokens(t)
}

// openAISpoken prices speech by the characters of the request.
func openAISpoken(x *exchange) {
	openAIAsked(x)
	if !x.hasUsage && x.sent != nil && !x.sent.TooBig() {
		x.used(price.Characters, x.sent.Value(sentInput).Runes(), len(x.sent.Value(sentInput)) > 1)
	}
}

// openAIDrawn prices images by their number, size and quality if the answer has no tokens.
func openAIDrawn(x *exchange) {
	openAIAsked(x)
	if x.hasUsage {
		return
	}
	n, ok := wire.ParseDecimal(x.sentText(sentN, "n"), 0)
	if !ok {
		n = 1
	}
	size, quality := x.sentText(sentSize, "size"), x.sentText(sentQuality, "quality")
	if size == "" {
		size = "1024x1024"
	}
	if quality == "" {
		quality = "standard"
	}
	x.usage.Variant = size + "/" + quality
	x.used(price.Images, n, true)
}
