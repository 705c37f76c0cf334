package sdktest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	anthropicparam "github.com/anthropics/anthropic-sdk-go/packages/param"
	"github.com/deepgram/deepgram-go-sdk/v3/pkg/client/interfaces"
	"github.com/gorilla/schema"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/azure"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/responses"
	goopenai "github.com/sashabaranov/go-openai"
	"google.golang.org/genai"
)

// A player sends the request of a golden file by a library, and returns all that the library decodes.
type player struct {
	library string
	layers  bool // it takes a middleware, too
	play    func(t *testing.T, ctx context.Context, w wiring, g golden) ([]any, error)
}

var (
	byOpenAI    = player{"openai-go", true, playOpenAI}
	byGoOpenAI  = player{"go-openai", false, playGoOpenAI}
	byAnthropic = player{"anthropic-sdk-go", true, playAnthropic}
	byGenAI     = player{"genai", false, playGenAI}
	byDeepgram  = player{"deepgram-go-sdk", false, playDeepgram}
)

// players returns the libraries that can send a golden file's request.
func (g golden) players() []player {
	switch {
	case g.Provider == "anthropic":
		return []player{byAnthropic}
	case strings.HasPrefix(g.Provider, "gcp."):
		return []player{byGenAI}
	case g.Provider == "deepgram":
		return []player{byDeepgram}
	case strings.HasSuffix(g.Request.URL, "/audio/translations"): // deprecated in openai-go
		return []player{byGoOpenAI}
	case strings.Contains(g.Request.URL, "/chat/completions"), strings.HasSuffix(g.Request.URL, "/embeddings"),
		strings.HasSuffix(g.Request.URL, "/audio/transcriptions") && !g.streams(), strings.HasSuffix(g.Request.URL, "/audio/speech"):
		return []player{byOpenAI, byGoOpenAI}
	}
	return []player{byOpenAI}
}

// raw is an answer of openai-go or anthropic-sdk-go.
type raw interface{ RawJSON() string }

func one[T raw](answer T, err error) ([]any, error) {
	if err != nil {
		return nil, err
	}
	return []any{answer.RawJSON()}, nil
}

func events[T raw](s interface {
	stream
	Current() T
}) (all []any, err error) {
	defer s.Close()
	for s.Next() {
		all = append(all, s.Current().RawJSON())
	}
	return all, s.Err()
}

func bytesOf(body io.ReadCloser, err error) ([]any, error) {
	if err != nil {
		return nil, err
	}
	defer body.Close()
	text, err := io.ReadAll(body)
	return []any{string(text)}, err
}

func playOpenAI(t *testing.T, ctx context.Context, w wiring, g golden) ([]any, error) {
	u := g.url(t)
	base := *u
	base.RawQuery = ""
	body := json.RawMessage(g.Request.Body)
	var client openai.Client
	of := func(suffix string) bool {
		path, ok := strings.CutSuffix(u.Path, suffix)
		base.Path = path
		client = w.openAI(option.WithBaseURL(base.String()))
		return ok
	}
	if before, _, ok := strings.Cut(u.Path, "/openai/deployments/"); ok {
		base.Path = before
		client = w.openAI(azure.WithEndpoint(base.String(), u.Query().Get("api-version")), azure.WithAPIKey("key"))
		of = func(suffix string) bool { return strings.HasSuffix(u.Path, suffix) }
	}
	switch {
	case of("/chat/completions"):
		params := param.Override[openai.ChatCompletionNewParams](body)
		if g.streams() {
			return events(client.Chat.Completions.NewStreaming(ctx, params))
		}
		return one(client.Chat.Completions.New(ctx, params))
	case of("/responses"):
		params := param.Override[responses.ResponseNewParams](body)
		if g.streams() {
			return events(client.Responses.NewStreaming(ctx, params))
		}
		return one(client.Responses.New(ctx, params))
	case of("/embeddings"):
		return one(client.Embeddings.New(ctx, param.Override[openai.EmbeddingNewParams](body)))
	case of("/images/generations"):
		return one(client.Images.Generate(ctx, param.Override[openai.ImageGenerateParams](body)))
	case of("/audio/speech"):
		resp, err := client.Audio.Speech.New(ctx, param.Override[openai.AudioSpeechNewParams](body))
		if err != nil {
			return nil, err
		}
		return bytesOf(resp.Body, nil)
	case of("/audio/transcriptions"):
		form := g.form(t)
		params := openai.AudioTranscriptionNewParams{
			Model: form["model"], File: strings.NewReader(form["file"]), ResponseFormat: openai.AudioResponseFormat(form["response_format"]),
		}
		if g.streams() {
			return events(client.Audio.Transcriptions.NewStreaming(ctx, params))
		}
		if strings.HasPrefix(g.Response.Headers["Content-Type"], "text/") { // for which the library has a way of its own
			var text string
			_, err := client.Audio.Transcriptions.New(ctx, params, option.WithResponseBodyInto(&text))
			return []any{text}, err
		}
		return one(client.Audio.Transcriptions.New(ctx, params))
	}
	t.Fatalf("%s: no call of openai-go", u)
	return nil, nil
}

