package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"net/http"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/aihttp"
	"github.com/stagemeter/stagemeter/semconv"
)

// playOptions say how an answer comes.
type playOptions struct {
	chunk int // bytes that one Read gives; 0 for all
}

// play sends the file's traffic through a Transport, and returns what was counted.
func (f *file) play(o playOptions) (Result, error) {
	table, err := f.table()
	if err != nil {
		return Result{}, err
	}
	reader := metric.NewManualReader()
	provider := metric.NewMeterProvider(metric.WithReader(reader))
	p, err := instrument.New(instrument.WithMeterProvider(provider))
	if err != nil {
		return Result{}, err
	}
	ctx, job := p.StartJob(context.Background(), "golden")
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
		}), aihttp.WithPrices(table)),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	for i, x := range f.Exchanges {
		r, err := x.Request.http()
		if err != nil {
			return Result{}, err
		}
		resp, err := client.Do(r.WithContext(ctx))
		if err != nil {
			return Result{}, err
		}
		got, err := io.ReadAll(resp.Body)
		if err != nil {
			return Result{}, err
		}
		_ = resp.Body.Close()
		if want, err := body(x.Response.Body, x.Response.BodyBase64); err != nil || !bytes.Equal(got, want) {
			return Result{}, fmt.Errorf("answer %d was changed on its way: %q", i+1, got)
		}
	}
	job.End(nil)
	return count(reader)
}

func (a response) http(r *http.Request, o playOptions) (*http.Response, error) {
	text, err := body(a.Body, a.BodyBase64)
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
	return resp, nil
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
				if m.Name == semconv.APIUnpricedName {
					for _, p := range data.DataPoints {
						r.Unknown = r.Unknown || p.Value > 0
					}
				}
			}
		}
	}
	return r, nil
}
