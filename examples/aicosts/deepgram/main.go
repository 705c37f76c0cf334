// Command deepgram shows what calls of a media API cost that are made with net/http. With -real it
// calls Deepgram, with the key in DEEPGRAM_API_KEY.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/stagemeter/stagemeter/examples/aicosts/internal/fake"
	"github.com/stagemeter/stagemeter/examples/aicosts/internal/show"
	"github.com/stagemeter/stagemeter/exporters"
	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/aihttp"
	"github.com/stagemeter/stagemeter/instrument/price"
)

func main() { show.Main(run) }

func run(ctx context.Context, out io.Writer, vendor http.RoundTripper) error {
	tel, err := exporters.Start(ctx, exporters.WithoutServer())
	defer tel.Shutdown(ctx)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: aihttp.NewTransport(vendor)} // This line meters every call. Have nil in place of vendor.

	err = instrument.RunJob(ctx, "reel-7", func(ctx context.Context) error {
		for _, length := range []time.Duration{time.Minute, 90 * time.Second, 2 * time.Hour} { // the last does not fit
			text, err := transcribe(ctx, client, length)
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "%v: %s\n", length, text)
		}
		return nil
	}, instrument.WithBudget(5*instrument.Cent))
	if refused := new(instrument.BudgetError); errors.As(err, &refused) {
		fmt.Fprintln(out, "refused:", refused)
		err = nil
	}
	show.Booked(out, tel.Handler())
	return err
}

// transcribe streams the sound while it is made, as from ffmpeg: no request tells its length. WithUsage
// does, so that the budget is asked for as much as the call will cost.
func transcribe(ctx context.Context, client *http.Client, length time.Duration) (string, error) {
	var usage price.Usage
	usage.Add(price.Audio, int64(length))
	request, err := http.NewRequestWithContext(aihttp.WithUsage(ctx, usage), http.MethodPost, "https://api.deepgram.com/v1/listen?model=nova-3", fake.Sound(length))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "audio/wav")
	request.Header.Set("Authorization", "Token "+os.Getenv("DEEPGRAM_API_KEY"))
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	var answer struct {
		Results struct {
			Channels []struct{ Alternatives []struct{ Transcript string } }
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return "", err
	}
	if response.StatusCode != http.StatusOK || len(answer.Results.Channels) == 0 {
		return "", fmt.Errorf("no transcript: %s", response.Status)
	}
	return answer.Results.Channels[0].Alternatives[0].Transcript, nil
}
