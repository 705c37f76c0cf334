package aihttp

import (
	"math"
	"net/http"
	"strings"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// fal bills units that differ by model. The head of the result tells how many. The row of a model
// prices them as credits, or as what they are: seconds of video, audio or compute, or whole images. A
// model is the path of the request, such as "fal-ai/flux/dev". The path of a result lacks its last
// names, so that a result of another process's request may have no price.
var fal = func() *provider {
	create := &endpoint{
		provider: "fal", operation: "media_generation", answer: wire.NewTree("request_id", "response_url", "status_url"), job: true,
		head: func(x *exchange, h http.Header) { x.falUnits(h) },
		asked: func(x *exchange) {
			x.askedModel = strings.Trim(x.url.Path, "/")
			x.falUnit()
		},
		read: func(x *exchange, v *wire.JSON) {
			if !x.hasUsage && !(v.Value(1).Null() && v.Value(2).Null()) {
				x.is(v.Value(0).Text(), jobPending)
			}
		},
	}
	poll := &endpoint{
		provider: "fal", operation: "media_generation", poll: true,
		head: func(x *exchange, h http.Header) {
			x.falUnits(h)
			_, id, _ := strings.Cut(x.url.Path, "/requests/")
			if x.resp.StatusCode == http.StatusOK {
				x.is(strings.TrimSuffix(id, "/response"), jobDone)
			}
		},
		refused: func(x *exchange, h http.Header) { // the result of a request that was wrong; it may be charged, or not
			if x.resp.StatusCode == http.StatusUnprocessableEntity {
				x.falUnits(h)
				_, id, _ := strings.Cut(x.url.Path, "/requests/")
				x.is(strings.TrimSuffix(id, "/response"), jobDone)
			}
		},
		asked: func(x *exchange) {
			x.askedModel, _, _ = strings.Cut(strings.Trim(x.url.Path, "/"), "/requests/")
			x.falUnit()
		},
	}
	return &provider{name: "fal", hosts: []string{"fal.run", ".fal.run"}, endpoint: func(r *http.Request) *endpoint {
		path := strings.TrimSuffix(r.URL.Path, "/response")
		switch _, _, of := strings.Cut(path, "/requests/"); {
		case r.Method == http.MethodPost && !of:
			return create
		case r.Method == http.MethodGet && isLast(path, "/requests/"):
			return poll
		}
		return nil
	}}
}()

func (x *exchange) falUnits(h http.Header) {
	if text := h.Get("X-Fal-Billable-Units"); text != "" {
		n, ok := wire.ParseDecimal(text, 6)
		x.used(price.Credits, n, ok)
	}
}

// falUnit measures the units as the model's row does.
func (x *exchange) falUnit() {
	n := x.usage.Of(price.Credits)
	if !x.hasUsage || x.bad != "" {
		return
	}
	ways := []price.Usage{x.usage}
	for _, unit := range []price.Unit{price.Video, price.Audio, price.Compute} {
		if n < math.MaxInt64/1000 {
			var u price.Usage
			u.Add(unit, n*1000) // millionths are microseconds
			ways = append(ways, u)
		}
	}
	if n%1_000_000 == 0 {
		var u price.Usage
		u.Add(price.Images, n/1_000_000)
		ways = append(ways, u)
	}
	x.choose(ways...)
}
