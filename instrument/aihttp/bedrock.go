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
		provider: "aws.bedrock", operation: "chat", answer: wire.NewTree("model", "usage", "message", "amazon-bedrock-invocationMetrics", "container", "delta.container"),
		request: wire.NewTree("model", "speed", "inference_geo", "max_tokens"), limits: bedrockLimits, asked: bedrockAsked, read: readInvoke, head: bedrockHead,
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

// take takes a figure if it is there.
func (x *exchange) take(fig int, v wire.Value) {
	if v.Null() {
		return
	}
	n, ok := v.Int()
	if !ok {
		x.bad = reasonMalformed
		return
	}
	x.figures[fig], x.given = n, x.given|1<<fig
}

func readConverse(x *exchange, v *wire.JSON) {
	usage := v.Value(0)
	x.take(figInput, usage.Get("inputTokens"))
	x.take(figOutput, usage.Get("outputTokens"))
	x.take(figCacheRead, usage.Get("cacheReadInputTokens"))
	x.take(figCacheWrite, usage.Get("cacheWriteInputTokens"))
	usage.Get("cacheDetails").Each(func(_ []byte, detail wire.Value) bool {
		fig := figCacheWrite5m
		if detail.Get("ttl").Is("1h") {
			fig = figCacheWrite1h
		}
		x.take(fig, detail.Get("inputTokens"))
		return true
	})
	x.saw(nil, v.Value(1).Get("type"))
	if v.Value(2).Get("latency").Is("optimized") {
		x.tier = "optimized"
	}
}

func readInvoke(x *exchange, v *wire.JSON) {
	readAnthropic(x, v)
	usage := v.Value(1) // as Nova has it
	x.take(figInput, usage.Get("inputTokens"))
	x.take(figOutput, usage.Get("outputTokens"))
	x.take(figCacheRead, usage.Get("cacheReadInputTokenCount"))
	x.take(figCacheWrite, usage.Get("cacheWriteInputTokenCount"))
	if x.given == 0 { // of other models, the end of a stream tells the sums
		sums := v.Value(3)
		x.take(figInput, sums.Get("inputTokenCount"))
		x.take(figOutput, sums.Get("outputTokenCount"))
		x.take(figCacheRead, sums.Get("cacheReadInputTokenCount"))
		x.take(figCacheWrite, sums.Get("cacheWriteInputTokenCount"))
	}
}

// bedrockHead takes the figures in the head of an answer, whatever the model. What the answer's body
// says stands above them.
func bedrockHead(x *exchange, h http.Header) {
	for fig, name := range map[int]string{
		figInput: "Input-Token-Count", figOutput: "Output-Token-Count", figCacheRead: "Cache-Read-Input-Token-Count", figCacheWrite: "Cache-Write-Input-Token-Count",
	} {
		x.take(fig, wire.Value(h.Get("X-Amzn-Bedrock-"+name)))
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
