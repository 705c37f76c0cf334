package aihttp_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/aihttp"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/instrument/money"
	"github.com/stagemeter/stagemeter/instrument/price"
)

const pollPrices = `{"rows": [
	{"provider": "assemblyai", "model": "universal", "per_3600_seconds": {"audio": "0.36"}},
	{"provider": "runway", "model": "gen4_turbo", "per_1_seconds": {"video": "0.05"}},
	{"provider": "vllm", "model": "m", "per_3600_seconds": {"compute": "3.60"}},
	{"provider": "ollama", "model": "m", "per_3600_seconds": {"compute": "3.60"}}
]}`

const (
	transcripts = "https://api.assemblyai.com/v2/transcript"
	queued      = `{"id":"t1","status":"queued","audio_duration":null}`
	completed   = `{"id":"t1","status":"completed","audio_duration":100}` // $0.01
	jobCost     = money.Cent
)

// script answers each request with the next of its lines, a status and a body.
type script struct {
	mu    sync.Mutex
	lines []string
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var status int
	line := s.lines[0]
	if len(s.lines) > 1 {
		s.lines = s.lines[1:]
	}
	if _, err := fmt.Sscanf(line, "%d", &status); err != nil {
		return nil, errors.New(line)
	}
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(line[4:])), Request: r}, nil
}

func scripted(t testing.TB, lines ...string) *http.Client {
	t.Helper()
	table, err := price.Parse([]byte(pollPrices))
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Transport: aihttp.NewTransport(&script{lines: lines}, aihttp.WithPrices(table), aihttp.WithHost("gpu:8000", "vllm"))}
}

func ask(ctx context.Context, c *http.Client, method, url string) error {
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader(`{"audio_url":"https://example.com/a","model":"gen4_turbo","duration":5}`)
	}
	r, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return err
	}
	resp, err := c.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.ReadAll(resp.Body)
	return err
}

func asks(t *testing.T, ctx context.Context, c *http.Client, method, url string) {
	t.Helper()
	if err := ask(ctx, c, method, url); err != nil {
		t.Fatal(err)
	}
}

func polled(t *testing.T, rec *instrumenttest.Recorder, cost money.USD, calls, unpriced float64) {
	t.Helper()
	if got := rec.Counter("video_processing_cost_usd_total"); instrument.Dollars(got) != cost {
		t.Errorf("cost %v, want %s", got, cost)
	}
	if got := rec.Counter("video_processing_api_calls_total"); got != calls {
		t.Errorf("%v calls, want %v", got, calls)
	}
	if got := rec.Counter("video_processing_api_unpriced_total"); got != unpriced {
		t.Errorf("%v unpriced, want %v", got, unpriced)
	}
	if got, _ := rec.Gauge("video_processing_api_calls_in_progress"); got != 0 {
		t.Errorf("%v calls in progress", got)
	}
}

func TestAJobIsChargedOnce(t *testing.T) {
	for name, tt := range map[string]struct {
		lines    []string
		cost     money.USD
		calls    float64
		unpriced float64
	}{
		"its end is seen often":                       {[]string{"200 " + queued, "200 " + queued, "200 " + completed, "200 " + completed, "200 " + completed}, jobCost, 1, 0},
		"its creator answers when it is over":         {[]string{"200 " + completed, "200 " + completed}, jobCost, 1, 0},
		"polls that fail tell nothing":                {[]string{"200 " + queued, "500 {}", "404 " + completed, "reset", "200 " + completed}, jobCost, 1, 0},
		"a poll that breaks off tells nothing":        {[]string{"200 " + queued, `200 {"id":"t1","status":"completed","audio_du`, "200 " + completed}, jobCost, 1, 0},
		"no length: unknown once":                     {[]string{"200 " + queued, `200 {"id":"t1","status":"completed"}`, `200 {"id":"t1","status":"completed"}`}, 0, 1, 1},
		"a length that is none":                       {[]string{"200 " + queued, `200 {"id":"t1","status":"completed","audio_duration":-3}`}, 0, 1, 1},
		"an error is free":                            {[]string{"200 " + queued, `200 {"id":"t1","status":"error","audio_duration":100}`}, 0, 1, 0},
		"the request for it was refused":              {[]string{"429 {}", "404 {}"}, 0, 1, 0},
		"another of the same name would be the same":  {[]string{"200 " + queued, "200 " + completed, "200 " + completed}, jobCost, 1, 0},
		"an answer that names no job is no job":       {[]string{"200 {}", "200 {}"}, 0, 1, 1},
		"garbage where a job should be is no job":     {[]string{"200 ]]", "200 [[["}, 0, 1, 1},
		"a model that the table lacks is not its end": {[]string{`200 {"id":"t1","status":"queued","speech_model":"nano"}`, "200 " + completed}, 0, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			p, rec := instrumenttest.New(t)
			ctx, job := p.StartJob(t.Context(), "job")
			c := scripted(t, tt.lines...)
			_ = ask(ctx, c, http.MethodPost, transcripts)
			for range tt.lines[1:] {
				_ = ask(ctx, c, http.MethodGet, transcripts+"/t1")
			}
			job.End(nil)
			polled(t, rec, tt.cost, tt.calls, tt.unpriced)
			if job.Cost() != tt.cost {
				t.Errorf("the job cost %s, want %s", job.Cost(), tt.cost)
			}
		})
	}
}

