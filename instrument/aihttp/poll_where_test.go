package aihttp_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/aihttp"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/instrument/money"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// Where the cost of a job goes whose creation and polls are not in the same place.
func TestWhereAJobIsBooked(t *testing.T) {
	call := func(ctx context.Context, api string, f func(context.Context) error) error {
		return instrument.RunCall(ctx, api, f)
	}
	create := func(c *http.Client) func(context.Context) error {
		return func(ctx context.Context) error { return ask(ctx, c, http.MethodPost, transcripts) }
	}
	poll := func(c *http.Client) func(context.Context) error {
		return func(ctx context.Context) error { return ask(ctx, c, http.MethodGet, transcripts+"/t1") }
	}
	for name, tt := range map[string]struct {
		run   func(ctx context.Context, c *http.Client) error
		api   string
		calls float64
	}{
		"created in a call, polled outside": {func(ctx context.Context, c *http.Client) error {
			return errors.Join(call(ctx, "submit", create(c)), poll(c)(ctx), poll(c)(ctx))
		}, "assemblyai", 1},
		"created outside, polled in calls": {func(ctx context.Context, c *http.Client) error {
			return errors.Join(create(c)(ctx), call(ctx, "poll", poll(c)), call(ctx, "poll", poll(c)))
		}, "poll", 3},
		"each in a call": {func(ctx context.Context, c *http.Client) error {
			return errors.Join(call(ctx, "submit", create(c)), call(ctx, "poll", poll(c)), call(ctx, "poll", poll(c)))
		}, "poll", 3},
	} {
		t.Run(name, func(t *testing.T) {
			p, rec := instrumenttest.New(t)
			ctx, job := p.StartJob(t.Context(), "job")
			if err := tt.run(ctx, scripted(t, "200 "+queued, "200 "+completed, "200 "+completed)); err != nil {
				t.Fatal(err)
			}
			job.End(nil)
			polled(t, rec, jobCost, tt.calls, 0)
			if got := rec.Counter("video_processing_cost_usd_total", attribute.String("api", tt.api)); instrument.Dollars(got) != jobCost {
				t.Errorf("%v of %s", got, tt.api)
			}
		})
	}
}

// The cost goes to the job that polls, which may be another than the one that has created it.
func TestAJobIsBookedWhereItIsPolled(t *testing.T) {
	p, rec := instrumenttest.New(t)
	c := scripted(t, "200 "+queued, "200 "+completed)
	first, creates := p.StartJob(t.Context(), "creates")
	asks(t, first, c, http.MethodPost, transcripts)
	creates.End(nil)
	second, polls := p.StartJob(t.Context(), "polls")
	asks(t, second, c, http.MethodGet, transcripts+"/t1")
	polls.End(nil)
	polled(t, rec, jobCost, 1, 0)
	if creates.Cost() != 0 || polls.Cost() != jobCost {
		t.Errorf("the creating job cost %s, the polling one %s", creates.Cost(), polls.Cost())
	}
}

// A budget is strict for a job whose length only WithUsage tells, and no less than what is billed at
// least is held.
func TestABudgetHoldsTheLeastThatIsBilled(t *testing.T) {
	p, rec := instrumenttest.New(t)
	table, err := price.Parse([]byte(`{"rows": [{"provider": "aws.transcribe", "model": "standard", "per_60_seconds": {"audio": "0.024"}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	answers := &script{lines: []string{
		`200 {"TranscriptionJob":{"TranscriptionJobName":"a","TranscriptionJobStatus":"IN_PROGRESS","CreationTime":1}}`,
		`200 {"TranscriptionJob":{"TranscriptionJobName":"a","TranscriptionJobStatus":"COMPLETED","CreationTime":1}}`,
	}}
	c := &http.Client{Transport: aihttp.NewTransport(answers, aihttp.WithPrices(table))}
	ctx, job := p.StartJob(t.Context(), "job", instrument.WithBudget(money.Cent))
	do := func(target string) error {
		var u price.Usage
		u.Add(price.Audio, int64(8*time.Second))
		r, _ := http.NewRequestWithContext(aihttp.WithUsage(ctx, u), http.MethodPost, "https://transcribe.eu-west-1.amazonaws.com/", strings.NewReader(`{"TranscriptionJobName":"a"}`))
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		r.Header.Set("X-Amz-Target", "Transcribe."+target)
		resp, err := c.Do(r)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, resp.Body)
		return errors.Join(err, resp.Body.Close())
	}
	if err := do("StartTranscriptionJob"); err != nil {
		t.Fatal(err)
	}
	var refused *instrument.BudgetError
	if err := do("StartTranscriptionJob"); !errors.As(err, &refused) {
		t.Errorf("a second job of 15 s where 15 of 25 s are held: %v", err) // 8 s would fit
	}
	if err := do("GetTranscriptionJob"); err != nil {
		t.Fatal(err)
	}
	job.End(nil)
	polled(t, rec, 6*money.Cent/10, 2, 0)
}

// A client that asks for compressed answers by itself polls, too.
func TestACompressedPoll(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job")
	table, err := price.Parse([]byte(pollPrices))
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Transport: aihttp.NewTransport(roundTripper(func(r *http.Request) (*http.Response, error) {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = io.WriteString(w, completed)
		_ = w.Close()
		return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {"gzip"}}, Body: io.NopCloser(&b), Request: r}, nil
	}), aihttp.WithPrices(table))}
	asks(t, ctx, c, http.MethodGet, transcripts+"/t1")
	asks(t, ctx, c, http.MethodGet, transcripts+"/t1")
	job.End(nil)
	polled(t, rec, jobCost, 1, 0)
}
