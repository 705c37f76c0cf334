// Package whisper transcribes recordings through a service with OpenAI's API, and has its price.
package whisper

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"go.opentelemetry.io/otel/propagation"

	"github.com/stagemeter/stagemeter/instrument/money"
)

// API is the name under which the calls are measured.
const API = "whisper"

// model is the requested model. It is priced by the minute, and other services with this API accept
// it too.
const model = "whisper-1"

// perMinute is the published price of the model.
var perMinute = money.PerMinute(6 * money.Cent / 10)

// Price returns the price of a recording of the given length.
func Price(length time.Duration) money.USD { return perMinute.Of(length) }

// The limits of the service: the editor sends nothing beyond them.
const (
	MinLength = 100 * time.Millisecond
	MaxBytes  = 25 << 20
)

// A Transcript is the answer of the service.
type Transcript struct {
	Text   string
	Billed time.Duration // the billed length of the recording; 0: the service does not say
}

// A Client calls the service. It is safe for concurrent use.
type Client struct{ api openai.Client }

// NewClient makes a client of the service at a base URL, such as https://api.openai.com/v1.
func NewClient(baseURL, apiKey string) *Client {
	return &Client{api: openai.NewClient(
		option.WithBaseURL(baseURL),
		option.WithAPIKey(apiKey),
		option.WithMiddleware(propagate),
	)}
}

// Transcribe sends the recording in a file.
func (c *Client) Transcribe(ctx context.Context, path string) (Transcript, error) {
	recording, err := os.Open(path)
	if err != nil {
		return Transcript{}, err
	}
	defer recording.Close()
	answer, err := c.api.Audio.Transcriptions.New(ctx, openai.AudioTranscriptionNewParams{
		Model:          model,
		File:           recording,
		ResponseFormat: openai.AudioResponseFormatJSON,
	})
	if err != nil {
		var refused *openai.Error
		if errors.As(err, &refused) && refused.Message != "" {
			err = fmt.Errorf("%w: %s", err, refused.Message)
		}
		return Transcript{}, err
	}
	transcript := Transcript{Text: answer.Text}
	if usage := answer.AsTranscription().Usage; usage.Type == "duration" {
		transcript.Billed = time.Duration(usage.Seconds * float64(time.Second))
	}
	return transcript, nil
}

// propagate sends the trace context of the call to the service, which may continue the trace.
func propagate(r *http.Request, next option.MiddlewareNext) (*http.Response, error) {
	propagation.TraceContext{}.Inject(r.Context(), propagation.HeaderCarrier(r.Header))
	return next(r)
}
