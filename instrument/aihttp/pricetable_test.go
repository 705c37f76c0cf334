package aihttp_test

import (
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/aihttp"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/instrument/money"
	"github.com/stagemeter/stagemeter/instrument/price"
)

func parsed(t *testing.T, text string) aihttp.Option {
	t.Helper()
	table, err := price.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return aihttp.WithPrices(table)
}

// The age of the prices is shown once they are in use: of two tables, that of the older one.
func TestPriceTableShowsItsAge(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job")
	defer job.End(nil)
	call := func(checked string) {
		f := newFake(t, says(200, "application/json", chatText), parsed(t, `{"checked": "`+checked+`", "rows": []}`))
		if _, err := f.post(ctx, chatURL, chatBody); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct{ checked, want string }{{"2026-11-27", "2026-11-27"}, {"2026-10-01", "2026-10-01"}, {"2026-11-28", "2026-10-01"}} {
		call(tt.checked)
		want, _ := time.Parse(time.DateOnly, tt.want)
		if got, ok := rec.Gauge(vp("price_table_timestamp_seconds")); !ok || got != float64(want.Unix()) {
			t.Errorf("after a table of %s: %v, want %d", tt.checked, got, want.Unix())
		}
	}
}

// The location of a call to Vertex AI is in its path, and decides the price.
func TestVertexPricesByLocation(t *testing.T) {
	prices := parsed(t, `{"rows": [
		{"provider": "gcp.vertex_ai", "model": "claude-haiku-4-5", "region": "global", "max_output_tokens": 100, "per_1M": {"input": "1", "output": "5"}},
		{"provider": "gcp.vertex_ai", "model": "claude-haiku-4-5", "max_output_tokens": 100, "per_1M": {"input": "1.1", "output": "5.5"}}]}`)
	const answer = `{"model":"claude-haiku-4-5-20251001","usage":{"input_tokens":1000,"output_tokens":1}}`
	for location, want := range map[string]instrument.USD{"global": 1_005_000, "europe-west1": 1_105_500} {
		p, _ := instrumenttest.New(t)
		f := newFake(t, says(200, "application/json", answer), prices)
		// The model is in the path only, and the budget needs a bound of its price.
		ctx, job := p.StartJob(t.Context(), "job", instrument.WithBudget(money.Dollar))
		url := "https://aiplatform.googleapis.com/v1/projects/p/locations/" + location + "/publishers/anthropic/models/claude-haiku-4-5@20251001:rawPredict"
		if _, err := f.post(ctx, url, `{"anthropic_version":"vertex-2023-10-16","max_tokens":100,"messages":[]}`); err != nil {
			t.Errorf("%s: %v", location, err)
		}
		if got := job.Cost(); got != want {
			t.Errorf("%s: %d, want %d", location, int64(got), int64(want))
		}
		job.End(nil)
	}
}
