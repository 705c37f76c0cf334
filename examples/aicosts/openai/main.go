// Command openai shows what calls of openai-go cost. With -real it calls OpenAI, with the key in
// OPENAI_API_KEY.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/stagemeter/stagemeter/examples/aicosts/internal/fake"
	"github.com/stagemeter/stagemeter/examples/aicosts/internal/show"
	"github.com/stagemeter/stagemeter/exporters"
	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/aihttp"
)

func main() { show.Main(run) }

func run(ctx context.Context, out io.Writer, vendor http.RoundTripper) error {
	tel, err := exporters.Start(ctx, exporters.WithoutServer())
	defer tel.Shutdown(ctx)
	if err != nil {
		return err
	}
	client := openai.NewClient(option.WithAPIKey(cmp.Or(os.Getenv("OPENAI_API_KEY"), "none")),
		// This line meters every call. Have nil in place of vendor.
		option.WithHTTPClient(&http.Client{Transport: aihttp.NewTransport(vendor, aihttp.WithStreamUsage())}))

	// Of a cent, 90 seconds of sound cost some $0.007. As many again no longer fit.
	err = instrument.RunJob(ctx, "reel-7", func(ctx context.Context) error {
		speech, err := transcribe(ctx, client)
		if err != nil {
			return err
		}
		if err := summarize(ctx, out, client, speech); err != nil {
			return err
		}
		_, err = transcribe(ctx, client)
		return err
	}, instrument.WithBudget(instrument.Cent))
	if refused := new(instrument.BudgetError); errors.As(err, &refused) {
		fmt.Fprintln(out, "refused:", refused)
		err = nil
	}
	show.Booked(out, tel.Handler())
	return err
}

func transcribe(ctx context.Context, client openai.Client) (string, error) {
	speech, err := client.Audio.Transcriptions.New(ctx, openai.AudioTranscriptionNewParams{
		Model: openai.AudioModelGPTTranscribe,
		File:  openai.File(fake.Sound(90*time.Second), "reel.wav", "audio/wav"),
	})
	if err != nil {
		return "", err
	}
	return speech.Text, nil
}

func summarize(ctx context.Context, out io.Writer, client openai.Client, speech string) error {
	stream := client.Chat.Completions.NewStreaming(ctx, openai.ChatCompletionNewParams{
		Model:               openai.ChatModelGPT5_4Mini,
		Messages:            []openai.ChatCompletionMessageParamUnion{openai.UserMessage("Sum up in one sentence: " + speech)},
		MaxCompletionTokens: openai.Int(500),
	})
	for stream.Next() {
		fmt.Fprint(out, stream.Current().Choices[0].Delta.Content)
	}
	fmt.Fprintln(out)
	return stream.Err()
}
