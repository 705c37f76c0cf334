package aihttp

import (
	"net/http"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// googleStep is in what version 1 bills; version 2 bills seconds.
const googleStep = 15 * time.Second

// googleSpeech bills the length that its answer calls billed, never that of the media. Its versions 1
// and 2 have different prices: they are the variants v1 and v2.
var googleSpeech = func() *provider {
	request := wire.NewTree("config.model", "processingStrategy", "config.useEnhanced")
	recognize := &endpoint{
		provider: "gcp.speech", operation: "transcription", request: request, asked: googleSpeechAsked, step: googleStep,
		answer: wire.NewTree("totalBilledTime", "metadata.totalBilledDuration"),
		read: func(x *exchange, v *wire.JSON) {
			x.billed(v.Value(0), v.Value(1))
		},
	}
	create := &endpoint{
		provider: "gcp.speech", operation: "transcription", request: request, asked: googleSpeechAsked, answer: wire.NewTree("name", "done"), job: true, step: googleStep,
		read: func(x *exchange, v *wire.JSON) { x.is(operationID(v.Value(0).Text()), jobPending) },
	}
	poll := &endpoint{
		provider: "gcp.speech", operation: "transcription", job: true, poll: true,
		answer: wire.NewTree("done", "error", "response.totalBilledTime", "response.totalBilledDuration", "response.metadata.totalBilledDuration"),
		read: func(x *exchange, v *wire.JSON) {
			state := jobPending
			if string(v.Value(0)) == "true" {
				if state = jobDone; !v.Value(1).Null() {
					state = jobFailed
				}
			}
			x.is(operationID(x.url.Path), state)
			x.billed(v.Value(2), v.Value(3), v.Value(4))
		},
	}
	return &provider{name: "gcp.speech", hosts: []string{"speech.googleapis.com", "-speech.googleapis.com"}, endpoint: func(r *http.Request) *endpoint {
		path := r.URL.Path
		_, method, _ := strings.Cut(path[strings.LastIndexByte(path, '/')+1:], ":")
		switch {
		case r.Method == http.MethodPost && method == "recognize":
			return recognize
		case r.Method == http.MethodPost && (method == "longrunningrecognize" || method == "batchRecognize"):
			return create
		case r.Method == http.MethodGet && isLast(path, "/operations/"):
			return poll
		}
		return nil
	}}
}()

// operationID returns the last name of an operation's path.
func operationID(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// billed takes the first length, such as "15s", that is there.
func (x *exchange) billed(lengths ...wire.Value) {
	for _, v := range lengths {
		if v.Null() {
			continue
		}
		text, isLength := strings.CutSuffix(v.Text(), "s")
		ns, ok := wire.ParseDecimal(text, 9)
		x.usage = price.Usage{Variant: x.usage.Variant}
		x.used(price.Audio, ns, ok && isLength)
		return
	}
}

func googleSpeechAsked(x *exchange) {
	if x.askedModel = x.sentText(0, ""); x.askedModel == "" {
		x.askedModel = "default"
	}
	if string(x.sentValue(2)) == "true" {
		x.tier = "enhanced"
	}
	if x.sentText(1, "") == "DYNAMIC_BATCHING" {
		x.tier = "dynamic_batch"
	}
	x.usage.Variant = "v1"
	if strings.Contains(x.url.Path, "/v2/") {
		x.usage.Variant = "v2"
	}
}
