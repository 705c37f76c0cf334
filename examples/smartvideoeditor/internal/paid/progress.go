package paid

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strconv"

	"github.com/openai/openai-go/v3/option"
)

// progressHeader asks the service to report its progress, from 0 to 1, in this header of
// informational responses (102). The program's own service does so; OpenAI's ignores it.
const progressHeader = "Progress"

type progressKey struct{}

// WithProgress calls report with the fraction of a recording that is transcribed, from 0 to 1,
// whenever the service reports it. The calls come one after another, from another goroutine; one
// may still come after the request was canceled.
func WithProgress(ctx context.Context, report func(fraction float64)) context.Context {
	return context.WithValue(ctx, progressKey{}, report)
}

// progress makes a request ask for its progress if ctx has a function of [WithProgress].
func progress(ctx context.Context) (context.Context, []option.RequestOption) {
	report, ok := ctx.Value(progressKey{}).(func(float64))
	if !ok {
		return ctx, nil
	}
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
			fraction, err := strconv.ParseFloat(header.Get(progressHeader), 64)
			if code == http.StatusProcessing && err == nil && fraction >= 0 && fraction <= 1 {
				report(fraction)
			}
			return nil
		},
	})
	return ctx, []option.RequestOption{option.WithHeader(progressHeader, "0")}
}
