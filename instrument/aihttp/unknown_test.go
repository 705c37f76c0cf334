package aihttp_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/aihttp"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// said returns what is told to otel.Handle from now on.
func said(t *testing.T) *[]string {
	var all []string
	before := otel.GetErrorHandler()
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { all = append(all, err.Error()) }))
	t.Cleanup(func() { otel.SetErrorHandler(before) })
	return &all
}

func matching(all []string, what string) (n int) {
	for _, s := range all {
		if strings.Contains(s, what) {
			n++
		}
	}
	return n
}

// A model without a price is told once, and of many models no more than 100.
func TestUnknownModelsAreToldOnce(t *testing.T) {
	all := said(t)
	p, _ := instrumenttest.New(t)
	model := ""
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		says(200, "application/json", `{"model":"`+model+`","usage":{"prompt_tokens":1,"completion_tokens":1}}`)(w, r)
	})
	ctx := instrument.ContextWithPipeline(t.Context(), p)
	ask := func() {
		if _, err := f.post(ctx, chatURL, chatBody); err != nil {
			t.Error(err)
		}
	}
	for _, model = range []string{"new-1", "new-1", "new-2", "new-1", "gpt-4o"} {
		ask()
	}
	if one, two := matching(*all, `"new-1"`), matching(*all, `"new-2"`); one != 1 || two != 1 || len(*all) != 2 || !strings.Contains((*all)[0], "STAGEMETER_PRICES") {
		t.Errorf("%q", *all)
	}
	for i := range 150 {
		model = fmt.Sprint("many-", i, strings.Repeat("x", 5000))
		ask()
	}
	longest := 0
	for _, s := range *all {
		longest = max(longest, len(s))
	}
	if n := matching(*all, "no price"); n != 101 || longest > 1000 {
		t.Errorf("%d lines, the longest of %d bytes", n, longest)
	}
}

// A stream without usage is told with what to do.
func TestStreamsWithoutUsageAreTold(t *testing.T) {
	all := said(t)
	p, _ := instrumenttest.New(t)
	f := newFake(t, says(200, "text/event-stream", streamHead+streamTail))
	for range 2 {
		if _, err := f.post(instrument.ContextWithPipeline(t.Context(), p), chatURL, chatBody); err != nil {
			t.Fatal(err)
		}
	}
	if len(*all) != 1 || !strings.Contains((*all)[0], "WithStreamUsage") {
		t.Errorf("%q", *all)
	}
}

// A key in a URL is on no span, in no metric and in no line of the log, whatever fails.
func TestNoKeyOfAURLIsShown(t *testing.T) {
	const key = "AIzaHidden"
	const url = "https://generativelanguage.googleapis.com/v1beta/models/gemini-y:generateContent?key=" + key
	all := said(t)
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job")
	lost := errors.New("connection reset")
	fails := roundTripper(func(r *http.Request) (*http.Response, error) {
		return nil, fmt.Errorf("Post %q: %w", r.URL, lost) // as a client below a middleware says it
	})
	meter := aihttp.NewTransport(fails, aihttp.WithPrices(table(t)), aihttp.WithContent())
	client := &http.Client{Transport: meter}
	ask := func(ctx context.Context) error {
		r, _ := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(`{}`))
		_, err := client.Do(r)
		return err
	}
	_ = ask(ctx)
	_ = instrument.RunCall(ctx, "titles", ask)
	r, _ := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(`{}`))
	_, _ = meter.Middleware(r, fails.RoundTrip)
	f := newFake(t, says(200, "application/json", `{"usageMetadata":{"promptTokenCount":7}}`), aihttp.WithContent())
	_, _ = f.post(ctx, url, `{}`)
	job.End(nil)
	text := fmt.Sprint(*all, rec.Exposition(), p.Snapshot(instrument.Query{}))
	for _, s := range rec.Spans() {
		text += fmt.Sprintln(s.Name, s.Attributes, s.Events, s.Status)
	}
	if strings.Contains(text, key) || len(rec.Spans()) < 5 || !strings.Contains(text, "connection reset") {
		t.Errorf("%s", text)
	}
}
