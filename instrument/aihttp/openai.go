package aihttp

import (
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
	case strings.HasSuffix(path, "/responses"), strings.HasSuffix(path, "/responses/compact"):
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

	gotGroq   = gotInner     // usage as Groq has it in streams
	gotChoice = gotInner + 1 // usage as Moonshot has it in streams
	gotPages  = gotInner + 2 // usage as Mistral has it of documents
)

var openAIAnswer = wire.NewTree("model", "service_tier", "usage", "duration", "id", "x_groq.usage", "choices.*.usage", "usage_info")

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
		transcription: of("transcription", readOpenAITranscription), speech: of("speech", readOpenAISpeech), images: of("image_generation", readOpenAIImages),
	}
	switch name {
	case "openai", "azure.ai.openai", "litellm", "groq", "deepseek", "together", "fireworks", "x_ai":
		e.chat.tellsUsage = true
	}
	e.chat.whole, e.chat.last = wire.NewNeedle(`"usage":`), openAIDone
	e.chat.asked = openAIChatAsked
	e.responses.answer, e.responses.item = openAIResponse, readOpenAIItem
	e.transcription.form = []string{"model", "response_format", "stream"}
	e.images.form = []string{"model", "n", "size", "quality"}
	e.transcription.needles = []string{`_tokens"`, `seconds"`}
	e.transcription.asked = openAIHeard
	e.speech.asked = openAISpoken
	e.images.asked = openAIDrawn
	return e
}

// openAIDone reports whether an event is the last one of a stream of chat completions.
func openAIDone(event []byte) bool { return string(event) == "[DONE]" }

