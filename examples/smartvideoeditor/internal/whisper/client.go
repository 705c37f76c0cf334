// Package whisper transcribes recordings through a service with OpenAI's API, and has its price and
// its limits.
package whisper

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"go.opentelemetry.io/otel/propagation"
)

// API is the name under which the calls are measured.
const API = "whisper"

// model is the requested model. It is priced by the minute, and other services with this API accept
// it too.
const model = "whisper-1"

// A Client calls the service. It is safe for concurrent use. No error that it returns shows a key.
type Client struct {
	api     openai.Client
	secrets secrets
}

// NewClient makes a client of the service at a base URL, such as https://api.openai.com/v1. The
// client sends a query of the URL with each call. A user and password of the URL replace apiKey.
// The error does not show the URL.
func NewClient(baseURL, apiKey string) (*Client, error) {
	return newClient(baseURL, apiKey, limits{begin: answerBegins, end: answerEnds, refusal: refusalEnds})
}

// newClient is NewClient with limits of its own.
func newClient(baseURL, apiKey string, l limits) (*Client, error) {
	at, err := parseEndpoint(baseURL, apiKey)
	if err != nil {
		return nil, err
	}
	l.secrets = at.secrets
	options := []option.RequestOption{
		option.WithBaseURL(at.url),
		option.WithAPIKey(at.key),
		// A call is one attempt: an attempt that failed may have been charged, so the caller asks the
		// budget again before the next one.
		option.WithMaxRetries(0),
		option.WithHTTPClient(&http.Client{
			Transport: transport(),
			// A redirect would send the recording elsewhere, and a key with it.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}),
		option.WithMiddleware(propagate, l.apply),
	}
	for name, values := range at.query {
		for _, value := range values {
			options = append(options, option.WithQueryAdd(name, value))
		}
	}
	if at.basic != "" {
		options = append(options, option.WithHeader("Authorization", at.basic))
	}
	return &Client{api: openai.NewClient(options...), secrets: at.secrets}, nil
}

// transport returns the default transport, with a bound for the headers of an answer.
func transport() http.RoundTripper {
	own, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultTransport // the program's own, such as one that traces
	}
	own = own.Clone()
	own.MaxResponseHeaderBytes = maxHeader
	return own
}

// Transcribe sends the recording in a file, once. It sends nothing beyond [MaxBytes]. The error is
// that of the file, a [*Refusal], an [*AnswerError], or one of the connection; [RetryAfter] reports
// whether another try may help.
func (c *Client) Transcribe(ctx context.Context, path string) (Transcript, error) {
	recording, err := os.Open(path)
	if err != nil {
		return Transcript{}, err
	}
	defer recording.Close()
	if stat, err := recording.Stat(); err != nil {
		return Transcript{}, err
	} else if stat.Size() > MaxBytes {
		return Transcript{}, &Refusal{StatusCode: http.StatusRequestEntityTooLarge,
			Message: fmt.Sprintf("not sent: the recording has %d bytes, and the service takes %d", stat.Size(), MaxBytes)}
	}
	var answer []byte
	_, err = c.api.Audio.Transcriptions.New(ctx, openai.AudioTranscriptionNewParams{
		Model:          model,
		File:           recording,
		ResponseFormat: openai.AudioResponseFormatJSON,
	}, option.WithResponseBodyInto(&answer)) // not into a struct: the client reads null as ""
	if err != nil {
		return Transcript{}, c.secrets.hide(err)
	}
	transcript, err := decode(answer, c.secrets)
	return transcript, c.secrets.hide(err)
}

// propagate sends the trace context of the call to the service, which may continue the trace.
func propagate(r *http.Request, next option.MiddlewareNext) (*http.Response, error) {
	propagation.TraceContext{}.Inject(r.Context(), propagation.HeaderCarrier(r.Header))
	return next(r)
}
