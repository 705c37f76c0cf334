package sdktest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/anthropics/anthropic-sdk-go"
	anthropicoption "github.com/anthropics/anthropic-sdk-go/option"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/azure"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/ssestream"
	"github.com/openai/openai-go/v3/responses"
	goopenai "github.com/sashabaranov/go-openai"
	"google.golang.org/genai"

	"github.com/stagemeter/stagemeter/instrument/price"
)

// wiring is how a library comes to package aihttp: by its client, or by its middleware over it.
type wiring struct {
	client     *http.Client
	middleware middleware // nil if the client meters
}

func (w wiring) openAI(opts ...option.RequestOption) openai.Client {
	opts = append([]option.RequestOption{option.WithHTTPClient(w.client)}, opts...)
	if w.middleware != nil {
		opts = append(opts, option.WithMiddleware(w.middleware))
	}
	return openai.NewClient(opts...)
}

func (w wiring) anthropic(opts ...anthropicoption.RequestOption) anthropic.Client {
	opts = append([]anthropicoption.RequestOption{anthropicoption.WithHTTPClient(w.client), anthropicoption.WithAPIKey("key")}, opts...)
	if w.middleware != nil {
		opts = append(opts, anthropicoption.WithMiddleware(w.middleware))
	}
	return anthropic.NewClient(opts...)
}

func (w wiring) genai(ctx context.Context, config genai.ClientConfig) (*genai.Client, error) {
	config.HTTPClient = w.client
	if config.Backend == genai.BackendUnspecified {
		config.Backend, config.APIKey = genai.BackendGeminiAPI, "key"
	}
	return genai.NewClient(ctx, &config)
}

func (w wiring) goOpenAI() *goopenai.Client {
	config := goopenai.DefaultConfig("key")
	config.HTTPClient = w.client
	return goopenai.NewClientWithConfig(config)
}

func (w wiring) goAzure() *goopenai.Client {
	config := goopenai.DefaultAzureConfig("key", "https://studio.openai.azure.com")
	config.HTTPClient = w.client
	config.AzureModelMapperFunc = func(string) string { return "our-deployment" }
	return goopenai.NewClientWithConfig(config)
}

// TestMain takes the vendors' keys out of the environment: the libraries read them by themselves.
func TestMain(m *testing.M) {
	for _, name := range []string{
		"OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "ANTHROPIC_BASE_URL", "ANTHROPIC_AUTH_TOKEN",
		"GOOGLE_API_KEY", "GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL", "GOOGLE_VERTEX_BASE_URL", "GOOGLE_GENAI_USE_VERTEXAI", "STAGEMETER_PRICES",
	} {
		_ = os.Unsetenv(name)
	}
	_ = os.Setenv("OPENAI_API_KEY", "key")
	os.Exit(m.Run())
}

const (
	gpt    = "gpt-4o"
	claude = "claude-sonnet-4-5"
	flash  = "gemini-2.5-flash"
)

