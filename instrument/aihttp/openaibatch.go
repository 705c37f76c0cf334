package aihttp

import (
	"net/http"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
	"github.com/stagemeter/stagemeter/instrument/money"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// batchTier is the tier of what is done in batches. A model without a row for it costs half of what it
// does else, as OpenAI, Azure and Groq say of all models.
const batchTier = "batch"

// openAIBatches are the endpoints that tell what a batch has used: the batch itself, or the file of its
// results if the batch does not. Whichever comes first is booked, once.
type openAIBatches struct{ state, results *endpoint }

func openAIBatchesFor(name string) *openAIBatches {
	switch name {
	case "openai", "azure.ai.openai", "groq":
	default:
		return nil
	}
	return &openAIBatches{
		state: &endpoint{
			provider: name, operation: "batch", poll: true, job: true,
			answer: wire.NewTree("status", "id", "model", "usage", "output_file_id"), read: readBatch, asked: batchAsked,
		},
		results: &endpoint{
			provider: name, operation: "batch", poll: true, lines: true,
			answer: wire.NewTree("response.body.model", "response.body.usage"), read: readBatchResult,
		},
	}
}

// of returns the endpoint of GET …/batches/ID or GET …/files/ID/content, or nil.
func (b *openAIBatches) of(r *http.Request) *endpoint {
	if b == nil || r.Method != http.MethodGet {
		return nil
	}
	folder, name := parentOf(strings.TrimSuffix(r.URL.Path, "/"))
	if strings.HasSuffix(folder, "/batches") {
		return b.state
	}
	if files, _ := parentOf(folder); name == "content" && strings.HasSuffix(files, "/files") {
		return b.results
	}
	return nil
}

// parentOf cuts the last name off a path.
func parentOf(path string) (folder, name string) {
	at := strings.LastIndexByte(path, '/')
	if at < 0 {
		return "", path
	}
	return path[:at], path[at+1:]
}

// readBatch reads a batch. What was done of one that has expired or was canceled is charged, too.
func readBatch(x *exchange, v *wire.JSON) {
	id, usage, file := v.Value(1).Text(), v.Value(3), v.Value(4).Text()
	switch v.Value(0).Text() {
	case "completed", "expired", "cancelled":
	case "failed":
		x.is(id, jobFailed)
		return
	default:
		x.is(id, jobPending)
		return
	}
	x.saw(v.Value(2), nil)
	x.tokens(tokensOf(x, usage, "input_tokens", "output_tokens"))
	switch {
	case !v.Done() || !x.hasUsage && x.bad == "": // the file tells
	case file != "" && !x.first(file):
		x.is(id, jobFailed) // it was booked by its file
	default:
		x.is(id, jobDone)
	}
}

// first marks a job as over, and reports whether it was not yet.
func (x *exchange) first(id string) bool {
	_, first := x.t.jobs.end(x.ep.provider+" "+id, time.Now())
	return first
}

func batchAsked(x *exchange) {
	if x.hasUsage && x.bad == "" {
		x.addBatched()
		x.sumBatched()
	}
}

// batched is what the results of a batch cost so far.
type batched struct {
	sum, full usd    // by rows for batches, and by others before they are halved
	why       string // there is no price, or ""
}

// addBatched adds the price of a usage.
func (x *exchange) addBatched() {
	u := x.usage
	u.Provider, u.Model, u.Tier = x.ep.provider, x.pricedModel(), batchTier
	cost, err := x.t.prices.Cost(u)
	to := &x.batch.sum
	if is(err, price.UnknownTier) {
		u.Tier = ""
		cost, err = x.t.prices.Cost(u)
		to = &x.batch.full
	}
	if err != nil {
		x.batch.why = reasonOf(err)
		return
	}
	*to = money.Sum(*to, cost)
}

// half returns half of an amount that is not negative, half a nano-dollar rounded up.
func half(u usd) usd { return money.Sum(u/2, u%2) }

// sumBatched takes the price of all.
func (x *exchange) sumBatched() {
	b := &x.batch
	if b.why != "" {
		x.bad, x.isReported = b.why, false
		return
	}
	x.report(int64(money.Sum(b.sum, half(b.full))), true)
}

// readBatchResult reads a line of a file, which has what one request of a batch was answered. A file
// without such a line is none of a batch.
func readBatchResult(x *exchange, v *wire.JSON) {
	usage := v.Value(1)
	if usage.Null() {
		return // a request that failed is free
	}
	x.model, x.usage, x.hasUsage, x.bad = "", price.Usage{}, false, ""
	x.saw(v.Value(0), nil)
	if usage.Get("input_tokens").Null() {
		x.tokens(tokensOf(x, usage, "prompt_tokens", "completion_tokens"))
		if x.bad != "" && usage.Get("completion_tokens").Null() { // of embeddings, all are input
			x.bad = ""
			x.tokens(tokens{input: usage.Get("prompt_tokens"), output: wire.Value("0")})
		}
	} else {
		x.tokens(tokensOf(x, usage, "input_tokens", "output_tokens"))
	}
	switch {
	case x.bad != "":
		x.batch.why = x.bad
	case !x.hasUsage:
		x.batch.why = string(price.UnknownUsage)
	default:
		x.addBatched()
	}
	folder, _ := parentOf(strings.TrimSuffix(x.url.Path, "/"))
	_, file := parentOf(folder)
	x.is(file, jobDone)
	x.sumBatched()
}
