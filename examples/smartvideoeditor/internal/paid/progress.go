package paid

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strconv"

	"github.com/openai/openai-go/v3/option"
)

// progressHeader asks the service to say how far it is, by informational responses (102) with this
// header: 0 to 1. The program's own service does; OpenAI's ignores it.
const progressHeader = "Progress"

type progressKey struct{}

// WithProgress calls told with how much of a recording is transcribed, from 0 to 1, whenever the
// service says so. The calls come one after another, from another goroutine; one may still come when
// the call was canceled.
func WithProgress(ctx context.Context, told func(fraction float64)) context.Context {
	return context.WithValue(ctx, progressKey{}, told)
}

// progress has a request ask for its progress, if somebody wants to hear of it.
func progress(ctx context.Context) (context.Context, []option.RequestOption) {
	told, ok := ctx.Value(progressKey{}).(func(float64))
	if !ok {
		return ctx, nil
	}
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
			fraction, err := strconv.ParseFloat(header.Get(progressHeader), 64)
			if code == http.StatusProcessing && err == nil && fraction >= 0 && fraction <= 1 {
				told(fraction)
			}
			return nil
		},
	})
	return ctx, []option.RequestOption{option.WithHeader(progressHeader, "0")}
}