func playGoOpenAI(t *testing.T, ctx context.Context, w wiring, g golden) ([]any, error) {
	u := g.url(t)
	config := goopenai.DefaultConfig("key")
	config.HTTPClient = w.client
	before, deployment, isAzure := strings.Cut(u.Path, "/openai/deployments/")
	if isAzure {
		name, _, _ := strings.Cut(deployment, "/")
		config = goopenai.DefaultAzureConfig("key", u.Scheme+"://"+u.Host+before)
		config.HTTPClient, config.AzureModelMapperFunc = w.client, func(string) string { return name }
	}
	of := func(suffix string) bool {
		path, ok := strings.CutSuffix(u.Path, suffix)
		if ok && !isAzure {
			config.BaseURL = u.Scheme + "://" + u.Host + path
		}
		return ok
	}
	parse := func(request any) {
		if err := json.Unmarshal([]byte(g.Request.Body), request); err != nil {
			t.Fatal(err)
		}
	}
	switch {
	case of("/chat/completions"):
		var request goopenai.ChatCompletionRequest
		parse(&request)
		client := goopenai.NewClientWithConfig(config)
		if !g.streams() {
			answer, err := client.CreateChatCompletion(ctx, request)
			return []any{answer}, err
		}
		s, err := client.CreateChatCompletionStream(ctx, request)
		if err != nil {
			return nil, err
		}
		defer s.Close()
		var all []any
		for {
			answer, err := s.Recv()
			if errors.Is(err, io.EOF) {
				return all, nil
			} else if err != nil {
				return all, err
			}
			all = append(all, answer)
		}
	case of("/embeddings"):
		var request goopenai.EmbeddingRequest
		parse(&request)
		answer, err := goopenai.NewClientWithConfig(config).CreateEmbeddings(ctx, request)
		return []any{answer}, err
	case of("/audio/speech"):
		var request goopenai.CreateSpeechRequest
		parse(&request)
		answer, err := goopenai.NewClientWithConfig(config).CreateSpeech(ctx, request)
		return bytesOf(answer, err)
	case of("/audio/transcriptions"), of("/audio/translations"):
		form := g.form(t)
		request := goopenai.AudioRequest{
			Model: form["model"], FilePath: "a.wav", Reader: strings.NewReader(form["file"]), Format: goopenai.AudioResponseFormat(form["response_format"]),
		}
		if strings.HasPrefix(g.Response.Headers["Content-Type"], "text/") {
			request.Format = goopenai.AudioResponseFormatText
		}
		client := goopenai.NewClientWithConfig(config)
		if strings.HasSuffix(u.Path, "/audio/translations") {
			answer, err := client.CreateTranslation(ctx, request)
			return []any{answer}, err
		}
		answer, err := client.CreateTranscription(ctx, request)
		return []any{answer}, err
	}
	t.Fatalf("%s: no call of go-openai", u)
	return nil, nil
}

func playAnthropic(_ *testing.T, ctx context.Context, w wiring, g golden) ([]any, error) {
	client := w.anthropic()
	params := anthropicparam.Override[anthropic.MessageNewParams](json.RawMessage(g.Request.Body))
	if g.streams() {
		return events(client.Messages.NewStreaming(ctx, params))
	}
	return one(client.Messages.New(ctx, params))
}

func playGenAI(t *testing.T, ctx context.Context, w wiring, g golden) ([]any, error) {
	u := g.url(t)
	var config genai.ClientConfig
	if _, rest, ok := strings.Cut(u.Path, "/projects/"); ok {
		parts := strings.Split(rest, "/")
		config = genai.ClientConfig{Backend: genai.BackendVertexAI, Project: parts[0], Location: parts[2]}
	}
	client, err := w.genai(ctx, config)
	if err != nil {
		return nil, err
	}
	var request struct{ Contents []*genai.Content }
	if err := json.Unmarshal([]byte(g.Request.Body), &request); err != nil {
		t.Fatal(err)
	}
	if !g.streams() {
		answer, err := client.Models.GenerateContent(ctx, g.Model, request.Contents, nil)
		if err != nil {
			return nil, err
		}
		return []any{answer}, nil
	}
	var all []any
	for answer, err := range client.Models.GenerateContentStream(ctx, g.Model, request.Contents, nil) {
		if err != nil {
			return all, err
		}
		all = append(all, answer)
	}
	return all, nil
}

func playDeepgram(t *testing.T, ctx context.Context, w wiring, g golden) ([]any, error) {
	u := g.url(t)
	var request struct{ URL, Text string }
	if err := json.Unmarshal([]byte(g.Request.Body), &request); err != nil {
		t.Fatal(err)
	}
	options := func(to any) {
		if err := schema.NewDecoder().Decode(to, u.Query()); err != nil {
			t.Fatal(err)
		}
	}
	if request.Text != "" {
		var speak interfaces.SpeakOptions
		options(&speak)
		return w.deepgramSpeak(ctx, request.Text, &speak)
	}
	var listen interfaces.PreRecordedTranscriptionOptions
	options(&listen)
	answer, err := w.deepgram().FromURL(ctx, request.URL, &listen)
	return []any{answer}, err
}
