package scrape

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
	"github.com/stagemeter/stagemeter/exporters/internal/exposition"
)

// lines returns the size of a text, counted line by line.
func lines(text string) (size exposition.Size) {
	series := map[string]bool{}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		size.Samples++
		name, labels, _ := strings.Cut(line[:strings.LastIndexByte(strings.Split(line, " # ")[0], ' ')], "{")
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			name = strings.TrimSuffix(name, suffix)
		}
		var rest []string
		for _, l := range strings.Split(strings.TrimSuffix(labels, "}"), ",") {
			if l != "" && !strings.HasPrefix(l, "le=") {
				rest = append(rest, l)
			}
		}
		series[name+strings.Join(rest, ",")] = true
	}
	size.Series = int64(len(series))
	return size
}

// families returns the size of an answer in protobuf.
func families(t *testing.T, rec *httptest.ResponseRecorder) (size exposition.Size) {
	t.Helper()
	dec := expfmt.NewDecoder(rec.Body, expfmt.ResponseFormat(rec.Header()))
	for {
		var f dto.MetricFamily
		if err := dec.Decode(&f); errors.Is(err, io.EOF) {
			return size
		} else if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		if _, err := expfmt.MetricFamilyToText(&text, &f); err != nil {
			t.Fatal(err)
		}
		size.Add(lines(text.String()))
	}
}

// The figures of a scrape are those of its answer, in every format and compression, on both ways.
func TestHealthOfAnAnswer(t *testing.T) {
	quiet()
	exponential := sdkmetric.NewView(sdkmetric.Instrument{Name: "work"},
		sdkmetric.Stream{Aggregation: sdkmetric.AggregationBase2ExponentialHistogram{MaxSize: 20, MaxScale: 3}})
	for _, tt := range []struct {
		reason string
		setup  setup
		target string
		accept []string
	}{
		{"exposition", setup{resource: []attribute.KeyValue{attribute.String("a", "b")}}, "/metrics", []string{acceptText, acceptOpenMetrics}},
		{"protobuf", setup{}, "/metrics", []string{acceptProtobuf}},
		{"a metric that exposition cannot write", setup{views: []sdkmetric.View{exponential}}, "/metrics", []string{acceptText}},
		{"some metrics", setup{}, "/metrics?name[]=counter_0_total&name[]=work_seconds&name[]=none", []string{acceptText, acceptProtobuf}},
	} {
		p := start(t, tt.setup)
		if h := p.handler.Health(); h != (Health{}) {
			t.Errorf("%s: before the first scrape: %+v", tt.reason, h)
		}
		exportertest.ManySeries(exportertest.InSpan(1), t, p.provider, 100)
		recordWork(t, p)
		scrapes := int64(0)
		for _, accept := range tt.accept {
			for _, encoding := range []string{identity, "gzip", "zstd"} {
				r := httptest.NewRequest(http.MethodGet, tt.target, nil)
				r.Header.Set("Accept", accept)
				r.Header.Set("Accept-Encoding", encoding)
				rec := httptest.NewRecorder()
				p.handler.ServeHTTP(rec, r)
				scrapes++
				h := p.handler.Health()
				if rec.Code != http.StatusOK || h.Successes != scrapes || h.Failures != 0 || h.LastSuccess.IsZero() || h.Duration <= 0 {
					t.Errorf("%s, %s, %s: %d, %+v", tt.reason, accept, encoding, rec.Code, h)
				}
				if h.Bytes != int64(rec.Body.Len()) {
					t.Errorf("%s, %s, %s: %d bytes, sent %d", tt.reason, accept, encoding, h.Bytes, rec.Body.Len())
				}
				if encoding != identity {
					continue
				}
				want := exposition.Size{}
				if accept == acceptProtobuf {
					want = families(t, rec)
				} else {
					want = lines(rec.Body.String())
				}
				if h.Size != want || want.Samples <= want.Series || want.Series < 50 {
					t.Errorf("%s, %s: %+v, the answer has %+v", tt.reason, accept, h.Size, want)
				}
			}
		}
	}
}

