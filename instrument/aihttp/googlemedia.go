package aihttp

import (
	"net/http"
	"strings"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
	"github.com/stagemeter/stagemeter/instrument/money"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// googleMedia are the endpoints of Imagen and Veo, and of batches, in the Gemini API and Vertex AI.
// Images that a filter has kept back are not charged, nor are videos. A video is charged by its
// length, which only the request tells: without it, 8 seconds.
type googleMedia struct {
	predict, video, videoPoll, videoFetch, batch, batchPoll *endpoint
}

const veoSeconds = 8_000_000_000 // of a video without a length in the request, in nanoseconds

func googleMediaFor(name string) *googleMedia {
	video := &endpoint{
		provider: name, operation: "media_generation", job: true, answer: wire.NewTree("name"), asked: veoAsked,
		request: wire.NewTree("parameters.durationSeconds", "parameters.sampleCount", "parameters.resolution"),
		read:    func(x *exchange, v *wire.JSON) { x.is(operationID(v.Value(0).Text()), jobPending) },
	}
	fetch := &endpoint{
		provider: name, operation: "media_generation", job: true, poll: true, asked: func(*exchange) {}, read: readVeo,
		answer: wire.NewTree("name", "done", "error", "response.generateVideoResponse", "response.raiMediaFilteredCount", "response.videos.*.mimeType"),
	}
	poll := *fetch
	poll.asked = func(x *exchange) { _, x.askedModel, _ = cutModel(x.url.Path) }
	return &googleMedia{
		predict: &endpoint{
			provider: name, operation: "image_generation", request: wire.NewTree("parameters.sampleCount"), asked: imagenAsked,
			answer: wire.NewTree("predictions.*.mimeType", "predictions.*.raiFilteredReason", "predictions.*.embeddings.statistics.token_count"),
			read: func(x *exchange, v *wire.JSON) {
				switch made, kept, embedded := v.Count(0), v.Count(1), v.Count(2); {
				case made+kept > 0:
					x.used(price.Images, made, true)
				case embedded == 1:
					n, ok := v.Value(2).Int()
					x.used(price.Input, n, ok)
				}
			},
		},
		video: video, videoPoll: &poll, videoFetch: fetch,
		batch: &endpoint{
			provider: name, operation: "batch", job: true, answer: wire.NewTree("name"),
			asked: func(x *exchange) { geminiAsked(x); x.tier = "batch" },
			read:  func(x *exchange, v *wire.JSON) { x.is("batch "+operationID(v.Value(0).Text()), jobPending) },
		},
		batchPoll: &endpoint{
			provider: name, operation: "batch", job: true, poll: true, asked: func(x *exchange) { x.tier = "batch" }, read: readGeminiBatch, item: readGeminiBatchItem,
			answer: wire.NewTree("name", "done", "error", "response.inlinedResponses.inlinedResponses.*.response.usageMetadata",
				"response.inlinedResponses.inlinedResponses.*.response.modelVersion", "response.inlinedResponses.inlinedResponses.*.error",
			).Items("response.inlinedResponses.inlinedResponses.*"),
		},
	}
}

func (m *googleMedia) all() []*endpoint {
	return []*endpoint{m.predict, m.video, m.videoPoll, m.batch}
}

func (m *googleMedia) of(r *http.Request, method string) *endpoint {
	path := r.URL.Path
	if r.Method == http.MethodGet {
		switch {
		case isLast(path, "/operations/") && strings.Contains(path, "/models/"):
			return m.videoPoll
		case isLast(path, "/batches/"):
			return m.batchPoll
		}
		return nil
	}
	switch method {
	case "predict":
		return m.predict
	case "predictLongRunning":
		return m.video
	case "fetchPredictOperation":
		return m.videoFetch
	case "batchGenerateContent", "asyncBatchEmbedContent":
		return m.batch
	}
	return nil
}

// cutModel returns what stands around "/models/" in a path, and the name that follows it.
func cutModel(path string) (before, model string, ok bool) {
	before, model, ok = strings.Cut(path, "/models/")
	model, _, _ = strings.Cut(model, "/")
	model, _, _ = strings.Cut(model, ":")
	return before, model, ok
}

// imagenAsked takes, before the call, how many images are wanted.
func imagenAsked(x *exchange) {
	geminiAsked(x)
	if x.resp != nil {
		return
	}
	n, ok := x.sentValue(0).Int()
	if !ok {
		n = 4 // as without it
	}
	x.used(price.Images, n, true)
}

func veoAsked(x *exchange) {
	geminiAsked(x)
	length, n := int64(veoSeconds), int64(1)
	ok1, ok2 := true, true
	if v := x.sentValue(0); !v.Null() {
		length, ok1 = v.Decimal(9)
	}
	if v := x.sentValue(1); !v.Null() {
		n, ok2 = v.Int()
	}
	x.usage.Variant = x.sentText(2, "")
	x.used(price.Video, length*n, ok1 && ok2 && n < 1000 && length < 1<<50)
}

func readVeo(x *exchange, v *wire.JSON) {
	state := jobPending
	if string(v.Value(1)) == "true" {
		state = jobDone
		filtered := v.Value(4)
		made := v.Count(5) > 0
		if g := v.Value(3); !g.Null() {
			filtered = g.Get("raiMediaFilteredCount")
			g.Get("generatedSamples").Each(func([]byte, wire.Value) bool {
				made = true
				return false
			})
		}
		if n, ok := filtered.Int(); !v.Value(2).Null() || ok && n > 0 && !made {
			state = jobFailed
		}
	}
	x.is(operationID(v.Value(0).Text()), state)
}

func readGeminiBatch(x *exchange, v *wire.JSON) {
	state := jobPending
	if string(v.Value(1)) == "true" {
		if state = jobDone; !v.Value(2).Null() {
			state = jobFailed
		}
	}
	x.is("batch "+operationID(v.Value(0).Text()), state)
}

// readGeminiBatchItem takes one answer of a batch whose answers are in its state. Of others, a file has
// them that no request here reads.
func readGeminiBatchItem(x *exchange, v *wire.JSON) {
	if v.Value(3).Null() {
		if v.Value(5).Null() { // an error is free
			x.bad = string(price.UnknownUsage)
		}
		x.inParts = x.bad == ""
		return
	}
	one := &exchange{t: x.t, ep: x.ep, tier: "batch", url: x.url, request: x.request}
	one.saw(v.Value(4), nil)
	one.takeGeminiUsage(v.Value(3))
	one.tier = "batch"
	cost, err := one.cost()
	if err != nil {
		x.bad = one.why(err)
	}
	x.parts = money.Sum(x.parts, cost)
	x.inParts = x.bad == ""
}
