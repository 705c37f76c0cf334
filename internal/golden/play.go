package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"time"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/aihttp"
	"github.com/stagemeter/stagemeter/semconv"
)

// playOptions say how an answer comes, and how it is read.
type playOptions struct {
	chunk  int                                  // bytes that one Read gives; 0 for all
	gzip   bool                                 // the client has asked for compression by itself
	change func(body []byte) []byte             // of an answer, before it is sent
	read   func(r io.ReadCloser, cancel func()) // in place of reading to the end

	pipeline []instrument.Option // more of them
	job      []instrument.JobOption
}

// play sends the file's traffic through a Transport, and returns what was counted.
func (f *file) play(o playOptions) (Result, error) {
	if f.Hosts == nil {
		if err := f.findHosts(); err != nil {
			return Result{}, err
		}
	}
	got, _, err := f.playOn(o)
	return got, err
}

// findHosts says that hosts which package aihttp does not know, such as that of a proxy, are the
// file's provider.
func (f *file) findHosts() error {
	f.Hosts = make(map[string]string)
	_, calls, err := f.playOn(playOptions{})
	if providers := f.providers(); calls == 0 && err == nil && len(providers) > 0 {
		for _, x := range f.Exchanges {
			if u, err := url.Parse(x.Request.URL); err == nil {
				f.Hosts[u.Host] = providers[0]
			}
		}
	}
	return err
}

// playOn is play with the hosts that are known. It also returns how many calls have ended.
func (f *file) playOn(o playOptions) (got Result, calls int, err error) {
	table, err := f.table()
	if err != nil {
		return got, 0, err
	}
	hint, err := f.hint()
	if err != nil {
		return got, 0, err
	}
	reader, spans := metric.NewManualReader(), tracetest.NewSpanRecorder()
	ended := make(chan struct{}, 100+2*len(f.Exchanges)) // more than there can be
	p, err := instrument.New(append([]instrument.Option{
		instrument.WithMeterProvider(metric.NewMeterProvider(metric.WithReader(reader))),
		instrument.WithTracerProvider(trace.NewTracerProvider(trace.WithSpanProcessor(spans))),
		instrument.WithEvents(instrument.Events{CallEnded: func(context.Context, instrument.CallEvent) { ended <- struct{}{} }}),
	}, o.pipeline...)...)
	if err != nil {
		return got, 0, err
	}
	ctx, job := p.StartJob(context.Background(), "golden", o.job...)
	options := []aihttp.Option{aihttp.WithPrices(table)}
	for host, name := range f.Hosts {
		options = append(options, aihttp.WithHost(host, name))
	}
	for i, client := 0, f.client(o, options); i < len(f.Exchanges); i++ {
		callCtx, cancel := context.WithCancel(ctx)
		defer cancel()
		if hint != nil {
			callCtx = aihttp.WithUsage(callCtx, *hint)
		}
		if err := f.exchange(callCtx, cancel, client, i, o); err != nil {
			return got, 0, fmt.Errorf("exchange %d: %w", i+1, err)
		}
	}
	job.End(nil)
	for range f.Exchanges {
		if o.read == nil {
			break
		}
		select { // a context that ends takes note of it in a goroutine
		case <-ended:
			calls++
		case <-time.After(10 * time.Second):
			return got, 0, errors.New("the call has not ended")
		}
	}
	if err := p.Close(context.Background()); err != nil {
		return got, 0, err
	}
	got, err = count(reader)
	got.Source = source(got, spans.Ended())
	return got, calls + len(ended), err
}

// client returns a client whose requests are answered by the file.
func (f *file) client(o playOptions, options []aihttp.Option) *http.Client {
	answer := 0
	return &http.Client{
		Transport: aihttp.NewTransport(roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Body != nil {
				_, _ = io.Copy(io.Discard, r.Body)
				_ = r.Body.Close()
			}
			resp, err := f.Exchanges[answer].Response.http(r, o)
			answer++
			return resp, err
		}), options...),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// exchange sends the i-th request and reads its answer.
func (f *file) exchange(ctx context.Context, cancel func(), client *http.Client, i int, o playOptions) error {
	x := f.Exchanges[i]
	r, err := x.Request.http()
	if err != nil {
		return err
	}
	resp, err := client.Do(r.WithContext(ctx))
	if err != nil {
		return err
	}
	if o.read != nil {
		o.read(resp.Body, cancel)
		return nil
	}
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	if want, _, err := x.Response.bytes(o); err != nil || !bytes.Equal(got, want) {
		return fmt.Errorf("the answer was changed on its way: %q", got)
	}
	return nil
}

// source returns where the cost is from: the spans tell it. That of a job which is polled may be on
// no span: it is "".
func source(r Result, spans []trace.ReadOnlySpan) string {
	from := "none"
	if r.Nano > 0 {
		from = ""
	}
	for _, s := range spans {
		for _, a := range s.Attributes() {
			if a.Key != "gen_ai.usage.cost.source" {
				continue
			}
			if from = "table"; a.Value.AsString() == "provider" {
				from = "provider"
			}
		}
	}
	if r.Unknown {
		return "none"
	}
	return from
}

func (a response) http(r *http.Request, o playOptions) (*http.Response, error) {
	text, packed, err := a.bytes(o)
	if err != nil {
		return nil, err
	}
	var reader io.Reader = bytes.NewReader(text)
	if o.chunk > 0 {
		reader = &chunked{reader, o.chunk}
	}
	if a.Status == 0 {
		a.Status = http.StatusOK
	}
	resp := &http.Response{
		Status: http.StatusText(a.Status), StatusCode: a.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: make(http.Header), Body: io.NopCloser(reader), ContentLength: -1, Request: r,
	}
	for name, values := range a.Headers {
		resp.Header[name] = slices.Clone(values)
	}
	if packed {
		resp.Header.Set("Content-Encoding", "gzip")
	}
	return resp, nil
}

// bytes returns the body as it is sent, and whether it is compressed.
func (a response) bytes(o playOptions) (text []byte, packed bool, err error) {
	if text, err = body(a.Body, a.BodyBase64); err != nil {
		return nil, false, err
	}
	if o.change != nil {
		text = o.change(text)
	}
	if !o.gzip || http.Header(a.Headers).Get("Content-Encoding") != "" {
		return text, false, nil
	}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(text)
	_ = w.Close()
	return b.Bytes(), true, nil
}

type chunked struct {
	io.Reader
	n int
}

func (c *chunked) Read(p []byte) (int, error) { return c.Reader.Read(p[:min(len(p), c.n)]) }

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// count reads the counters.
func count(reader *metric.ManualReader) (r Result, err error) {
	var all metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &all); err != nil {
		return r, err
	}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[float64]:
				if m.Name == semconv.CostName {
					for _, p := range data.DataPoints {
						r.Nano += int64(math.Round(p.Value * 1e9))
					}
				}
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					r.Unknown = r.Unknown || m.Name == semconv.APIUnpricedName && p.Value > 0
				}
			}
		}
	}
	return r, nil
}