// prices are for the models of the callers. Each token costs a dollar a million, each 6 seconds a cent.
func prices(t testing.TB) *price.Table {
	t.Helper()
	table, err := price.Parse([]byte(`{"rows": [
		{"provider": "openai", "model": "gpt-4o", "per_1M": {"input": "1", "output": "1"}},
		{"provider": "azure.ai.openai", "model": "gpt-4o", "aliases": ["our-deployment"], "per_1M": {"input": "1", "output": "1"}},
		{"provider": "openai", "model": "text-embedding-3-small", "per_1M": {"input": "1"}},
		{"provider": "openai", "model": "whisper-1", "per_60_seconds": {"audio": "0.10"}},
		{"provider": "openai", "model": "tts-1", "per_1M": {"characters": "1"}},
		{"provider": "openai", "model": "dall-e-3", "per_1": {"images": "1"}},
		{"provider": "anthropic", "model": "claude-sonnet-4-5", "per_1M": {"input": "1", "output": "1"}},
		{"provider": "gcp.gemini", "model": "gemini-2.5-flash", "per_1M": {"input": "1", "output": "1"}},
		{"provider": "gcp.vertex_ai", "model": "gemini-2.5-flash", "per_1M": {"input": "1", "output": "1"}},
		{"provider": "deepgram", "model": "nova-3", "per_60_seconds": {"audio": "0.10"}}
	]}`))
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// A caller makes one call, reads its answer to the end, and returns the error that it meets.
type caller struct {
	name   string
	layers bool // it takes a middleware, too
	call   func(ctx context.Context, w wiring) error
}

var callers = []caller{
	{"net/http", false, func(ctx context.Context, w wiring) error {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://api.openai.com/v1/chat/completions", bytes.NewReader([]byte(`{"model":"gpt-4o"}`)))
		if err != nil {
			return err
		}
		resp, err := w.client.Do(r)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}},
	{"openai-go chat", true, func(ctx context.Context, w wiring) error {
		client := w.openAI()
		_, err := client.Chat.Completions.New(ctx, chatParams)
		return err
	}},
	{"openai-go chat stream", true, func(ctx context.Context, w wiring) error {
		client := w.openAI()
		return drain(client.Chat.Completions.NewStreaming(ctx, chatParams))
	}},
	{"openai-go responses", true, func(ctx context.Context, w wiring) error {
		client := w.openAI()
		_, err := client.Responses.New(ctx, responsesParams)
		return err
	}},
	{"openai-go responses stream", true, func(ctx context.Context, w wiring) error {
		client := w.openAI()
		return drain(client.Responses.NewStreaming(ctx, responsesParams))
	}},
	{"openai-go embeddings", true, func(ctx context.Context, w wiring) error {
		client := w.openAI()
		_, err := client.Embeddings.New(ctx, openai.EmbeddingNewParams{
			Model: "text-embedding-3-small", Input: openai.EmbeddingNewParamsInputUnion{OfString: openai.String("x")},
		})
		return err
	}},
	{"openai-go transcription", true, func(ctx context.Context, w wiring) error {
		client := w.openAI()
		_, err := client.Audio.Transcriptions.New(ctx, openai.AudioTranscriptionNewParams{Model: "whisper-1", File: sound()})
		return err
	}},
	{"openai-go transcription stream", true, func(ctx context.Context, w wiring) error {
		client := w.openAI()
		return drain(client.Audio.Transcriptions.NewStreaming(ctx, openai.AudioTranscriptionNewParams{Model: "whisper-1", File: sound()}))
	}},
	{"openai-go speech", true, func(ctx context.Context, w wiring) error {
		client := w.openAI()
		resp, err := client.Audio.Speech.New(ctx, openai.AudioSpeechNewParams{
			Model: "tts-1", Input: "x", Voice: openai.AudioSpeechNewParamsVoiceUnion{OfString: openai.String("alloy")},
		})
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}},
	{"openai-go image", true, func(ctx context.Context, w wiring) error {
		client := w.openAI()
		_, err := client.Images.Generate(ctx, openai.ImageGenerateParams{Model: "dall-e-3", Prompt: "a cut"})
		return err
	}},
	{"openai-go image edit", true, func(ctx context.Context, w wiring) error {
		client := w.openAI()
		_, err := client.Images.Edit(ctx, openai.ImageEditParams{
			Model: "dall-e-3", Prompt: "a cut", Image: openai.ImageEditParamsImageUnion{OfFile: sound()},
		})
		return err
	}},
	{"openai-go azure", true, func(ctx context.Context, w wiring) error {
		client := w.openAI(azure.WithEndpoint("https://studio.openai.azure.com", "2024-10-21"), azure.WithAPIKey("key"))
		_, err := client.Chat.Completions.New(ctx, chatParams)
		return err
	}},
	{"openai-go azure stream", true, func(ctx context.Context, w wiring) error {
		client := w.openAI(azure.WithEndpoint("https://studio.openai.azure.com", "2024-10-21"), azure.WithAPIKey("key"))
		return drain(client.Chat.Completions.NewStreaming(ctx, chatParams))
	}},
	{"openai-go azure token", true, func(ctx context.Context, w wiring) error {
		client := w.openAI(azure.WithEndpoint("https://studio.openai.azure.com", "2024-10-21"), azure.WithTokenCredential(token{}))
		_, err := client.Chat.Completions.New(ctx, chatParams)
		return err
	}},
	{"openai-go azure token stream", true, func(ctx context.Context, w wiring) error {
		client := w.openAI(azure.WithEndpoint("https://studio.openai.azure.com", "2024-10-21"), azure.WithTokenCredential(token{}))
		return drain(client.Chat.Completions.NewStreaming(ctx, chatParams))
	}},
	{"anthropic messages", true, func(ctx context.Context, w wiring) error {
		client := w.anthropic()
		_, err := client.Messages.New(ctx, messageParams)
		return err
	}},
	{"anthropic messages stream", true, func(ctx context.Context, w wiring) error {
		client := w.anthropic()
		return drain(client.Messages.NewStreaming(ctx, messageParams))
	}},
	{"anthropic beta messages stream", true, func(ctx context.Context, w wiring) error {
		client := w.anthropic()
		return drain(client.Beta.Messages.NewStreaming(ctx, anthropic.BetaMessageNewParams{
			Model: claude, MaxTokens: 100, Messages: []anthropic.BetaMessageParam{anthropic.NewBetaUserMessage(anthropic.NewBetaTextBlock("x"))},
		}))
	}},
	{"genai", false, generate(genai.ClientConfig{})},
	{"genai stream", false, generateStream(genai.ClientConfig{})},
	{"genai with retries", false, generate(genai.ClientConfig{HTTPOptions: genai.HTTPOptions{RetryOptions: &genai.HTTPRetryOptions{}}})},
	{"genai stream with retries", false, generateStream(genai.ClientConfig{HTTPOptions: genai.HTTPOptions{RetryOptions: &genai.HTTPRetryOptions{}}})},
	{"genai vertex", false, generate(vertexConfig)},
	{"genai vertex stream", false, generateStream(vertexConfig)},
	{"go-openai chat", false, func(ctx context.Context, w wiring) error {
		_, err := w.goOpenAI().CreateChatCompletion(ctx, goChat)
		return err
	}},
	{"go-openai chat stream", false, func(ctx context.Context, w wiring) error {
		return drainGo(w.goOpenAI().CreateChatCompletionStream(ctx, goChat))
	}},
	{"go-openai azure", false, func(ctx context.Context, w wiring) error {
		_, err := w.goAzure().CreateChatCompletion(ctx, goChat)
		return err
	}},
	{"go-openai azure stream", false, func(ctx context.Context, w wiring) error {
		return drainGo(w.goAzure().CreateChatCompletionStream(ctx, goChat))
	}},
	{"go-openai transcription", false, func(ctx context.Context, w wiring) error {
		_, err := w.goOpenAI().CreateTranscription(ctx, goopenai.AudioRequest{Model: "whisper-1", Reader: sound(), FilePath: "a.wav"})
		return err
	}},
	{"go-openai speech", false, func(ctx context.Context, w wiring) error {
		body, err := w.goOpenAI().CreateSpeech(ctx, goopenai.CreateSpeechRequest{Model: "tts-1", Input: "x", Voice: "alloy"})
		if err != nil {
			return err
		}
		defer body.Close()
		_, err = io.Copy(io.Discard, body)
		return err
	}},
	{"deepgram", false, func(ctx context.Context, w wiring) error {
		_, err := w.deepgram().FromStream(ctx, sound(), deepgramOptions)
		return err
	}},
}

var (
	chatParams      = openai.ChatCompletionNewParams{Model: gpt, Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("x")}}
	responsesParams = responses.ResponseNewParams{Model: gpt, Input: responses.ResponseNewParamsInputUnion{OfString: openai.String("x")}}
	messageParams   = anthropic.MessageNewParams{
		Model: claude, MaxTokens: 100, Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("x"))},
	}
	goChat       = goopenai.ChatCompletionRequest{Model: gpt, Messages: []goopenai.ChatCompletionMessage{{Role: "user", Content: "x"}}}
	vertexConfig = genai.ClientConfig{Backend: genai.BackendVertexAI, Project: "studio", Location: "us-central1"}
)

