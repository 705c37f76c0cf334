package aihttp

import (
	"net/http"
	"slices"
	"strings"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// replicate bills the time that a machine worked on a prediction, also on one that failed or was
// canceled, or what the prediction has made: the row of the model says which. A prediction of a
// deployment has the tier "deployment": there the machine is paid while it waits, too, which no answer
// tells. No answer tells the hardware either: the Model of [WithUsage], such as "gpu-l40s", is priced
// if the table lacks the prediction's own.
var replicate = func() *provider {
	tree := wire.NewTree("id", "status", "model", "version", "metrics")
	asked := func(x *exchange) {
		path := strings.Trim(x.url.Path, "/")
		if _, name, ok := strings.Cut(path, "deployments/"); ok {
			x.tier, x.askedModel = "deployment", strings.TrimSuffix(name, "/predictions")
		} else if _, name, ok := strings.Cut(path, "models/"); ok {
			x.askedModel, _, _ = strings.Cut(strings.TrimSuffix(name, "/predictions"), "/versions/")
		} else {
			x.askedModel, _, _ = strings.Cut(x.sentText(3, ""), ":")
		}
		x.onHardware()
	}
	create := &endpoint{provider: "replicate", operation: "media_generation", request: tree, answer: tree, asked: asked, read: readReplicate, job: true}
	poll := &endpoint{provider: "replicate", operation: "media_generation", answer: tree, asked: (*exchange).onHardware, read: readReplicate, job: true, poll: true}
	return &provider{name: "replicate", hosts: []string{"api.replicate.com"}, endpoint: func(r *http.Request) *endpoint {
		switch path := r.URL.Path; {
		case r.Method == http.MethodPost && (strings.HasSuffix(path, "/predictions") || strings.HasSuffix(path, "/trainings")):
			return create
		case r.Method == http.MethodGet && (isLast(path, "/predictions/") || isLast(path, "/trainings/")),
			r.Method == http.MethodPost && (strings.Contains(path, "/predictions/") || strings.Contains(path, "/trainings/")) && strings.HasSuffix(path, "/cancel"):
			return poll
		}
		return nil
	}}
}()

// onHardware finds the row of the model, or of the hardware, and measures the call as it does.
func (x *exchange) onHardware() {
	names := []string{x.model, x.askedModel}
	if x.hint != nil {
		names = append(names, x.hint.Model)
	}
	if names = slices.DeleteFunc(names, func(s string) bool { return s == "" }); len(names) > 0 {
		x.model = x.pick(names...)
	}
	x.choose(x.made...)
}

func readReplicate(x *exchange, v *wire.JSON) {
	metrics := v.Value(4)
	worked := metrics.Get("predict_time")
	state := jobPending
	switch v.Value(1).Text() {
	case "succeeded", "successful":
		state = jobDone
	case "failed", "canceled", "aborted":
		if state = jobFailed; !worked.Null() {
			state = jobDone
		}
	}
	x.is(v.Value(0).Text(), state)
	if x.model = v.Value(2).Text(); x.model == "" {
		x.model, _, _ = strings.Cut(v.Value(3).Text(), ":")
	}
	x.made = x.made[:0]
	way := func(take func(u *price.Usage)) {
		var u price.Usage
		take(&u)
		x.made = append(x.made, u)
	}
	add := func(u *price.Usage, unit price.Unit, digits int, name string) {
		if m := metrics.Get(name); !m.Null() {
			n, ok := m.Decimal(digits)
			if !ok {
				n = -1
			}
			u.Add(unit, n)
		}
	}
	way(func(u *price.Usage) { add(u, price.Compute, 9, "predict_time") })
	way(func(u *price.Usage) {
		add(u, price.Input, 0, "input_token_count")
		add(u, price.Output, 0, "output_token_count")
	})
	way(func(u *price.Usage) { add(u, price.Images, 0, "image_count") })
	way(func(u *price.Usage) { add(u, price.Video, 9, "video_output_duration_seconds") })
	way(func(u *price.Usage) { u.Add(price.Requests, 1) })
}
