package aihttp

import (
	"net/http"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// provider is one API.
type provider struct {
	name     string                        // as OpenTelemetry has it in gen_ai.provider.name
	hosts    []string                      // exact names, or endings that begin with a dot or a hyphen
	endpoint func(*http.Request) *endpoint // nil if a request is not paid
}

// endpoint is one kind of paid request.
type endpoint struct {
	provider   string
	operation  string                              // gen_ai.operation.name
	request    *wire.Tree                          // what is read of a JSON request
	tellsUsage bool                                // its streams tell usage if they are asked for it
	form       []string                            // the fields that are read of a form
	answer     *wire.Tree                          // what is read of a JSON answer, or of each event of a stream
	needles    []string                            // one of which is in every event that tells usage
	whole      wire.Needle                         // `"name":` of a usage that tells all so far; none if events tell parts of it
	besides    []string                            // keys of what events with whole may tell, and later ones not again
	own        func(Exchange) (price.Usage, error) // of WithReader, in place of all that follows
	head       func(x *exchange, h http.Header)    // takes what the answer's head tells
	refused    func(x *exchange, h http.Header)    // takes the head of an answer that is no success
	asked      func(x *exchange)                   // takes what the request has told
	read       func(x *exchange, v *wire.JSON)     // takes an answer or an event
	item       func(x *exchange, v *wire.JSON)     // takes an object of the answer that Tree.Items names
	fee        bool                                // a request may be charged beside its tokens
	last       func(event []byte) bool             // whether an event ends the stream
	limits     map[string]int                      // paths of the request that bound the answer
	least      time.Duration                       // of sound that a request is billed as at least
	step       time.Duration                       // in which sound is billed; 0 is a second
	apart      string                              // the query that has channels billed one by one
	geo        bool                                // where it is served may multiply its price
	lines      bool                                // the answer is one JSON text a line
	job        bool                                // the answer tells of a job; the first path of answer is its id or state
	poll       bool                                // asks for the state of a job, and is no call
}

// providers are all that are known. Each file of a provider adds its own.
var providers = append([]*provider{
	openAI, anthropic, gemini, vertex, azure, openRouter, liteLLM, groq,
}, append(media, others...)...)

var byName = func() map[string]*provider {
	m := make(map[string]*provider, len(providers))
	for _, p := range providers {
		m[p.name] = p
	}
	return m
}()

// providerOf returns the provider of a host.
func providerOf(host string) *provider {
	if at := strings.LastIndexByte(host, ':'); at >= 0 && !strings.HasSuffix(host, "]") {
		host = host[:at]
	}
	for _, p := range providers {
		for _, h := range p.hosts {
			if (h[0] == '.' || h[0] == '-') && len(host) > len(h) && strings.EqualFold(host[len(host)-len(h):], h) || strings.EqualFold(host, h) {
				return p
			}
		}
	}
	return nil
}