func generate(config genai.ClientConfig) func(context.Context, wiring) error {
	return func(ctx context.Context, w wiring) error {
		client, err := w.genai(ctx, config)
		if err != nil {
			return err
		}
		_, err = client.Models.GenerateContent(ctx, flash, genai.Text("x"), nil)
		return err
	}
}

func generateStream(config genai.ClientConfig) func(context.Context, wiring) error {
	return func(ctx context.Context, w wiring) error {
		client, err := w.genai(ctx, config)
		if err != nil {
			return err
		}
		for _, err := range client.Models.GenerateContentStream(ctx, flash, genai.Text("x"), nil) {
			if err != nil {
				return err
			}
		}
		return nil
	}
}

// stream is a stream of openai-go or of anthropic-sdk-go.
type stream interface {
	Next() bool
	Err() error
	Close() error
}

var _ stream = (*ssestream.Stream[int])(nil)

func drain(s stream) error {
	for s.Next() {
	}
	if err := s.Err(); err != nil {
		return err
	}
	return s.Close()
}

func drainGo(s *goopenai.ChatCompletionStream, err error) error {
	if err != nil {
		return err
	}
	defer s.Close()
	for {
		if _, err := s.Recv(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("stream: %w", err)
		}
	}
}

// sound returns a file of sound, of no length that its head would tell.
func sound() io.Reader { return bytes.NewReader(bytes.Repeat([]byte("RIFF"), 1000)) }

// token is a credential of Azure.
type token struct{}

func (token) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "token", ExpiresOn: time.Now().Add(time.Hour)}, nil
}
