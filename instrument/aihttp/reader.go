package aihttp

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/stagemeter/stagemeter/instrument/price"
)

// maxKept is the most of a request or an answer that a reader is given.
const maxKept = 1 << 20

// An Exchange is one request of a paid API and its answer, for the function of [WithReader], which
// may keep none of it.
type Exchange struct {
	Request  *http.Request  // without its body
	Sent     []byte         // the request's body as it was sent, up to 1 MiB
	Response *http.Response // without its body
	Answer   []byte         // the answer's body as it came, up to 1 MiB
	Whole    bool           // Sent and Answer are all that there is
}

// WithReader meters a host that this package does not know. read tells what a request has used, once
// its answer has ended, or an error if it cannot: the call is then unpriced. A usage of no unit is
// not paid: it is booked as 0. name is the api of the metrics and the provider in the table of
// prices, unless the usage names another.
func WithReader(host, name string, read func(Exchange) (price.Usage, error)) Option {
	return func(c *config) error {
		switch {
		case host == "" || name == "":
			return fmt.Errorf("WithReader(%.100q, %.100q): a host and a name are needed", host, name)
		case read == nil:
			return fmt.Errorf("WithReader(%.100q, %.100q, nil)", host, name)
		}
		ep := &endpoint{provider: name, operation: "request", own: read}
		c.addHost(host, &provider{name: name, endpoint: func(*http.Request) *endpoint { return ep }})
		return nil
	}
}

func (c *config) addHost(host string, p *provider) {
	if c.hosts == nil {
		c.hosts = make(map[string]*provider)
	}
	c.hosts[strings.ToLower(host)] = p
}

// kept is a body of which the first part is kept.
type kept struct {
	text []byte
	over bool
}

func (k *kept) Write(p []byte) (int, error) {
	n := min(len(p), maxKept-len(k.text))
	k.text = append(k.text, p[:n]...)
	k.over = k.over || n < len(p)
	return len(p), nil
}

var errGoexit = errors.New("the function of WithReader ended its goroutine")

// readOwn asks the user's function, in a goroutine of its own: it may end that.
func (x *exchange) readOwn(whole bool) {
	request, response := *x.request, *x.resp
	request.Body, response.Body = nil, nil
	e := Exchange{Request: &request, Sent: x.keptSent.text, Response: &response, Answer: x.keptAnswer.text}
	e.Whole = whole && !x.keptSent.over && !x.keptAnswer.over
	done := make(chan struct{})
	var u price.Usage
	err := errGoexit
	go func() {
		defer close(done)
		defer func() {
			if v := recover(); v != nil {
				err = fmt.Errorf("the function of WithReader panicked: %v", v)
			}
		}()
		u, err = x.ep.own(e)
	}()
	<-done
	if err != nil {
		x.bad = reasonOf(err)
		return
	}
	if u.Provider == "" {
		u.Provider = x.ep.provider
	}
	x.usage, x.hasUsage, x.model = u, true, u.Model
	if u.None() {
		x.reported, x.isReported = 0, true
	}
}
