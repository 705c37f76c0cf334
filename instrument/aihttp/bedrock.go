package aihttp

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
)

// bedrock reads Converse and InvokeModel, and their streams. A model is the name in the path, such as
// "us.anthropic.claude-sonnet-4-5-20250929-v1:0": its first name, us, is the region, and without one
// the host's region is. A row may be for the whole name, for "regional." and the rest, or for the rest.
var bedrock = func() *provider {
	converse := &endpoint{
		provider: "aws.bedrock", operation: "chat", answer: wire.NewTree("usage", "serviceTier", "performanceConfig"),
		request: wire.NewTree("model", "speed", "inference_geo", "inferenceConfig.maxTokens"), limits: bedrockLimits, asked: bedrockAsked, read: readConverse,
	}
	invoke := &endpoint{
		provider: "aws.bedrock", operation: "chat",
		answer: wire.NewTree("model", "usage", "message", "amazon-bedrock-invocationMetrics", "container", "delta.container",
			"inputTextTokenCount", "prompt_token_count", "generation_token_count", "results.*.tokenCount", "metadata.usage"),
		request: wire.NewTree("model", "speed", "inference_geo", "max_tokens"), limits: bedrockLimits, asked: bedrockAsked, read: readInvoke, head: bedrockHead,
	}
	later := &endpoint{ // whose result goes to the user's storage
		provider: "aws.bedrock", operation: "media_generation", request: wire.NewTree("modelId"),
		asked: func(x *exchange) { x.askedModel = x.sentText(0, "") },
	}
	openAI := openAIFor("aws.bedrock")
	messages := anthropicFor("aws.bedrock")
	messages.asked = bedrockAsked
	return &provider{name: "aws.bedrock", endpoint: func(r *http.Request) *endpoint {
		if r.Method == http.MethodPost && strings.Contains(r.URL.Path, "/model/") {
			switch operationID(r.URL.Path) {
			case "converse", "converse-stream":
				return converse
			case "invoke", "invoke-with-response-stream":
				return invoke
			}
			return nil
		}
		if r.Method == http.MethodPost && r.URL.Path == "/async-invoke" {
			return later
		}
		if ep := ofAnthropic(r, messages); ep != nil {
			return ep
		}
		return openAI.of(r)
	}}
}()

var bedrockLimits = map[string]int{"max_tokens": 3}

// frame takes a message of a stream.
func (x *exchange) frame(kind, payload []byte) {
	switch string(kind) {
	case "metadata": // the last one of ConverseStream
		x.event(payload)
		x.over = true
	case "chunk": // of InvokeModelWithResponseStream
		if text, err := base64.StdEncoding.DecodeString(wire.Value(payload).Get("bytes").Text()); err == nil {
			x.event(text)
		}
	}
}

func readConverse(x *exchange, v *wire.JSON) {
	usage := v.Value(0)
	x.told.take(figInput, usage.Get("inputTokens"))
	x.told.take(figOutput, usage.Get("outputTokens"))
	x.told.take(figCacheRead, usage.Get("cacheReadInputTokens"))
	x.told.take(figCacheWrite, usage.Get("cacheWriteInputTokens"))
	usage.Get("cacheDetails").Each(func(_ []byte, detail wire.Value) bool {
		fig := figCacheWrite5m
		if detail.Get("ttl").Is("1h") {
			fig = figCacheWrite1h
		}
		x.told.take(fig, detail.Get("inputTokens"))
		return true
	})
	x.saw(nil, v.Value(1).Get("type"))
	if v.Value(2).Get("latency").Is("optimized") {
		x.tier = "optimized"
	}
}

func readInvoke(x *exchange, v *wire.JSON) {
	readAnthropic(x, v)
	t := &x.told
	for _, usage := range []wire.Value{v.Value(1), v.Value(10)} { // of Nova
		t.take(figInput, usage.Get("inputTokens"))
		t.take(figOutput, usage.Get("outputTokens"))
		t.take(figCacheRead, usage.Get("cacheReadInputTokenCount"))
		t.take(figCacheWrite, usage.Get("cacheWriteInputTokenCount"))
	}
	t.take(figInput, v.Value(1).Get("prompt_tokens")) // of Mistral and OpenAI
	t.take(figOutput, v.Value(1).Get("completion_tokens"))
	t.take(figInput, v.Value(6)) // of Titan
	if v.Count(9) == 1 {
		t.take(figOutput, v.Value(9))
	}
	t.take(figInput, v.Value(7)) // of Llama
	t.take(figOutput, v.Value(8))
	sums := v.Value(3) // whatever the model, at the end of a stream
	t.take(figInput, sums.Get("inputTokenCount"))
	t.take(figOutput, sums.Get("outputTokenCount"))
	t.take(figCacheRead, sums.Get("cacheReadInputTokenCount"))
	t.take(figCacheWrite, sums.Get("cacheWriteInputTokenCount"))
}

// bedrockHead takes the figures in the head of an answer, whatever the model. What the answer's body
// says stands above them.
func bedrockHead(x *exchange, h http.Header) {
	for fig, name := range map[int]string{
		figInput: "Input-Token-Count", figOutput: "Output-Token-Count", figCacheRead: "Cache-Read-Input-Token-Count", figCacheWrite: "Cache-Write-Input-Token-Count",
	} {
		x.told.take(fig, wire.Value(h.Get("X-Amzn-Bedrock-"+name)))
	}
	if tier := h.Get("X-Amzn-Bedrock-Service-Tier"); tier != "" {
		x.tier = tier
	}
	if h.Get("X-Amzn-Bedrock-Performanceconfig-Latency") == "optimized" {
		x.tier = "optimized"
	}
}

// bedrockAsked makes usage of the figures, and finds the model.
func bedrockAsked(x *exchange) {
	anthropicAsked(x)
	_, id, ok := strings.Cut(x.url.Path, "/model/")
	id = id[:max(strings.LastIndexByte(id, '/'), 0)]
	if !ok { // of anthropic-sdk-go, before its middleware has made a path of Bedrock of it
		id = x.askedModel
	}
	if strings.HasPrefix(id, "arn:") {
		if strings.Contains(id, ":provisioned-model/") {
			x.tier = "provisioned"
		}
		id = operationID(id)
	}
	where, base, _ := strings.Cut(id, ".")
	switch where {
	case "global":
		x.model = x.pick(id, base)
	case "us", "us-gov", "eu", "apac", "au", "ca", "jp", "sa", "me", "af", "mx", "in", "kr", "uk":
		x.model = x.pick(id, "regional."+base, base)
	default:
		where = awsRegion(x.url.Host)
		x.model = x.pick(id, "regional."+id)
	}
	x.askedModel, x.region = x.model, where
}