func TestPollersAtTheSameTimeChargeOnce(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job")
	c := scripted(t, "200 "+queued, "200 "+completed)
	asks(t, ctx, c, http.MethodPost, transcripts)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { _ = ask(ctx, c, http.MethodGet, transcripts+"/t1") })
	}
	all.Wait()
	job.End(nil)
	polled(t, rec, jobCost, 1, 0)
}

func TestAJobOfAnotherProcessIsACall(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job")
	c := scripted(t, "200 "+completed)
	for range 3 {
		asks(t, ctx, c, http.MethodGet, transcripts+"/t1")
	}
	job.End(nil)
	polled(t, rec, jobCost, 1, 0)
}

// A client that decodes one value never sees the end of the answer, and may close it late.
func TestAJobIsKnownBeforeItsAnswerIsClosed(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job")
	c := scripted(t, "200 "+`{"id":"17f2"}`, "200 "+`{"id":"17f2","status":"SUCCEEDED"}`)
	r, _ := http.NewRequestWithContext(ctx, http.MethodPost, "https://api.dev.runwayml.com/v1/image_to_video", strings.NewReader(`{"model":"gen4_turbo","duration":5}`))
	resp, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	var task struct{ ID string }
	if err := json.NewDecoder(resp.Body).Decode(&task); err != nil {
		t.Fatal(err)
	}
	asks(t, ctx, c, http.MethodGet, "https://api.dev.runwayml.com/v1/tasks/"+task.ID)
	resp.Body.Close()
	job.End(nil)
	polled(t, rec, 25*money.Cent, 1, 0)
}

// The call around the creation and the polls has the cost, and holds the money.
func TestAJobInsideOfACall(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job", instrument.WithBudget(money.Dollar))
	c := scripted(t, "200 "+queued, "200 "+queued, "200 "+completed, "200 "+completed)
	err := instrument.RunCall(ctx, "whisper", func(ctx context.Context) error {
		for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodGet, http.MethodGet} {
			url := transcripts
			if method == http.MethodGet {
				url += "/t1"
			}
			if err := ask(ctx, c, method, url); err != nil {
				return err
			}
		}
		return nil
	}, instrument.WithMaxCost(50*money.Cent))
	job.End(&err)
	polled(t, rec, jobCost, 1, 0)
	if got := rec.Counter("video_processing_cost_usd_total", attribute.String("api", "whisper")); instrument.Dollars(got) != jobCost {
		t.Errorf("%v of the call's api", got)
	}
}

// A budget holds the price of a job until it is over.
func TestABudgetHoldsAJobUntilItsEnd(t *testing.T) {
	for _, end := range []struct {
		line string
		cost money.USD
	}{
		{completed, jobCost},
		{`{"id":"t1","status":"error"}`, 0},
	} {
		p, rec := instrumenttest.New(t, instrument.WithUnpricedPolicy(instrument.ReserveUnpriced(60*money.Cent)))
		ctx, job := p.StartJob(t.Context(), "job", instrument.WithBudget(money.Dollar))
		c := scripted(t, "200 "+queued, "200 "+queued, "200 "+end.line, `200 {"id":"t2","status":"queued"}`, `200 {"id":"t2","status":"completed","audio_duration":100}`)
		asks(t, ctx, c, http.MethodPost, transcripts)
		asks(t, ctx, c, http.MethodGet, transcripts+"/t1")
		var refused *instrument.BudgetError
		if err := ask(ctx, c, http.MethodPost, transcripts); !errors.As(err, &refused) {
			t.Errorf("a second job while the first holds 60 of 100 cents: %v", err)
		}
		asks(t, ctx, c, http.MethodGet, transcripts+"/t1")
		if left, _ := job.BudgetRemaining(); left != money.Dollar-end.cost {
			t.Errorf("%s left after the first", left)
		}
		asks(t, ctx, c, http.MethodPost, transcripts)
		asks(t, ctx, c, http.MethodGet, transcripts+"/t2")
		job.End(nil)
		polled(t, rec, money.Sum(end.cost, jobCost), 3, 0) // and the one that was refused
		spans := 0
		for _, s := range rec.Spans() {
			if have := attrs(s); have["gen_ai.usage.cost"] == fmt.Sprint(end.cost.Float64()) || have["gen_ai.usage.cost"] == "0.01" {
				spans++
			}
		}
		if spans != 2 {
			t.Errorf("the cost is on %d spans, want those of both jobs", spans)
		}
		if got := rec.Counter("video_processing_api_errors_total"); got != 0 && end.cost > 0 || got != 1 && end.cost == 0 {
			t.Errorf("%v errors", got)
		}
	}
}

