package sdktest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"reflect"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/azure"
	goopenai "github.com/sashabaranov/go-openai"

	"github.com/stagemeter/stagemeter/instrument/aihttp"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// usageWhenAsked answers with a stream that has usage if the request asks for it, as OpenAI does.
func usageWhenAsked(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = io.WriteString(w, event(`{"id":"c","model":"gpt-4o","choices":[{"index":0,"delta":{"content":"Jump"}}]}`)+
		event(`{"id":"c","model":"gpt-4o","choices":[{"index":0,"delta":{"content":" cut"},"finish_reason":"stop"}]}`))
	if bytes.Contains(body, []byte(`"include_usage":true`)) {
		_, _ = io.WriteString(w, event(`{"id":"c","model":"gpt-4o","choices":[],"usage":{"prompt_tokens":100,"completion_tokens":10}}`))
	}
	_, _ = io.WriteString(w, event("[DONE]"))
}

func chunks(ctx context.Context, client openai.Client, params openai.ChatCompletionNewParams) (all []any, err error) {
	return events(client.Chat.Completions.NewStreaming(ctx, params))
}

func goChunks(ctx context.Context, client *goopenai.Client) (all []any, err error) {
	s, err := client.CreateChatCompletionStream(ctx, goChat)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	for {
		chunk, err := s.Recv()
		if err == io.EOF {
			return all, nil
		} else if err != nil {
			return all, err
		}
		all = append(all, chunk)
	}
}

// WithStreamUsage has the usage of a stream booked whose caller has not asked for it, and the loop
// over the stream sees no chunk more.
func TestWithStreamUsage(t *testing.T) {
	asks := chatParams
	asks.StreamOptions.IncludeUsage = openai.Bool(true)
	onAzure := func(w wiring) openai.Client {
		return w.openAI(azure.WithEndpoint("https://studio.openai.azure.com", "2024-10-21"), azure.WithAPIKey("key"))
	}
	for _, tt := range []struct {
		name  string
		layer bool
		want  int // chunks
		read  func(ctx context.Context, w wiring) ([]any, error)
	}{
		{"openai-go", false, 2, func(ctx context.Context, w wiring) ([]any, error) { return chunks(ctx, w.openAI(), chatParams) }},
		{"openai-go by middleware", true, 2, func(ctx context.Context, w wiring) ([]any, error) { return chunks(ctx, w.openAI(), chatParams) }},
		{"openai-go azure", false, 2, func(ctx context.Context, w wiring) ([]any, error) { return chunks(ctx, onAzure(w), chatParams) }},
		{"openai-go azure by middleware", true, 2, func(ctx context.Context, w wiring) ([]any, error) { return chunks(ctx, onAzure(w), chatParams) }},
		{"openai-go that asks itself", false, 3, func(ctx context.Context, w wiring) ([]any, error) { return chunks(ctx, w.openAI(), asks) }},
		{"go-openai", false, 2, func(ctx context.Context, w wiring) ([]any, error) { return goChunks(ctx, w.goOpenAI()) }},
		{"go-openai azure", false, 2, func(ctx context.Context, w wiring) ([]any, error) { return goChunks(ctx, w.goAzure()) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t, usageWhenAsked)
			want, err := tt.read(t.Context(), wiring{client: f.plain()})
			if err != nil {
				t.Fatal(err)
			}
			options := []aihttp.Option{aihttp.WithPrices(prices(t)), aihttp.WithStreamUsage()}
			w := wiring{client: f.client(options...)}
			if tt.layer {
				w = wiring{client: f.plain(), middleware: f.middleware(options...)}
			}
			p, rec := instrumenttest.New(t)
			ctx, job := p.StartJob(t.Context(), "job")
			got, err := tt.read(ctx, w)
			job.End(nil)
			if err != nil || len(got) != tt.want || !reflect.DeepEqual(got, want) {
				t.Errorf("%v, %v\nwithout us\n%v", got, err, want)
			}
			if nano(rec) != cost || unpriced(rec) != 0 || calls(rec) != 1 {
				t.Errorf("%d nano-dollars, %v of %v calls without a price", nano(rec), unpriced(rec), calls(rec))
			}
		})
	}
}
