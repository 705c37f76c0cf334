package aihttp

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/stagemeter/stagemeter/instrument/price"
)

type config struct {
	prices      *price.Table
	streamUsage bool
	hosts       map[string]*provider
	noGenAI     bool
	content     bool
}

// An Option configures [NewTransport].
type Option func(*config) error

// WithPrices sets the prices, in place of [price.FromEnv].
func WithPrices(t *price.Table) Option {
	return func(c *config) error {
		if t == nil {
			return errors.New("WithPrices(nil)")
		}
		c.prices = t
		return nil
	}
}

// WithStreamUsage asks OpenAI for the usage of streams whose request does not, and takes the event
// that this adds out of the answer. Without it such streams are unpriced.
func WithStreamUsage() Option {
	return func(c *config) error { c.streamUsage = true; return nil }
}

// WithGenAIMetrics says whether the metrics of OpenTelemetry's GenAI conventions, gen_ai.client.*,
// are recorded. They are by default. Spans have the attributes of the conventions in any case.
func WithGenAIMetrics(on bool) Option {
	return func(c *config) error { c.noGenAI = !on; return nil }
}

// WithContent records on spans what is asked and answered: the first 8 KiB of a JSON request and of
// an answer of text, as they are on the wire, as video.processing.request.body and
// video.processing.response.body. Prompts and answers may hold what is private. Without this option
// none is ever recorded. Files that are uploaded, sound and pictures never are.
func WithContent() Option {
	return func(c *config) error { c.content = true; return nil }
}

// WithHost says that a host, such as "llm.internal:4000", speaks as a provider does that this
// package knows, such as "litellm" or "openai". Prices are that provider's.
func WithHost(host, name string) Option {
	return func(c *config) error {
		p := byName[name]
		if p == nil {
			return fmt.Errorf("WithHost(%.100q, %.100q): no such provider", host, name)
		}
		c.addHost(host, p)
		return nil
	}
}

// endpoint returns what a request asks for, or nil if it is not metered. It does not allocate.
func (c *config) endpoint(r *http.Request) (ep *endpoint) {
	defer contain()
	if r == nil || r.URL == nil {
		return nil
	}
	host := r.URL.Host
	if p := c.hosts[strings.ToLower(host)]; p != nil {
		return p.endpoint(r)
	}
	if p := providerOf(host); p != nil {
		return p.endpoint(r)
	}
	return nil
}
