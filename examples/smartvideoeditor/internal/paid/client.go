// Package paid calls the services that the editor pays for: OpenAI's API, or one with its wire
// format. It transcribes recordings, asks a chat model for titles, and knows the limits of the
// services. What a call costs, package aihttp reads from the traffic.
package paid

import (
	"net/http"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"go.opentelemetry.io/otel/propagation"

	"github.com/stagemeter/stagemeter/instrument/aihttp"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// The names under which the calls are measured.
const (
	Whisper = "whisper" // transcriptions
	OpenAI  = "openai"  // the chat model's answers: package aihttp's name of the provider
	apiOf   = OpenAI    // whose API the services have, and whose prices their calls
)

// A Client calls one service. It is safe for concurrent use. No error that it returns shows a key.
type Client struct {
	api    openai.Client
	limits limits
}

// NewClient makes a client of the service at a base URL, such as https://api.openai.com/v1. Its
// calls cost what prices say of OpenAI's models. The client sends a query of the URL with each call.
// A user and password of the URL replace apiKey. The error does not show the URL.
func NewClient(baseURL, apiKey string, prices *price.Table) (*Client, error) {
	return newClient(baseURL, apiKey, prices, limits{begin: answerBegins, end: answerEnds, refusal: refusalEnds, chat: chatEnds})
}

// newClient is NewClient with limits of its own.
func newClient(baseURL, apiKey string, prices *price.Table, l limits) (*Client, error) {
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
			// This one line meters all calls.
			Transport: aihttp.NewTransport(tracing{transport()}, aihttp.WithHost(at.host, apiOf), aihttp.WithPrices(prices)),
			// A redirect would send the recording elsewhere, and a key with it.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}),
	}
	for name, values := range at.query {
		for _, value := range values {
			options = append(options, option.WithQueryAdd(name, value))
		}
	}
	if at.basic != "" {
		options = append(options, option.WithHeader("Authorization", at.basic))
	}
	return &Client{api: openai.NewClient(options...), limits: l}, nil
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

// tracing sends the trace context of each attempt to the service, which may continue the trace.
type tracing struct{ base http.RoundTripper }

func (t tracing) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context()) // a RoundTripper changes no request
	propagation.TraceContext{}.Inject(r.Context(), propagation.HeaderCarrier(r.Header))
	return t.base.RoundTrip(r)
}
