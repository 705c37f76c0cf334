package aihttp

import (
	"net/http"
	"strings"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// runway bills seconds of video, or images, by the request: no answer tells them. A task is charged
// when it is over, and not when it is made: failed tasks are not billed, but for those that moderation
// has refused, which cost as much as others (docs.dev.runwayml.com/api-details/moderation). Images are
// told apart by their ratio, video by "audio" or "silent" if the request says so. A model that takes
// the length of its input needs the length of WithUsage.
var runway = func() *provider {
	create := &endpoint{
		provider: "runway", operation: "media_generation", job: true,
		request: wire.NewTree("model", "duration", "ratio", "audio", "promptText"), answer: wire.NewTree("id"),
		asked: runwayAsked, read: func(x *exchange, v *wire.JSON) { x.is(v.Value(0).Text(), jobPending) },
	}
	poll := &endpoint{
		provider: "runway", operation: "media_generation", job: true, poll: true, answer: wire.NewTree("status", "failureCode"),
		read: func(x *exchange, v *wire.JSON) {
			state := jobPending
			switch v.Value(0).Text() {
			case "SUCCEEDED":
				state = jobDone
			case "FAILED":
				if state = jobFailed; strings.HasPrefix(v.Value(1).Text(), "SAFETY") {
					state = jobDone
				}
			case "CANCELLED", "CANCELED":
				state = jobFailed
			}
			x.is(operationID(x.url.Path), state)
		},
	}
	return &provider{name: "runway", hosts: []string{"api.dev.runwayml.com", ".runwayml.com"}, endpoint: func(r *http.Request) *endpoint {
		switch path := r.URL.Path; {
		case r.Method == http.MethodGet && isLast(path, "/v1/tasks/"):
			return poll
		case r.Method == http.MethodPost && runwayTasks[operationID(path)]:
			return create
		}
		return nil
	}}
}()

var runwayTasks = map[string]bool{
	"image_to_video": true, "text_to_video": true, "video_to_video": true, "character_performance": true, "video_upscale": true,
	"text_to_image": true, "text_to_speech": true, "sound_effect": true, "speech_to_speech": true, "voice_dubbing": true, "voice_isolation": true,
}

func runwayAsked(x *exchange) {
	x.askedModel = x.sentText(0, "")
	switch operationID(x.url.Path) {
	case "text_to_image":
		x.usage.Variant = x.sentText(2, "")
		x.used(price.Images, 1, true)
		return
	case "text_to_speech":
		x.spoken(4)
		return
	}
	switch string(x.sentValue(3)) {
	case "true":
		x.usage.Variant = "audio"
	case "false":
		x.usage.Variant = "silent"
	}
	if length := x.sentValue(1); !length.Null() {
		ns, ok := length.Decimal(9)
		x.used(price.Video, ns, ok)
	}
}