// What nobody asks about is unpriced when it is forgotten: unknown is not 0.
func TestAJobThatNobodyAsksAbout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, rec := instrumenttest.New(t)
		ctx, job := p.StartJob(t.Context(), "job")
		c := scripted(t, "200 "+queued, `200 {"id":"t2","status":"queued"}`)
		asks(t, ctx, c, http.MethodPost, transcripts)
		time.Sleep(48*time.Hour + time.Second)
		asks(t, ctx, c, http.MethodPost, transcripts)
		job.End(nil)
		polled(t, rec, 0, 2, 1)
		if got := rec.Counter("video_processing_api_unpriced_total", attribute.String("reason", "unpolled")); got != 1 {
			t.Errorf("%v unpolled", got)
		}
	})
}

// A machine of the user's own costs time, also if nothing tells tokens.
// The row of a machine prices no tokens: a budget holds the time that WithUsage tells.
func TestABudgetHoldsTheTimeOfAnOwnServer(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job", instrument.WithBudget(money.Dollar))
	table, err := price.Parse([]byte(pollPrices))
	if err != nil {
		t.Fatal(err)
	}
	var held money.USD
	c := &http.Client{Transport: aihttp.NewTransport(roundTripper(func(r *http.Request) (*http.Response, error) {
		held = p.Snapshot(instrument.Query{}).Live[0].Budget.Held
		return (&script{lines: []string{`200 {"model":"m","total_duration":2000000000,"eval_count":20}`}}).RoundTrip(r)
	}), aihttp.WithPrices(table), aihttp.WithHost("gpu:11434", "ollama"))}
	chat := func(ctx context.Context) error {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://gpu:11434/api/chat", strings.NewReader(`{"model":"m"}`))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.Do(r)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			resp.Body.Close()
		}
		return err
	}
	if err := chat(ctx); !errors.Is(err, instrument.ErrBudgetExceeded) {
		t.Errorf("the error is %v of a call that may take any time, want a refusal", err)
	}
	var most price.Usage
	most.Add(price.Compute, int64(30*time.Second))
	if err := chat(aihttp.WithUsage(ctx, most)); err != nil {
		t.Error(err)
	}
	if want := 30 * money.Dollar / 1000; held != want {
		t.Errorf("%v was held, want %v", held, want)
	}
	job.End(nil)
	if want := 2 * money.Dollar / 1000; cost(rec) != want {
		t.Errorf("%v is booked, want %v", cost(rec), want)
	}
}

func TestTimeOfAnOwnServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, rec := instrumenttest.New(t)
		ctx, job := p.StartJob(t.Context(), "job")
		table, err := price.Parse([]byte(pollPrices))
		if err != nil {
			t.Fatal(err)
		}
		c := &http.Client{Transport: aihttp.NewTransport(roundTripper(func(r *http.Request) (*http.Response, error) {
			time.Sleep(2500 * time.Millisecond)
			return (&script{lines: []string{`200 {"model":"m","choices":[]}`}}).RoundTrip(r)
		}), aihttp.WithPrices(table), aihttp.WithHost("gpu:8000", "vllm"))}
		asks(t, ctx, c, http.MethodPost, "http://gpu:8000/v1/chat/completions")
		job.End(nil)
		polled(t, rec, 2500*money.Dollar/1_000_000, 1, 0)
	})
}

// A job that is over is known as long as there is room: its result may be fetched days later.
func TestAJobThatIsFetchedLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, rec := instrumenttest.New(t)
		ctx, job := p.StartJob(t.Context(), "job")
		c := scripted(t, "200 "+queued, "200 "+completed, `200 {"id":"t2","status":"error"}`, "200 "+completed)
		asks(t, ctx, c, http.MethodPost, transcripts)
		asks(t, ctx, c, http.MethodGet, transcripts+"/t1")
		time.Sleep(100 * time.Hour)
		asks(t, ctx, c, http.MethodPost, transcripts)
		asks(t, ctx, c, http.MethodGet, transcripts+"/t1")
		job.End(nil)
		polled(t, rec, jobCost, 2, 0)
	})
}

// A poll is no call, but a provider throttles polls, too.
func TestThrottledPolls(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job")
	c := scripted(t, "429 {}")
	asks(t, ctx, c, http.MethodGet, transcripts+"/t1")
	job.End(nil)
	polled(t, rec, 0, 0, 0)
	if got := rec.Counter("video_processing_api_throttled_total", attribute.String("api", "assemblyai"), attribute.String("counted_as", "attempt")); got != 1 {
		t.Errorf("%v throttled", got)
	}
}
