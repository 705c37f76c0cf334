package aihttp_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"

	"github.com/stagemeter/stagemeter/instrument/aihttp"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

const (
	streamHead = "data: {\"model\":\"gpt-4o\",\"choices\":[{\"delta\":{\"content\":\"hi \\\"usage\\\"\"}}],\"usage\":null}\n\n: a comment\n\n"
	streamTail = "data: [DONE]\n\n"
	streamAdds = "data: {\"model\":\"gpt-4o\",\"choices\": [ ],\"usage\":{\"prompt_tokens\":400,\"completion_tokens\":100}}\n\n"
	streamBody = `{"model":"gpt-4o","stream":true,"messages":[]}`
)

// streams answers as OpenAI does: with usage if that is asked for.
func streams(t *testing.T, crlf bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		var asked struct {
			Model   string
			Options struct {
				Usage bool `json:"include_usage"`
			} `json:"stream_options"`
		}
		if err := json.Unmarshal(text, &asked); err != nil || asked.Model != "gpt-4o" || int64(len(text)) != r.ContentLength {
			t.Errorf("%s: %v, Content-Length %d", text, err, r.ContentLength)
		}
		all := streamHead + streamTail
		if asked.Options.Usage {
			all = streamHead + streamAdds + streamTail
		}
		if crlf {
			all = strings.ReplaceAll(all, "\n", "\r\n")
		}
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		for len(all) > 0 {
			n := min(7, len(all))
			_, _ = io.WriteString(w, all[:n])
			w.(http.Flusher).Flush()
			all = all[n:]
		}
	}
}

func TestStreamUsageIsAskedForAndTakenOut(t *testing.T) {
	ask := []aihttp.Option{aihttp.WithStreamUsage()}
	for name, tt := range map[string]struct {
		opts []aihttp.Option
		body string
		crlf bool
		want string
		cost int64
	}{
		"without the option":     {nil, streamBody, false, streamHead + streamTail, 0},
		"with it":                {ask, streamBody, false, streamHead + streamTail, chatCost},
		"CRLF":                   {ask, streamBody, true, strings.ReplaceAll(streamHead+streamTail, "\n", "\r\n"), chatCost},
		"the caller asks itself": {ask, `{"model":"gpt-4o","stream":true,"stream_options":{"include_usage":true}}`, false, streamHead + streamAdds + streamTail, chatCost},
		"other options":          {ask, `{"model":"gpt-4o","stream_options": {"include_obfuscation":false},"stream":true}`, false, streamHead + streamTail, chatCost},
		"no options":             {ask, `{"model":"gpt-4o","stream_options":{ },"stream":true}`, false, streamHead + streamTail, chatCost},
		"null":                   {ask, `{"model":"gpt-4o","stream_options":null,"stream":true}`, false, streamHead + streamTail, chatCost},
		"the caller declines":    {ask, `{"model":"gpt-4o","stream":true,"stream_options":{"include_usage":false}}`, false, streamHead + streamTail, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p, rec := instrumenttest.New(t)
			f := newFake(t, streams(t, tt.crlf), tt.opts...)
			ctx, job := p.StartJob(t.Context(), "job")
			if text, err := f.post(ctx, chatURL, tt.body); text != tt.want || err != nil {
				t.Errorf("%q, %v; want %q", text, err, tt.want)
			}
			unpriced := rec.Counter(vp("api_unpriced_total"), attribute.String("reason", "usage"))
			if int64(cost(rec)) != tt.cost || (unpriced == 1) != (tt.cost == 0) {
				t.Errorf("cost %v, %v unpriced", cost(rec), unpriced)
			}
			job.End(nil)
		})
	}
}

// A stream whose answer does not say that it is one is without the event, too.
func TestStreamUsageIsTakenOutWithoutAType(t *testing.T) {
	p, rec := instrumenttest.New(t)
	for _, kind := range []string{"text/plain; charset=utf-8", ""} {
		all := streams(t, false)
		f := newFake(t, func(w http.ResponseWriter, r *http.Request) { all(typed{w, kind}, r) }, aihttp.WithStreamUsage())
		ctx, job := p.StartJob(t.Context(), "job")
		if text, err := f.post(ctx, chatURL, streamBody); text != streamHead+streamTail || err != nil {
			t.Errorf("%q: %q, %v", kind, text, err)
		}
		if got := job.Cost(); int64(got) != chatCost {
			t.Errorf("%q: cost %v", kind, got)
		}
		job.End(nil)
	}
	if got := rec.Counter(vp("api_unpriced_total")); got != 0 {
		t.Errorf("%v unpriced", got)
	}
}

// typed is an answer with another type than the one that it is given, or none.
type typed struct {
	http.ResponseWriter
	kind string
}

func (w typed) Write(p []byte) (int, error) {
	w.Header()["Content-Type"] = []string{w.kind}
	if w.kind == "" {
		w.Header()["Content-Type"] = nil
	}
	return w.ResponseWriter.Write(p)
}

func (w typed) Flush() { w.ResponseWriter.(http.Flusher).Flush() }

// A client that unpacks answers by itself gets no event that nobody could take out.
func TestStreamUsageIsNotAskedForOfPackedAnswers(t *testing.T) {
	p, rec := instrumenttest.New(t)
	f := newFake(t, streams(t, false), aihttp.WithStreamUsage())
	ctx, job := p.StartJob(t.Context(), "job")
	defer job.End(nil)
	if text, err := f.post(ctx, chatURL, streamBody, "Accept-Encoding", "gzip"); text != streamHead+streamTail || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	if got := rec.Counter(vp("api_unpriced_total"), attribute.String("reason", "usage")); got != 1 {
		t.Errorf("%v unpriced", got)
	}
}
