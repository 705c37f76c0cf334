// Command gemini shows what calls of google.golang.org/genai cost. With -real it calls the Gemini API,
// with the key in GEMINI_API_KEY.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"google.golang.org/genai"

	"github.com/stagemeter/stagemeter/examples/aicosts/internal/show"
	"github.com/stagemeter/stagemeter/exporters"
	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/aihttp"
)

const model = "gemini-2.5-flash"

func main() { show.Main(run) }

func run(ctx context.Context, out io.Writer, vendor http.RoundTripper) error {
	tel, err := exporters.Start(ctx, exporters.WithoutServer())
	defer tel.Shutdown(ctx)
	if err != nil {
		return err
	}
	client, err := genai.NewClient(ctx, &genai.ClientConfig{
		Backend: genai.BackendGeminiAPI, APIKey: cmp.Or(os.Getenv("GEMINI_API_KEY"), "none"),
		HTTPClient: &http.Client{Transport: aihttp.NewTransport(vendor)}, // This line meters every call. Have nil in place of vendor.
	})
	if err != nil {
		return err
	}

	err = instrument.RunJob(ctx, "reel-7", func(ctx context.Context) error {
		title, err := client.Models.GenerateContent(ctx, model, genai.Text("Name this reel: a boat is late."), atMost(1000))
		if err != nil {
			return err
		}
		fmt.Fprintln(out, title.Text())

		for part, err := range client.Models.GenerateContentStream(ctx, model, genai.Text("Describe this reel: a boat is late."), atMost(1000)) {
			if err != nil {
				return err
			}
			fmt.Fprint(out, part.Text())
		}
		fmt.Fprintln(out)

		// As many tokens may cost 16 cents, and the job has 5.
		_, err = client.Models.GenerateContent(ctx, model, genai.Text("Write the whole script."), atMost(64_000))
		return err
	}, instrument.WithBudget(5*instrument.Cent))
	if refused := new(instrument.BudgetError); errors.As(err, &refused) {
		fmt.Fprintln(out, "refused:", refused)
		err = nil
	}
	show.Booked(out, tel.Handler())
	return err
}

func atMost(tokens int32) *genai.GenerateContentConfig {
	return &genai.GenerateContentConfig{MaxOutputTokens: tokens}
}
