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
	"time"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

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
}

// play sends the file's traffic through a Transport, and returns what was counted.
func (f *file) play(o playOptions) (Result, error) {
	table, err := f.table()
	if err != nil {
		return Result{}, err
	}
	reader := metric.NewManualReader()
	provider := metric.NewMeterProvider(metric.WithReader(reader))
	ended := make(chan struct{}, 100)
	p, err := instrument.New(instrument.WithMeterProvider(provider), instrument.WithEvents(instrument.Events{
		CallEnded: func(context.Context, instrument.CallEvent) { ended <- struct{}{} },
	}))
	if err != nil {
		return Result{}, err
	}
	ctx, job := p.StartJob(context.Background(), "golden")
	hint, err := f.hint()
	if err != nil {
		return Result{}, err
	}
	options := []aihttp.Option{aihttp.WithPrices(table)}
	for host, name := range f.Hosts {
		options = append(options, aihttp.WithHost(host, name))
	}
	answer := 0
	client := http.Client{
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
	for i, x := range f.Exchanges {
		r, err := x.Request.http()
		if err != nil {
			return Result{}, err
		}
		callCtx, cancel := context.WithCancel(ctx)
		defer cancel()
		if hint != nil {
			callCtx = aihttp.WithUsage(callCtx, *hint)
		}
		resp, err := client.Do(r.WithContext(callCtx))
		if err != nil {
			return Result{}, err
		}
		if o.read != nil {
			o.read(resp.Body, cancel)
			continue
		}
		got, err := io.ReadAll(resp.Body)
		if err != nil {
			return Result{}, err
		}
		_ = resp.Body.Close()
		if want, _, err := x.Response.bytes(o); err != nil || !bytes.Equal(got, want) {
			return Result{}, fmt.Errorf("answer %d was changed on its way: %q", i+1, got)
		}
	}
	job.End(nil)
	for range f.Exchanges {
		if o.read == nil {
			break
		}
		select { // a context that ends takes note of it in a goroutine
		case <-ended:
		case <-time.After(10 * time.Second):
			return Result{}, errors.New("the call has not ended")
		}
	}
	return count(reader)
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
	resp := &http.Response{
		Status: http.StatusText(a.Status), StatusCode: a.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: make(http.Header), Body: io.NopCloser(reader), ContentLength: -1, Request: r,
	}
	for name, value := range a.Headers {
		resp.Header.Set(name, value)
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
	if !o.gzip {
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
