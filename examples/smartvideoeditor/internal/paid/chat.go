package paid

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"unicode/utf8"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/shared"

	"github.com/stagemeter/stagemeter/instrument"
)

// chatModel is the requested model. It is priced by the token.
const chatModel = "gpt-4o-mini"

// Bounds of what is sent and taken. With them the most that a call can cost is known before it.
const (
	maxTranscript = 100_000 // bytes; over an hour and a half of speech
	maxTitle      = 80      // runes
	maxSummary    = 500     // runes
	tokensTitle   = 60      // of the answer, for each title
	tokensSummary = 300     // of the answer, for the summary and what is around it
)

const instruction = `You write for the viewers of a video. You get JSON: the transcript of the video, and the words of some chapters, which may be empty. ` +
	`Answer with JSON: {"titles": ["…", …], "summary": "…"}, with one title of at most six words for each chapter, in their order, ` +
	`and a summary of at most two sentences.`

// A Description is what the chat model says of a video.
type Description struct {
	Titles  []string // one for each chapter
	Summary string
	Tokens  Tokens
}

// Tokens are the tokens of an answer and of the question, as the service counts them.
type Tokens struct{ Input, Output int64 }

// Describe asks the chat model for a title of each chapter, of which it gets the words, and for a
// summary, once. Of a long transcript it sends the first 100,000 bytes. The error is that of a budget,
// a [*Refusal], an [*AnswerError], or one of the connection; [RetryAfter] reports whether another try
// may help.
func (c *Client) Describe(ctx context.Context, transcript string, chapters []string) (Description, error) {
	question, err := json.Marshal(struct {
		Transcript string   `json:"transcript"`
		Chapters   []string `json:"chapters"`
	}{cut(transcript, maxTranscript), chapters})
	if err != nil {
		return Description{}, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.limits.chat, errTime)
	defer cancel()
	text, tokens, err := c.chat(ctx, string(question), int64(tokensSummary+tokensTitle*len(chapters)))
	if err != nil {
		return Description{Tokens: tokens}, c.limits.secrets.hide(late(ctx, err))
	}
	d, err := readDescription(text, len(chapters), c.limits.secrets)
	d.Tokens = tokens
	return d, c.limits.secrets.hide(err)
}

// chat asks a question, and reads the answer as it comes.
func (c *Client) chat(ctx context.Context, question string, most int64) (text string, tokens Tokens, err error) {
	stream := c.api.Chat.Completions.NewStreaming(ctx, openai.ChatCompletionNewParams{
		Model:               chatModel,
		Messages:            []openai.ChatCompletionMessageParamUnion{openai.SystemMessage(instruction), openai.UserMessage(question)},
		MaxCompletionTokens: openai.Int(most),
		ResponseFormat:      openai.ChatCompletionNewParamsResponseFormatUnion{OfJSONObject: &shared.ResponseFormatJSONObjectParam{}},
		// The results show the tokens. A program that only meters them needs aihttp.WithStreamUsage instead.
		StreamOptions: openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)},
	}, option.WithMiddleware(c.limits.stream))
	defer stream.Close()
	var answer strings.Builder
	for stream.Next() {
		chunk := stream.Current()
		for _, choice := range chunk.Choices {
			answer.WriteString(choice.Delta.Content)
		}
		if u := chunk.Usage; u.PromptTokens > 0 || u.CompletionTokens > 0 {
			tokens = Tokens{Input: u.PromptTokens, Output: u.CompletionTokens}
		}
	}
	return answer.String(), tokens, c.broken(stream.Err())
}

// broken returns the error of a stream as one of this package, unless it is one of a connection, a
// budget, or a context.
func (c *Client) broken(err error) error {
	var connection net.Error
	var refusal *Refusal
	var invalid *AnswerError
	switch {
	case err == nil, errors.As(err, &refusal), errors.As(err, &invalid), errors.As(err, &connection),
		errors.Is(err, instrument.ErrBudgetExceeded), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &AnswerError{fmt.Sprintf("breaks off: %v", err)}
	}
	return &AnswerError{"cannot be read: " + c.limits.secrets.short(err.Error(), maxReason)}
}

// readDescription reads the text of an answer, which is words of others: of each, only what can be
// shown on one line is kept.
func readDescription(text string, chapters int, s secrets) (Description, error) {
	var said struct {
		Titles  []string
		Summary string
	}
	if text == "" {
		return Description{}, &AnswerError{"is empty"}
	}
	if err := json.Unmarshal([]byte(text), &said); err != nil {
		return Description{}, &AnswerError{fmt.Sprintf("has no titles: %v; it begins with %q", err, s.short(text, 40))}
	}
	if len(said.Titles) != chapters {
		return Description{}, &AnswerError{fmt.Sprintf("has %d titles for %d chapters", len(said.Titles), chapters)}
	}
	d := Description{Summary: s.short(said.Summary, maxSummary)}
	for _, title := range said.Titles {
		d.Titles = append(d.Titles, s.short(title, maxTitle))
	}
	return d, nil
}

// cut returns a text, or its first n bytes to the end of a word.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	text = text[:n]
	if end := strings.LastIndexByte(text, ' '); end > 0 {
		text = text[:end]
	}
	return text
}
