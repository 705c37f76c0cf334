package aihttp

import (
	"net/http"
	"strings"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
	"github.com/stagemeter/stagemeter/instrument/money"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// batches are the endpoints of a provider's batches in the way of Anthropic's.
type batches struct{ create, poll, results *endpoint }

// anthropicBatches are jobs that are paid by what their results say, line by line. The results may be
// fetched again and are booked once. Without that, the job is unpriced as one whose end nobody has seen.
var anthropicBatches = &batches{
	create: &endpoint{
		provider: "anthropic", operation: "batch", job: true, answer: wire.NewTree("id"),
		read: func(x *exchange, v *wire.JSON) { x.is(v.Value(0).Text(), jobPending) },
	},
	poll: &endpoint{
		provider: "anthropic", operation: "batch", job: true, poll: true, answer: wire.NewTree("id", "processing_status", "request_counts"),
		read: func(x *exchange, v *wire.JSON) {
			state := jobPending
			if n, ok := v.Value(2).Get("succeeded").Int(); ok && n == 0 && v.Value(1).Is("ended") {
				state = jobFailed
			}
			x.is(v.Value(0).Text(), state)
		},
	},
	results: &endpoint{
		provider: "anthropic", operation: "batch", job: true, poll: true, lines: true,
		answer: wire.NewTree("result.type", "result.message.model", "result.message.usage"),
		head: func(x *exchange, _ http.Header) {
			if x.resp.StatusCode == http.StatusOK {
				x.is(operationID(strings.TrimSuffix(x.url.Path, "/results")), jobDone)
			}
		},
		read: func(x *exchange, v *wire.JSON) {
			switch v.Value(0).Text() {
			case "succeeded":
				line := &exchange{t: x.t, ep: anthropicMessages, tier: "batch"}
				line.takeMessage(v.Value(1), v.Value(2))
				cost, err := line.cost()
				to := &x.parts
				if is(err, price.UnknownTier) && line.tier == "batch" { // batches are half the ordinary price
					line.tier = ""
					cost, err = line.cost()
					to = &x.halved
				}
				if err != nil {
					x.bad = line.why(err)
				}
				*to = money.Sum(*to, cost)
			case "errored", "canceled", "expired": // free
			default:
				x.bad = reasonMalformed
			}
			x.inParts = x.bad == ""
		},
	},
}

func (b *batches) of(r *http.Request) *endpoint {
	switch path := r.URL.Path; {
	case !strings.Contains(path, "/v1/messages/batches"):
		return nil
	case r.Method == http.MethodPost && strings.HasSuffix(path, "/v1/messages/batches"):
		return b.create
	case r.Method == http.MethodGet && isLast(path, "/v1/messages/batches/"):
		return b.poll
	case r.Method == http.MethodGet && strings.HasSuffix(path, "/results") && isLast(strings.TrimSuffix(path, "/results"), "/v1/messages/batches/"):
		return b.results
	}
	return nil
}
