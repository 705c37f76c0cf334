package aihttp_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/aihttp"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// pieces is an answer that comes in pieces of n bytes.
type pieces struct {
	io.Reader
	n int
}

func (p pieces) Read(b []byte) (int, error) { return p.Reader.Read(b[:min(len(b), p.n)]) }
func (pieces) Close() error                 { return nil }

var fuzzedURLs = []string{
	chatURL, "https://api.openai.com/v1/responses", "https://api.openai.com/v1/audio/transcriptions", "https://api.openai.com/v1/images/generations",
	"https://api.openai.com/v1/audio/speech", "https://api.anthropic.com/v1/messages", "https://generativelanguage.googleapis.com/v1beta/models/gemini-y:streamGenerateContent",
	"https://eu-aiplatform.googleapis.com/v1/projects/p/locations/eu/publishers/google/models/m:generateContent",
	"https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse-stream", "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/invoke-with-response-stream",
	"https://openrouter.ai/api/v1/chat/completions", "https://api.perplexity.ai/chat/completions", "https://api.deepgram.com/v1/listen?model=nova-3",
	"https://api.elevenlabs.io/v1/text-to-speech/x", "https://api.assemblyai.com/v2/transcript", "https://speech.googleapis.com/v1/speech:recognize",
	"https://api.rev.ai/speechtotext/v1/jobs", "https://queue.fal.run/fal-ai/flux", "https://api.replicate.com/v1/predictions",
	"https://api.dev.runwayml.com/v1/image_to_video", "https://transcribe.us-east-1.amazonaws.com/", "http://localhost:11434/api/chat",
}

var fuzzedKinds = []string{"application/json", "text/event-stream", "application/vnd.amazon.eventstream", "", "text/plain"}

// Whatever is asked and answered, the caller sees the bytes that were sent, nothing panics, and what
// is booked is an amount.
func FuzzAnswer(f *testing.F) {
	for i := range fuzzedURLs {
		f.Add(uint8(i), uint8(0), []byte(chatBody), []byte(chatText), uint8(3), "")
	}
	f.Add(uint8(0), uint8(1), []byte(`{"stream":true}`), []byte(streamHead+streamAdds+streamTail), uint8(255), "")
	f.Add(uint8(1), uint8(1), []byte(`{"stream":true}`), []byte("data: {\"type\":\"response.completed\",\"response\":{\"output\":[{\"type\":\"web_search_call\"}],\"usage\":{\"input_tokens\":1}}}\n\n"), uint8(1), "")
	f.Add(uint8(5), uint8(1), []byte(`{}`), []byte("data: {\"type\":\"message_start\",\"message\":{\"model\":\"claude\",\"usage\":{\"input_tokens\":1000}}}\n\n"), uint8(9), "gzip")
	f.Add(uint8(6), uint8(0), []byte(`{}`), []byte(`[{"candidates":[{"groundingMetadata":{"webSearchQueries":["a"]}}],"usageMetadata":{"promptTokenCount":7,"promptTokensDetails":[{"modality":"AUDIO","tokenCount":8}]}}]`), uint8(7), "")
	f.Add(uint8(14), uint8(0), []byte(`{"audio_url":"x"}`), []byte(completed), uint8(7), "deflate")
	meters := metric.NewMeterProvider(metric.WithReader(metric.NewManualReader()))
	p, err := instrument.New(instrument.WithMeterProvider(meters), instrument.WithTracerProvider(trace.NewTracerProvider()), instrument.WithUnpricedPolicy(instrument.ReserveUnpriced(money.Cent)))
	if err != nil {
		f.Fatal(err)
	}
	prices := table(f)
	var bug error
	before := otel.GetErrorHandler()
	f.Cleanup(func() { otel.SetErrorHandler(before) })
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		if strings.Contains(err.Error(), "a bug") {
			bug = err
		}
	}))
	f.Fuzz(func(t *testing.T, url, kind uint8, ask, answer []byte, size uint8, coding string) {
		base := roundTripper(func(r *http.Request) (*http.Response, error) {
			sent, _ := io.ReadAll(r.Body)
			if !bytes.Equal(sent, ask) {
				t.Errorf("%q was sent, want %q", sent, ask)
			}
			head := http.Header{"Content-Type": {fuzzedKinds[int(kind)%len(fuzzedKinds)]}, "X-Request-Id": {coding}}
			for _, name := range []string{"Content-Encoding", "X-Litellm-Response-Cost", "X-Fal-Billable-Units", "Character-Cost", "X-Amzn-Bedrock-Input-Token-Count", "Retry-After", "X-Ratelimit-Remaining-Tokens"} {
				if coding != "" {
					head.Set(name, coding)
				}
			}
			return &http.Response{StatusCode: 200, Header: head, Body: pieces{bytes.NewReader(answer), int(size) + 1}, Request: r}, nil
		})
		meter := aihttp.NewTransport(base, aihttp.WithPrices(prices), aihttp.WithContent())
		ctx, job := p.StartJob(t.Context(), "job", instrument.WithBudget(money.Dollar))
		defer job.End(nil)
		r, _ := http.NewRequestWithContext(ctx, http.MethodPost, fuzzedURLs[int(url)%len(fuzzedURLs)], bytes.NewReader(ask))
		r.Header.Set("Content-Type", "application/json")
		resp, err := meter.RoundTrip(r)
		if err != nil {
			return // it does not fit into the budget
		}
		got, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || !bytes.Equal(got, answer) {
			t.Errorf("%q, %v, want %q", got, err, answer)
		}
		if bug != nil {
			t.Fatal(bug)
		}
		if cost := job.Cost(); cost.Validate() != nil && cost != money.Unlimited {
			t.Errorf("cost %v", cost)
		}
	})
}