// Requests that fail are counted by what the client got, and keep the figures of the last success.
func TestHealthOfAnswersThatFail(t *testing.T) {
	quiet()
	p := start(t, setup{})
	exportertest.Count(p.provider, "jobs", 1)
	var broken atomic.Bool
	exportertest.Observe(t, p.provider, "pool", func() (int64, error) {
		if broken.Load() {
			panic("nil pool")
		}
		return 3, nil
	})
	for _, accept := range []string{acceptText, acceptProtobuf} {
		broken.Store(false)
		serve(p.handler, "Accept", accept)
		before := p.handler.Health()
		if before.FailuresInARow != 0 || before.LastSuccess.IsZero() {
			t.Errorf("%s: a success is %+v", accept, before)
		}
		broken.Store(true)
		for i := range int64(3) {
			serve(p.handler, "Accept", accept)
			h := p.handler.Health()
			if h.Failures != before.Failures+i+1 || h.FailuresInARow != i+1 || !strings.Contains(h.LastError, "nil pool") || h.LastFailure.Before(before.LastSuccess) {
				t.Errorf("%s: failure %d is %+v", accept, i+1, h)
			}
			h.Failures, h.FailuresInARow, h.LastError, h.LastFailure = before.Failures, 0, before.LastError, before.LastFailure
			if h != before {
				t.Errorf("%s: a failure changes the last success: %+v, was %+v", accept, h, before)
			}
		}
	}
	broken.Store(false)
	serve(p.handler)
	if h := p.handler.Health(); h.FailuresInARow != 0 || h.Failures != 6 || h.Successes != 3 {
		t.Errorf("after all: %+v", h)
	}
	p.handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodHead, "/metrics", nil))
	if h := p.handler.Health(); h.Successes != 3 || h.Failures != 6 {
		t.Errorf("HEAD is counted: %+v", h)
	}
	p.handler.ServeHTTP(gone{httptest.NewRecorder()}, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if h := p.handler.Health(); h.Failures != 7 || h.LastError != "the client has gone" {
		t.Errorf("an answer that nobody took: %+v", h)
	}
	p.handler.End()
	serve(p.handler)
	if h := p.handler.Health(); h.Failures != 8 || !strings.Contains(h.LastError, "has been shut down") {
		t.Errorf("after End: %+v", h)
	}
}

// gone is a client that takes no answer.
type gone struct{ http.ResponseWriter }

func (gone) Write([]byte) (int, error) { return 0, errors.New("the client has gone") }

// Health waits neither for scrapes nor for callbacks. Those that are too many are counted.
func TestHealthDuringScrapes(t *testing.T) {
	p := start(t, setup{})
	collections, release := blockCollections(t, p)
	const more = 3
	codes := make(chan int)
	for range maxClients + more {
		go func() { codes <- serve(p.handler).Code }()
	}
	for range more {
		if code := <-codes; code != http.StatusServiceUnavailable {
			t.Errorf("%d", code)
		}
	}
	exportertest.Eventually(t, "a collection", func() bool { return collections.Load() > 0 })
	if h := p.handler.Health(); h.Failures != more || h.Successes != 0 || !strings.Contains(h.LastError, "limit of concurrent scrapes") {
		t.Errorf("meanwhile: %+v", h)
	}
	release()
	for range maxClients {
		if code := <-codes; code != http.StatusOK {
			t.Errorf("%d", code)
		}
	}
	if h := p.handler.Health(); h.Failures != more || h.Successes != maxClients || h.FailuresInARow != 0 {
		t.Errorf("at the end: %+v", h)
	}
}

// Both ways find the metrics over the limit of series, and name them as Prometheus does.
func TestOverflowed(t *testing.T) {
	quiet()
	for _, accept := range []string{acceptText, acceptProtobuf} {
		p := start(t, setup{series: 10})
		c, err := p.provider.Meter("test").Float64Counter("cost")
		if err != nil {
			t.Fatal(err)
		}
		for i := range 20 {
			c.Add(context.Background(), 1, metric.WithAttributes(attribute.Int("job", i)))
		}
		exportertest.Count(p.provider, "jobs", 1)
		serve(p.handler, "Accept", accept)
		found, _ := p.handler.Source().Overflowed()
		names, last := p.handler.Overflowed()
		if got := fmt.Sprint(append(Names(found), names...)); got != "[cost_total]" {
			t.Errorf("%s: %s, want only cost_total", accept, got)
		}
		if last.IsZero() != (accept == acceptText) {
			t.Errorf("%s: the upstream exporter collected at %v", accept, last)
		}
	}
}
