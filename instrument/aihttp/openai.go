package aihttp

import (
	"net/http"
	"strings"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
)

var openAI = &provider{name: "openai", hosts: []string{"api.openai.com", ".api.openai.com"}, endpoint: openAIEndpoint}

var openAIEndpoints = openAIFor("openai")

// openAIEndpoint returns the endpoint of a path that ends as OpenAI's do, whatever a proxy has put
// before it.
func openAIEndpoint(r *http.Request) *endpoint { return openAIEndpoints.of(r) }

// endpoints are those of OpenAI's API at one provider.
type endpoints struct {
	chat, responses, embeddings, transcription, speech, images *endpoint
	response                                                   *endpoint // asks after one that is made in the background
	batches                                                    *openAIBatches
}

func (e *endpoints) of(r *http.Request) *endpoint {
	if r.Method == http.MethodGet {
		if folder, _ := parentOf(r.URL.Path); strings.HasSuffix(folder, "/responses") {
			return e.response
		}
		return e.batches.of(r)
	}
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
	gotDuration // of sound; the status of a response
	gotID
	gotInner // of an event, which has the same of its response

	gotGroq   = gotInner     // usage as Groq has it in streams
	gotChoice = gotInner + 1 // usage as Moonshot has it in streams
	gotPages  = gotInner + 2 // usage as Mistral has it of documents
)

var openAIAnswer = wire.NewTree("model", "service_tier", "usage", "duration", "id", "x_groq.usage", "choices.*.usage", "usage_info")

// openAIResponse reads a response, or an event that has one.
var openAIResponse = withItems("model", "service_tier", "usage", "status", "id", "response.model", "response.service_tier", "response.usage", "response.status", "response.id")

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
		batches: openAIBatchesFor(name),
	}
	switch name {
	case "openai", "azure.ai.openai", "litellm", "groq", "deepseek", "together", "fireworks", "x_ai":
		e.chat.tellsUsage = true
	}
	e.chat.whole, e.chat.last = wire.NewNeedle(`"usage":`), openAIDone
	e.chat.asked = openAIChatAsked
	e.responses.answer, e.responses.item = openAIResponse, readOpenAIItem
	e.response = of("chat", readOpenAIBackground)
	e.response.answer, e.response.item, e.response.poll, e.response.asked = openAIResponse, readOpenAIItem, true, nil
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
		if x.events == nil && inBackground(v.Value(gotDuration)) {
			x.is(v.Value(gotID).Text(), jobPending)
		}
		return
	}
	x.tokens(tokensOf(x, usage, "input_tokens", "output_tokens"))
	x.compatible(usage)
	x.addTools()
}

// inBackground reports whether a response of this status is being made.
func inBackground(status wire.Value) bool { return status.Is("queued") || status.Is("in_progress") }

// readOpenAIBackground reads a response that was made in the background. One that was not, or whose
// request another process has sent, was paid there.
func readOpenAIBackground(x *exchange, v *wire.JSON) {
	readOpenAIResponses(x, v)
	id, status := ofResponse(v, gotID).Text(), ofResponse(v, gotDuration)
	switch {
	case !x.t.jobs.waits(x.ep.provider + " " + id):
		x.job = job{}
	case inBackground(status):
	case x.hasUsage || x.bad != "":
		x.is(id, jobDone)
	default: // failed, or canceled before anything was used
		x.is(id, jobFailed)
	}
}
