// Command anthropic shows what calls of anthropic-sdk-go cost. With -real it calls Anthropic, with the
// key in ANTHROPIC_API_KEY.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"

	"github.com/stagemeter/stagemeter/examples/aicosts/internal/show"
	"github.com/stagemeter/stagemeter/exporters"
	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/aihttp"
)

// style is long enough for Anthropic's cache, from which later calls read it at a tenth of the price.
var style = strings.Repeat("Titles are short, and never ask a question. ", 460)

func main() { show.Main(run) }

func run(ctx context.Context, out io.Writer, vendor http.RoundTripper) error {
	tel, err := exporters.Start(ctx, exporters.WithoutServer())
	defer tel.Shutdown(ctx)
	if err != nil {
		return err
	}
	client := anthropic.NewClient(option.WithAPIKey(cmp.Or(os.Getenv("ANTHROPIC_API_KEY"), "none")),
		option.WithHTTPClient(&http.Client{Transport: vendor}),     // only for the fake
		option.WithMiddleware(aihttp.NewTransport(nil).Middleware)) // This line meters every call.

	err = instrument.RunJob(ctx, "reel-7", func(ctx context.Context) error {
		title, err := client.Messages.New(ctx, ask("Name this reel: a boat is late.", 20))
		if err != nil {
			return err
		}
		fmt.Fprintln(out, title.Content[0].Text)

		stream := client.Messages.NewStreaming(ctx, ask("Describe this reel: a boat is late.", 100))
		defer stream.Close()
		for stream.Next() {
			fmt.Fprint(out, stream.Current().Delta.Text)
		}
		fmt.Fprintln(out)
		if stream.Err() != nil {
			return stream.Err()
		}

		// As many tokens may cost 8 cents, and the job has 5.
		_, err = client.Messages.New(ctx, ask("Write the whole script.", 16_000))
		return err
	}, instrument.WithBudget(5*instrument.Cent))
	if refused := new(instrument.BudgetError); errors.As(err, &refused) {
		fmt.Fprintln(out, "refused:", refused)
		err = nil
	}
	show.Booked(out, tel.Handler())
	return err
}

func ask(question string, most int64) anthropic.MessageNewParams {
	return anthropic.MessageNewParams{
		Model: anthropic.ModelClaudeHaiku4_5, MaxTokens: most,
		System:   []anthropic.TextBlockParam{{Text: style, CacheControl: anthropic.NewCacheControlEphemeralParam()}},
		Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock(question))},
	}
}
