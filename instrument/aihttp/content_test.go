package aihttp_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/aihttp"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

const secret = "the prompt that nobody may read"

// No prompt and no answer is on a span, an event or a metric unless WithContent asks for it; then a bounded part is.
func TestContentIsOptIn(t *testing.T) {
	long := strings.Repeat("ä", 6000)
	ask := `{"model":"gpt-4o","messages":[{"role":"user","content":"` + secret + `"}],"x":"` + long + `"}`
	for name, tt := range map[string]struct {
		opts       []aihttp.Option
		kind, text string
		want       bool
	}{
		"by default": {nil, "application/json", `{"choices":["` + secret + `"],"x":"` + long + `"}`, false},
		"asked for":  {[]aihttp.Option{aihttp.WithContent()}, "application/json", `{"choices":["` + secret + `"],"x":"` + long + `"}`, true},
		"a stream":   {[]aihttp.Option{aihttp.WithContent()}, "text/event-stream", "data: {\"x\":\"" + secret + long + "\"}\n\ndata: [DONE]\n\n", true},
		"text":       {[]aihttp.Option{aihttp.WithContent()}, "text/vtt", secret + long, true},
	} {
		t.Run(name, func(t *testing.T) {
			p, rec := instrumenttest.New(t)
			f := newFake(t, says(200, tt.kind, tt.text), tt.opts...)
			if _, err := f.post(instrument.ContextWithPipeline(t.Context(), p), chatURL, ask); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(rec.Exposition(), "nobody") {
				t.Error("it is on a metric")
			}
			have := attrs(rec.Span("chat gpt-4o"))
			for _, key := range []string{"video.processing.request.body", "video.processing.response.body"} {
				if got := have[key]; strings.Contains(got, secret) != tt.want || len(got) > 8<<10 || tt.want && len(got) < 8<<10-3 || !utf8.ValidString(got) {
					t.Errorf("%s has %d bytes: %.80q", key, len(got), got)
				}
				delete(have, key)
			}
			for key, value := range have {
				if strings.Contains(value, "nobody") {
					t.Errorf("%s = %q", key, value)
				}
			}
		})
	}
}

// What is uploaded, and what is spoken, is no text.
func TestContentIsText(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx := instrument.ContextWithPipeline(t.Context(), p)
	f := newFake(t, says(200, "audio/mpeg", secret), aihttp.WithContent())
	if _, err := f.post(ctx, "https://api.openai.com/v1/audio/speech", `{"model":"tts-1","input":"hello"}`); err != nil {
		t.Fatal(err)
	}
	wantAttrs(t, rec.Span("speech tts-1"), map[string]string{
		"video.processing.request.body": `{"model":"tts-1","input":"hello"}`, "video.processing.response.body": "",
	})
	f = newFake(t, says(200, "application/json", `{"text":"hello"}`), aihttp.WithContent())
	form := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.mp3\"\r\n\r\n" + secret + "\r\n--b\r\n" +
		"Content-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--b--\r\n"
	if _, err := f.post(ctx, "https://api.openai.com/v1/audio/transcriptions", form, "Content-Type", "multipart/form-data; boundary=b"); err != nil {
		t.Fatal(err)
	}
	wantAttrs(t, rec.Span("transcription whisper-1"), map[string]string{
		"video.processing.request.body": "", "video.processing.response.body": `{"text":"hello"}`,
	})
}

// A client that lost its connection sends the body from its begin.
func TestContentOfARequestThatIsSentAnew(t *testing.T) {
	p, rec := instrumenttest.New(t)
	base := roundTripper(func(r *http.Request) (*http.Response, error) {
		_, _ = io.ReadFull(r.Body, make([]byte, 10))
		again, err := r.GetBody()
		if err != nil {
			return nil, err
		}
		_, _ = io.Copy(io.Discard, again)
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(chatText)), Request: r}, nil
	})
	f := &fake{t: t, client: &http.Client{Transport: aihttp.NewTransport(base, aihttp.WithContent())}}
	if _, err := f.post(instrument.ContextWithPipeline(t.Context(), p), chatURL, chatBody); err != nil {
		t.Fatal(err)
	}
	wantAttrs(t, rec.Span("chat gpt-4o"), map[string]string{"video.processing.request.body": chatBody})
}
