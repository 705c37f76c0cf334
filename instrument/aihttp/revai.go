package aihttp

import (
	"net/http"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// revAILeast is what Rev AI bills for a job at least.
const revAILeast = 15 * time.Second

// revAI bills begun seconds of audio. Speech that is not English is the variant "foreign".
var revAI = func() *provider {
	tree := wire.NewTree("id", "status", "duration_seconds", "transcriber", "language")
	read := func(x *exchange, v *wire.JSON) {
		state := jobPending
		switch v.Value(1).Text() {
		case "transcribed", "completed":
			state = jobDone
		case "failed":
			state = jobFailed
		}
		x.is(v.Value(0).Text(), state)
		x.heard(v.Value(2))
		x.model = v.Value(3).Text()
		if language := v.Value(4).Text(); language != "" && !strings.HasPrefix(language, "en") {
			x.usage.Variant = "foreign"
		}
	}
	asked := func(x *exchange) {
		if x.askedModel = x.sentText(3, ""); x.askedModel == "" && x.model == "" {
			x.askedModel = x.pick("machine", "reverb")
		}
		if n := x.usage.Of(price.Audio) % int64(time.Second); n > 0 {
			x.usage.Add(price.Audio, int64(time.Second)-n)
		}
		x.atLeast(price.Audio, revAILeast)
	}
	create := &endpoint{provider: "rev_ai", operation: "transcription", request: tree, answer: tree, asked: asked, read: read, job: true, least: revAILeast}
	poll := &endpoint{provider: "rev_ai", operation: "transcription", answer: tree, asked: asked, read: read, job: true, poll: true}
	return &provider{name: "rev_ai", hosts: []string{"api.rev.ai", ".api.rev.ai"}, endpoint: func(r *http.Request) *endpoint {
		switch path := r.URL.Path; {
		case r.Method == http.MethodPost && strings.HasSuffix(path, "/speechtotext/v1/jobs"):
			return create
		case r.Method == http.MethodGet && isLast(path, "/speechtotext/v1/jobs/"):
			return poll
		}
		return nil
	}}
}()
