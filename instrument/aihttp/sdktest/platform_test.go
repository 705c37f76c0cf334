package sdktest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/aihttp"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// rewrites does what the packages vertex and bedrock of anthropic-sdk-go do in a middleware of their
// own, without the keys: it takes the model out of the body, and puts it into the path.
func rewrites(path func(model string, streams bool) string) option.Middleware {
	return func(r *http.Request, next option.MiddlewareNext) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		_ = r.Body.Close()
		var fields map[string]any
		if err := json.Unmarshal(body, &fields); err != nil {
			return nil, err
		}
		model, _ := fields["model"].(string)
		streams, _ := fields["stream"].(bool)
		delete(fields, "model")
		if body, err = json.Marshal(fields); err != nil {
			return nil, err
		}
		r.URL.Path = path(model, streams)
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		return next(r)
	}
}

// Claude on Vertex AI and on Bedrock is metered whether our middleware stands before that of the
// platform, where anthropic-sdk-go wants a user's, or our client below it.
func TestClaudeOnPlatforms(t *testing.T) {
	table, err := price.Parse([]byte(`{"rows": [
		{"provider": "gcp.vertex_ai", "model": "claude-sonnet-4-5", "region": "us-east5", "per_1M": {"input": "1", "output": "1"}},
		{"provider": "gcp.vertex_ai", "model": "claude-sonnet-4-5", "region": "eu", "per_1M": {"input": "1", "output": "1"}},
		{"provider": "gcp.vertex_ai", "model": "claude-sonnet-4-5", "region": "global", "per_1M": {"input": "1", "output": "1"}},
		{"provider": "aws.bedrock", "model": "regional.anthropic.claude-sonnet-4-5-20250929-v1:0", "per_1M": {"input": "1", "output": "1"}}
	]}`))
	if err != nil {
		t.Fatal(err)
	}
	onVertex := func(location string) option.Middleware {
		return rewrites(func(model string, streams bool) string {
			method := "rawPredict"
			if streams {
				method = "streamRawPredict"
			}
			return "/v1/projects/studio/locations/" + location + "/publishers/anthropic/models/" + model + ":" + method
		})
	}
	onBedrock := rewrites(func(model string, streams bool) string {
		if streams {
			return "/model/" + model + "/invoke-with-response-stream"
		}
		return "/model/" + model + "/invoke"
	})
	for _, tt := range []struct {
		name, url, model string
		platform         option.Middleware
		answers          []int // of answers: whole, stream
	}{
		{"vertex", "https://us-east5-aiplatform.googleapis.com/", "claude-sonnet-4-5@20250929", onVertex("us-east5"), []int{2, 3}},
		{"vertex eu", "https://aiplatform.eu.rep.googleapis.com/", "claude-sonnet-4-5", onVertex("eu"), []int{2, 3}},
		{"vertex global", "https://aiplatform.googleapis.com/", "claude-sonnet-4-5", onVertex("global"), []int{2, 3}},
		{"bedrock", "https://bedrock-runtime.us-east-1.amazonaws.com/", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", onBedrock, []int{2, 3}},
	} {
		for _, at := range tt.answers {
			a := answers[at]
			for _, layer := range []bool{true, false} {
				if !layer && a.streams && tt.name == "bedrock" {
					continue // below the platform's middleware it is a stream of frames, as in the golden files
				}
				name := tt.name + "/" + a.name
				if layer {
					name += " by middleware"
				}
				t.Run(name, func(t *testing.T) {
					f := newFake(t, a.whole())
					options := []option.RequestOption{option.WithAPIKey("key"), option.WithBaseURL(tt.url)}
					if layer {
						options = append(options, option.WithHTTPClient(f.plain()), option.WithMiddleware(f.middleware(aihttp.WithPrices(table))))
					} else {
						options = append(options, option.WithHTTPClient(f.client(aihttp.WithPrices(table))))
					}
					client := anthropic.NewClient(append(options, option.WithMiddleware(tt.platform))...)
					params := messageParams
					params.Model = tt.model
					p, rec := instrumenttest.New(t)
					ctx, job := p.StartJob(t.Context(), "job", instrument.WithBudget(instrument.Cent))
					var err error
					if a.streams {
						err = drain(client.Messages.NewStreaming(ctx, params))
					} else {
						_, err = client.Messages.New(ctx, params)
					}
					job.End(nil)
					if err != nil || nano(rec) != cost || unpriced(rec) != 0 || calls(rec) != 1 {
						t.Errorf("%v: %d nano-dollars, %v of %v calls without a price", err, nano(rec), unpriced(rec), calls(rec))
					}
				})
			}
		}
	}
}
