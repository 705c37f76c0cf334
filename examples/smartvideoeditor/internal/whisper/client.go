// Package whisper transcribes recordings through a service with OpenAI's API, and knows what that costs.
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

	"github.com/stagemeter/stagemeter/instrument"
)

// API is the name under which the calls are measured.
const API = "whisper"

// model is the one that is asked for. It is priced by the minute; a service that knows no other takes it as well.
const model = "whisper-1"

// perMinute is the model's published price.
const perMinute = 6 * instrument.Cent / 10

// Price is what transcribing a recording of the given length costs.
func Price(length time.Duration) instrument.USD {
	return perMinute.Prorate(int64(length), int64(time.Minute))
}

// The service's limits: what it does not take is not sent.
const (
	MinLength = 100 * time.Millisecond
	MaxBytes  = 25 << 20
)

// A Transcript is the service's answer.
type Transcript struct {
	Text   string
	Billed time.Duration // what of the recording is paid for; 0 if the service does not say
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

// propagate hands the trace of the call on to the service, so that one that is measured as well continues it.
func propagate(r *http.Request, next option.MiddlewareNext) (*http.Response, error) {
	propagation.TraceContext{}.Inject(r.Context(), propagation.HeaderCarrier(r.Header))
	return next(r)
}
