//go:build !race

package aihttp_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/instrument/aihttp"
)

const streamBytes = 10 << 20

// longStreams are answers of about 10 MB, as providers write them, with the host that speaks so.
var longStreams = []struct{ name, provider, path, each, last string }{
	{"chat", "openai", "/v1/chat/completions",
		`data: {"id":"chatcmpl-A1b2C3","object":"chat.completion.chunk","created":1767225600,"model":"gpt-4o-2024-08-06","service_tier":"default","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}],"usage":null}` + "\n\n",
		`data: {"id":"chatcmpl-A1b2C3","object":"chat.completion.chunk","created":1767225600,"model":"gpt-4o-2024-08-06","choices":[],"usage":{"prompt_tokens":400,"completion_tokens":100}}` + "\n\ndata: [DONE]\n\n"},
	{"responses", "openai", "/v1/responses",
		"event: response.output_text.delta\n" + `data: {"type":"response.output_text.delta","sequence_number":4,"item_id":"msg_1","output_index":0,"content_index":0,"delta":" word","logprobs":[]}` + "\n\n",
		"event: response.completed\n" + `data: {"type":"response.completed","response":{"id":"resp_1","model":"gpt-4o-2024-08-06","usage":{"input_tokens":400,"output_tokens":100}}}` + "\n\n"},
	{"messages", "anthropic", "/v1/messages",
		"event: content_block_delta\n" + `data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" word"}}` + "\n\n",
		"event: message_start\n" + `data: {"type":"message_start","message":{"id":"msg_1","model":"claude","usage":{"input_tokens":400,"output_tokens":1}}}` + "\n\n" +
			"event: message_delta\n" + `data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":100}}` + "\n\nevent: message_stop\n" + `data: {"type":"message_stop"}` + "\n\n"},
	{"gemini", "gcp.gemini", "/v1beta/models/gemini:streamGenerateContent",
		`data: {"candidates": [{"content": {"parts": [{"text": " word"}],"role": "model"},"index": 0}],"usageMetadata": {"promptTokenCount": 400,"candidatesTokenCount": 50,"totalTokenCount": 450,"promptTokensDetails": [{"modality": "TEXT","tokenCount": 400}],"trafficType": "ON_DEMAND"},"modelVersion": "gemini-2.5-flash","responseId": "r1"}` + "\r\n\r\n",
		`data: {"candidates": [{"finishReason": "STOP","index": 0}],"usageMetadata": {"promptTokenCount": 400,"candidatesTokenCount": 100,"totalTokenCount": 500},"modelVersion": "gemini-2.5-flash","responseId": "r1"}` + "\r\n\r\n"},
	{"deepseek", "deepseek", "/v1/chat/completions",
		`data: {"id":"A1b2C3","object":"chat.completion.chunk","created":1767225600,"model":"deepseek-chat","choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}],"usage":{"prompt_tokens":400,"completion_tokens":50,"prompt_tokens_details":{"cached_tokens":0}}}` + "\n\n",
		"data: [DONE]\n\n"},
}

func streamText(each, last string) string {
	return strings.Repeat(each, streamBytes/len(each)) + last
}

// lines reads an answer line by line.
func lines(b testing.TB, ctx context.Context, client *http.Client, url string, r *bufio.Reader) int {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(chatBody))
	if err != nil {
		b.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	r.Reset(resp.Body)
	n := 0
	for {
		line, err := r.ReadSlice('\n')
		n += len(line)
		if err == io.EOF {
			break
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	_ = resp.Body.Close()
	return n
}

func BenchmarkStream(b *testing.B) {
	for _, s := range longStreams {
		text := streamText(s.each, s.last)
		host := plainServer(b, response("text/event-stream", text))
		base := &http.Transport{DisableCompression: true}
		b.Cleanup(base.CloseIdleConnections)
		for _, bb := range []struct {
			name string
			make func() (context.Context, *http.Client)
		}{
			{"plain", func() (context.Context, *http.Client) { return context.Background(), &http.Client{Transport: base} }},
			{"metered", func() (context.Context, *http.Client) { return metered(b, base, aihttp.WithHost(host, s.provider)) }},
		} {
			b.Run(fmt.Sprint(s.name, "/", bb.name), func(b *testing.B) {
				ctx, client := bb.make()
				b.ReportAllocs()
				r := bufio.NewReader(nil)
				b.SetBytes(int64(len(text)))
				for b.Loop() {
					if n := lines(b, ctx, client, "http://"+host+s.path, r); n != len(text) {
						b.Fatal(n, len(text))
					}
				}
			})
		}
	}
}
