package aihttp_test

import (
	"testing"

	"github.com/stagemeter/stagemeter/instrument/aihttp"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// The hosts of Vertex AI tell where a call is served if its path does not yet, as before the
// middleware that anthropic-sdk-go has for the platform. On Bedrock the model does.
func TestClaudeBeforeItsPlatform(t *testing.T) {
	prices, err := price.Parse([]byte(`{"rows": [
		{"provider": "gcp.vertex_ai", "model": "claude", "per_1M": {"input": "1"}},
		{"provider": "gcp.vertex_ai", "model": "claude", "region": "us-east5", "per_1M": {"input": "2"}},
		{"provider": "gcp.vertex_ai", "model": "claude", "region": "eu", "per_1M": {"input": "3"}},
		{"provider": "gcp.vertex_ai", "model": "claude", "region": "global", "per_1M": {"input": "4"}},
		{"provider": "aws.bedrock", "model": "regional.anthropic.claude-v1:0", "per_1M": {"input": "5"}},
		{"provider": "aws.bedrock", "model": "anthropic.claude-v1:0", "per_1M": {"input": "6"}}
	]}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		url, model string
		nano       int64 // a token
	}{
		{"https://us-east5-aiplatform.googleapis.com/v1/messages", "claude", 2000},
		{"https://aiplatform.eu.rep.googleapis.com/v1/messages", "claude", 3000},
		{"https://aiplatform.us.rep.googleapis.com/v1/messages", "claude", 1000},
		{"https://aiplatform.googleapis.com/v1/messages", "claude", 4000},
		{"https://aiplatform.googleapis.com/v1/projects/p/locations/us-east5/publishers/anthropic/models/claude:rawPredict", "", 2000},
		{"https://bedrock-runtime.us-east-1.amazonaws.com/v1/messages", "eu.anthropic.claude-v1:0", 5000},
		{"https://bedrock-runtime.us-east-1.amazonaws.com/v1/messages", "global.anthropic.claude-v1:0", 6000},
	} {
		p, rec := instrumenttest.New(t)
		ctx, job := p.StartJob(t.Context(), "job")
		f := newFake(t, says(200, "application/json", `{"model":"claude","usage":{"input_tokens":7,"output_tokens":0}}`), aihttp.WithPrices(prices))
		if _, err := f.post(ctx, tt.url, `{"model":"`+tt.model+`","max_tokens":1}`); err != nil {
			t.Error(err)
		}
		job.End(nil)
		if got := int64(cost(rec)); got != 7*tt.nano {
			t.Errorf("%s %s: %d nano-dollars, want %d", tt.url, tt.model, got, 7*tt.nano)
		}
	}
}
