package paid

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/stagemeter/stagemeter/instrument/aihttp"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// The limits of the service: the editor sends nothing beyond them.
const (
	// MinLength is the shortest recording that the service takes.
	MinLength = 100 * time.Millisecond
	// MaxBytes is the largest file. The service says 25 MB, and counts the rest of the form too, so
	// this is the smaller reading of MB.
	MaxBytes = 25_000_000
)

// speechModel is the requested model. It is priced by the minute, and other services with this API
// accept it too.
const speechModel = "whisper-1"

// Usage returns what the transcription of a recording of the given length uses, for its price. The
// service bills begun seconds.
func Usage(length time.Duration) price.Usage {
	u := price.Usage{Provider: apiOf, Model: speechModel}
	u.Add(price.Audio, int64(BegunSeconds(length)))
	return u
}

// BegunSeconds rounds a length up to whole seconds.
func BegunSeconds(length time.Duration) time.Duration {
	whole := length.Truncate(time.Second)
	if whole < length {
		whole += time.Second
	}
	return whole
}

// Transcribe sends the recording in a file, once. It sends nothing beyond [MaxBytes]. The length of
// the recording is what the call costs if the service does not say what it bills. The error is that
// of the file, a [*Refusal], an [*AnswerError], or one of the connection; [RetryAfter] reports
// whether another try may help.
func (c *Client) Transcribe(ctx context.Context, path string, length time.Duration) (Transcript, error) {
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
	secrets := c.limits.secrets
	var answer []byte
	ctx, asks := progress(ctx)
	options := append(asks, option.WithMiddleware(c.limits.apply), option.WithResponseBodyInto(&answer)) // not into a struct: the client reads null as ""
	_, err = c.api.Audio.Transcriptions.New(aihttp.WithUsage(ctx, Usage(length)), openai.AudioTranscriptionNewParams{
		Model:          speechModel,
		File:           recording,
		ResponseFormat: openai.AudioResponseFormatVerboseJSON, // which has the time of each utterance
	}, options...)
	if err != nil {
		return Transcript{}, secrets.hide(err)
	}
	transcript, err := decode(answer, secrets)
	return transcript, secrets.hide(err)
}
