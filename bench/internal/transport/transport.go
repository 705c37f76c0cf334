// Package transport measures what aihttp adds to a client's requests.
package transport

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/stagemeter/stagemeter/bench/internal/figures"
	"github.com/stagemeter/stagemeter/bench/internal/page"
	"github.com/stagemeter/stagemeter/bench/internal/rounds"
	"github.com/stagemeter/stagemeter/exporters"
	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/aihttp"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// Names of the two that do the same.
const (
	plain = "net/http"
	ours  = "net/http through aihttp"
)

// Goals, of what is added. A stream may have four fifths of the throughput.
const (
	callAllocs, streamAllocs = 8, 16
	addedBytes               = 2 << 10
	streamTime               = 1 / 0.8
)

// cost is what one call costs, in dollars.
const cost = (400*2.5 + 100*10) / 1e6

// A request is one kind of request.
type request struct {
	name, kind, text string
	metered          bool
	read             func(io.Reader) (int, error)
	allocs, size     float64 // at most
}

func requests() []request {
	lines := bufio.NewReader(nil)
	byLine := func(r io.Reader) (n int, err error) {
		for lines.Reset(r); err == nil; {
			var line []byte
			line, err = lines.ReadSlice('\n')
			n += len(line)
		}
		if err == io.EOF {
			err = nil
		}
		return n, err
	}
	whole := func(r io.Reader) (int, error) {
		n, err := io.Copy(io.Discard, r)
		return int(n), err
	}
	return []request{
		{"a call", "application/json", answer, true, whole, callAllocs, addedBytes},
		{"a stream of 10 MB, read line by line", "text/event-stream", stream(), true, byLine, streamAllocs, addedBytes},
		{"a host that is not metered", "application/json", answer, false, whole, 0, 0},
	}
}

// Measure times requests to a server of this process, with and without a Transport.
func Measure(s rounds.Settings, _ bool) (figures.Section, error) {
	sec := figures.Section{Name: "transport", Title: "A paid API over HTTP",
		Intro: "A request to a server of this process, until its answer is read: with a client of net/http, and with the same client " +
			"through an aihttp.Transport, which prices it, counts it and records the metrics of gen_ai. There is no budget and no tracer. " +
			"The answer is chat JSON, or a stream of chat events."}
	t := figures.Table{Title: "Requests", Columns: []string{"", "time", "ratio", "throughput", "allocs", "added", "bytes", "added"}}
	for _, r := range requests() {
		results, err := r.measure(s)
		if err != nil {
			return sec, fmt.Errorf("%s: %w", r.name, err)
		}
		r.add(&sec, &t, results)
	}
	sec.Tables = append(sec.Tables, t)
	return sec, nil
}

func (r request) measure(s rounds.Settings) (results rounds.Results, err error) {
	server, err := newServer(r.kind, r.text)
	if err != nil {
		return nil, err
	}
	defer server.Close()
	tel, err := exporters.Start(context.Background(), exporters.WithoutServer(), exporters.WithoutGlobals())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, tel.Shutdown(context.Background())) }()
	p, err := instrument.New(instrument.WithMeterProvider(tel.MeterProvider()), instrument.WithTracerProvider(tracenoop.NewTracerProvider()))
	if err != nil {
		return nil, err
	}
	prices, err := price.Parse([]byte(`{"rows":[{"provider":"openai","model":"gpt-4o","per_1M":{"input":"2.50","output":"10"}}]}`))
	if err != nil {
		return nil, err
	}
	opts := []aihttp.Option{aihttp.WithPrices(prices)}
	if r.metered {
		opts = append(opts, aihttp.WithHost(server.host(), "openai"))
	}
	base := &http.Transport{DisableCompression: true}
	defer base.CloseIdleConnections()
	ctx := instrument.ContextWithPipeline(context.Background(), p)
	var failed error
	loop := func(to http.RoundTripper) func(int) {
		client := &http.Client{Transport: to}
		return func(n int) {
			for range n {
				if err := r.do(ctx, client, "http://"+server.host()+"/v1/chat/completions"); err != nil {
					failed = err
				}
			}
		}
	}
	through := loop(aihttp.NewTransport(base, opts...))
	if through(3); failed != nil {
		return nil, failed
	}
	if err := r.check(tel.Handler(), 3); err != nil {
		return nil, err
	}
	results = rounds.Run(s, rounds.Rival{Name: plain, Loop: loop(base)}, rounds.Rival{Name: ours, Loop: through})
	return results, failed
}

// check reports whether the calls so far were counted and priced, or nothing was if the host is not metered.
func (r request) check(h http.Handler, calls float64) error {
	all, err := page.NewScraper(h, page.Text, "identity").Page()
	if err != nil {
		return err
	}
	want := map[string]float64{"video_processing_cost_usd_total": 0, "video_processing_api_calls_total": 0, "gen_ai_client_token_usage_count": 0}
	if r.metered {
		want["video_processing_cost_usd_total"], want["video_processing_api_calls_total"] = cost*calls, calls
		want["gen_ai_client_token_usage_count"] = 2 * calls // of input, and of output
	}
	for name, want := range want {
		var sum float64
		for key, v := range all.Samples {
			if strings.HasPrefix(key, name+"{") {
				sum += v
			}
		}
		if diff := sum - want; diff > 1e-9 || diff < -1e-9 {
			return fmt.Errorf("%s is %v, want %v", name, sum, want)
		}
	}
	return nil
}

func (r request) do(ctx context.Context, client *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(question))
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	n, err := r.read(resp.Body)
	if err == nil && n != len(r.text) {
		err = fmt.Errorf("%d bytes of %d", n, len(r.text))
	}
	return errors.Join(err, resp.Body.Close())
}

// add adds the rows of a request and its goals.
func (r request) add(sec *figures.Section, t *figures.Table, results rounds.Results) {
	without, with := results.Of(plain), results.Of(ours)
	for _, res := range results {
		var ratio, allocs, size string
		if without != nil && res.Name == ours {
			ratio = figures.Figure(rounds.Ratio(with, without, nil)) + figures.Ratio
			allocs, size = figures.Figure(added(with.Allocs(), without.Allocs())), figures.Bytes(added(with.Bytes(), without.Bytes()))
		}
		t.Add(r.name+", "+res.Name, figures.Times(res.Nanos()), ratio, figures.Bytes(float64(len(r.text))/res.Nanos().Median*1e9)+"/s",
			figures.Figure(float64(int(res.Allocs().Median+0.5))), allocs, figures.Bytes(res.Bytes().Median), size)
	}
	if without == nil || with == nil {
		return
	}
	sec.Absolute(sec.Title+": allocations added to "+r.name, r.name, added(with.Allocs(), without.Allocs()), r.allocs, "")
	if r.size > 0 { // else only the noise of net/http would be counted
		sec.Absolute(sec.Title+": bytes added to "+r.name, r.name, added(with.Bytes(), without.Bytes()), r.size, "B")
	}
	if r.allocs == streamAllocs {
		sec.Ratio(sec.Title+": time of "+r.name+", to net/http", r.name, rounds.Ratio(with, without, nil), streamTime)
	}
}

// added is the difference of the least of both: net/http starts a timer if an answer is quick, and the collector
// empties pools.
func added(with, without rounds.Spread) float64 {
	return max(0, float64(int(with.Low-without.Low+0.5)))
}