// openAILast reports whether an event is the last one of a stream.
func openAILast(event []byte) bool {
	if openAIDone(event) {
		return true
	}
	switch string(typeOf(event)) {
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
	for _, other := range [...]int{gotGroq, gotChoice} {
		if usage.Null() {
			usage = v.Value(other)
		}
	}
	if !usage.Null() {
		x.tokens(tokensOf(x, usage, "prompt_tokens", "completion_tokens"))
		x.compatible(usage)
	}
}

// tokensOf returns the figures of a usage that names those of input and output so.
func tokensOf(x *exchange, usage wire.Value, input, output string) tokens {
	in, out := usage.Get(input+"_details"), usage.Get(output+"_details")
	cached := in.Get("cached_tokens_details")
	return tokens{
		input: usage.Get(input), output: usage.Get(output), total: usage.Get("total_tokens"), reasoning: out.Get("reasoning_tokens"),
		cached:  firstOf(in.Get("cached_tokens"), usage.Get("cached_tokens"), usage.Get("prompt_cache_hit_tokens"), usage.Get("num_cached_tokens")),
		written: in.Get("cache_write_tokens"), audioIn: in.Get("audio_tokens"), imageIn: in.Get("image_tokens"),
		audioOut: out.Get("audio_tokens"), imageOut: out.Get("image_tokens"),
		cachedAudio: cached.Get("audio_tokens"), cachedImage: cached.Get("image_tokens"),
		apart: x.ep.provider == "x_ai" && input == "prompt_tokens",
	}
}

// firstOf returns the first value that is one.
func firstOf(values ...wire.Value) wire.Value {
	for _, v := range values {
		if !v.Null() {
			return v
		}
	}
	return nil
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
	x.tokens(tokensOf(x, usage, "input_tokens", "output_tokens"))
	x.compatible(usage)
	x.addTools()
}

func readOpenAITranscription(x *exchange, v *wire.JSON) {
	x.saw(v.Value(gotModel), nil)
	usage := v.Value(gotUsage)
	switch {
	case usage.Null():
		x.heard(v.Value(gotDuration))
		switch x.ep.provider {
		case "openai", "azure.ai.openai", "litellm": // who bill begun seconds
			if part := x.usage.Of(price.Audio) % int64(time.Second); x.hasUsage && part > 0 {
				x.usage.Add(price.Audio, int64(time.Second)-part)
			}
		}
	case usage.Get("type").Is("duration"):
		x.heard(usage.Get("seconds"))
	case !usage.Get("input_tokens").Null():
		t := tokensOf(x, usage, "input_tokens", "output_tokens")
		in := usage.Get("input_token_details")
		if !in.Null() {
			t.audioIn, t.cached = in.Get("audio_tokens"), in.Get("cached_tokens")
		}
		x.tokens(t)
		x.unsplit = in.Null() && usage.Get("input_tokens_details").Null()
	default:
		x.tokens(tokensOf(x, usage, "prompt_tokens", "completion_tokens"))
		x.compatible(usage)
	}
}

// openAIHeard prices what a transcription has used by the measure that the table has a price for:
// Mistral tells a length beside tokens.
func openAIHeard(x *exchange) {
	openAIAsked(x)
	if x.unsplit && x.hasUsage { // text or sound: it is only known if they cost the same
		sound := price.Usage{Provider: x.ep.provider, Model: x.pricedModel(), Tier: x.tier}
		text := sound
		sound.Add(price.InputAudio, x.usage.Of(price.Input))
		text.Add(price.Input, x.usage.Of(price.Input))
		a, errA := x.t.prices.Cost(sound)
		b, errB := x.t.prices.Cost(text)
		if errA == nil && (errB != nil || a != b) {
			x.bad = string(price.UnknownUnit)
		}
	}
	if !x.hasUsage || !x.usage.Given(price.Audio) || !x.usage.Given(price.Input) {
		return
	}
	var length, tokens price.Usage
	length.Add(price.Audio, x.usage.Of(price.Audio))
	for unit := price.Unit(0); unit.Valid(); unit++ {
		if n := x.usage.Of(unit); n > 0 && unit != price.Audio {
			tokens.Add(unit, n)
		}
	}
	x.choose(x.usage, length, tokens)
}

// readOpenAISpeech reads an event of a stream of speech: all output is sound.
func readOpenAISpeech(x *exchange, v *wire.JSON) {
	x.saw(v.Value(gotModel), nil)
	if usage := v.Value(gotUsage); !usage.Null() {
		t := tokensOf(x, usage, "input_tokens", "output_tokens")
		t.audioOut = t.output
		x.tokens(t)
	}
}

func readOpenAIImages(x *exchange, v *wire.JSON) {
	x.saw(v.Value(gotModel), nil)
	usage := v.Value(gotUsage)
	if usage.Null() {
		return
	}
	t := tokensOf(x, usage, "input_tokens", "output_tokens")
	if t.imageOut.Null() { // all that the model has drawn
		t.imageOut = t.output
	}
	x.tokens(t)
	x.compatible(usage)
}

// openAISpoken prices speech by the characters of the request, unless the answer has tokens and the
// table a price for them.
func openAISpoken(x *exchange) {
	openAIAsked(x)
	if x.sent == nil || x.sent.TooBig() {
		return
	}
	text := x.sent.Value(sentInput)
	if x.hasUsage {
		var characters price.Usage
		characters.Add(price.Characters, text.Runes())
		x.choose(x.usage, characters)
		return
	}
	x.used(price.Characters, text.Runes(), len(text) > 1)
}

// openAIDrawn prices images by their number, size and quality, unless the answer has tokens and the
// table a price for them.
func openAIDrawn(x *exchange) {
	openAIAsked(x)
	n, ok := wire.ParseDecimal(x.sentText(sentN, "n"), 0)
	if !ok {
		n = 1
	}
	size, quality := x.sentText(sentSize, "size"), x.sentText(sentQuality, "quality")
	if size == "" || size == "auto" {
		size = "1024x1024"
	}
	if quality == "" || quality == "auto" {
		quality = "standard"
	}
	drawn := price.Usage{Variant: size + "/" + quality}
	drawn.Add(price.Images, n)
	if x.hasUsage {
		x.choose(x.usage, drawn)
		return
	}
	x.usage, x.hasUsage = drawn, true
}
