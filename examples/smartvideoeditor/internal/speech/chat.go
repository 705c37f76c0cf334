package speech

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// maxChat bounds a request of the chat model, in bytes.
const maxChat = 1 << 20

// chatRequest is what is read of a request. Everything else in it changes nothing here.
type chatRequest struct {
	Model               string        `json:"model"`
	Messages            []chatMessage `json:"messages"`
	N                   *int          `json:"n"`
	MaxTokens           *int          `json:"max_tokens"`
	MaxCompletionTokens *int          `json:"max_completion_tokens"`
	Stream              bool          `json:"stream"`
	StreamOptions       struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
}

// limit returns how many tokens the answer may have, or -1.
func (r chatRequest) limit() int {
	for _, n := range []*int{r.MaxCompletionTokens, r.MaxTokens} {
		if n != nil {
			return max(*n, 0)
		}
	}
	return -1
}

// question returns the last message of the user.
func (r chatRequest) question() string {
	for i := len(r.Messages) - 1; i >= 0; i-- {
		if r.Messages[i].Role == "user" {
			return string(r.Messages[i].Content)
		}
	}
	return ""
}

type chatMessage struct {
	Role    string   `json:"role"`
	Content chatText `json:"content"`
}

// chatText is the text of a message, which is a string or a list of parts.
type chatText string

func (t *chatText) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err == nil {
		*t = chatText(text)
		return nil
	}
	var parts []struct{ Type, Text string }
	if err := json.Unmarshal(data, &parts); err != nil {
		return errors.New("content must be a string or a list of parts")
	}
	for _, p := range parts {
		if p.Type != "text" {
			return errors.New("only parts of type text are supported by this service")
		}
		*t += chatText(p.Text)
	}
	return nil
}

// completions answers POST /v1/chat/completions.
func (h *handler) completions(w http.ResponseWriter, r *http.Request) {
	connection := http.NewResponseController(w)
	_ = connection.SetReadDeadline(time.Now().Add(h.transfer)) // a connection without deadlines has none
	request, err := parseChat(http.MaxBytesReader(w, r.Body, maxChat), r.Header)
	_ = connection.SetReadDeadline(time.Time{})
	_ = connection.SetWriteDeadline(time.Now().Add(h.transfer))
	if err != nil {
		writeError(w, err)
		return
	}
	ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	_, span := otel.Tracer(scopeName).Start(ctx, "POST /v1/chat/completions", trace.WithSpanKind(trace.SpanKindServer))
	defer span.End()
	answer := complete(request)
	if request.Stream {
		answer.stream(w, request.StreamOptions.IncludeUsage)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer.whole()) // an error here is one of the connection
}

func parseChat(body io.Reader, header http.Header) (request chatRequest, err error) {
	if kind, _, err := mime.ParseMediaType(header.Get("Content-Type")); err != nil || kind != "application/json" {
		return request, refusal(http.StatusUnsupportedMediaType, "invalid_request_error", "Content-Type is %.80q; application/json is needed", header.Get("Content-Type"))
	}
	if encoding := header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return request, refusal(http.StatusUnsupportedMediaType, "invalid_request_error", "Content-Encoding is %.80q; this service unpacks nothing", encoding)
	}
	text, err := io.ReadAll(body)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return request, refusal(http.StatusRequestEntityTooLarge, "invalid_request_error", "The request is larger than %d bytes.", large.Limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return request, refusal(http.StatusRequestTimeout, "invalid_request_error", "The request took too long.")
	case err != nil:
		return request, refusal(http.StatusBadRequest, "invalid_request_error", "The request breaks off.")
	}
	if err := json.Unmarshal(text, &request); err != nil {
		return request, refusal(http.StatusBadRequest, "invalid_request_error", "We could not parse the JSON body of your request: %.200s", strings.ToValidUTF8(err.Error(), "?"))
	}
	switch {
	case request.Model == "" || len(request.Model) > 100:
		return request, badRequest("model", "you must provide a model parameter of at most 100 bytes")
	case len(request.Messages) == 0:
		return request, badRequest("messages", "[] is too short - 'messages'")
	case request.N != nil && *request.N != 1:
		return request, badRequest("n", "n is %d: this service makes one answer", *request.N)
	}
	return request, nil
}
