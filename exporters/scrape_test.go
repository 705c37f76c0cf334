package exporters

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
)

const (
	acceptOpenMetrics = "application/openmetrics-text;version=1.0.0"
	acceptProtobuf    = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
)

// scraped returns the answer of tel's server.
func scraped(t *testing.T, tel *Telemetry, accept string) string {
	t.Helper()
	body, _ := get(t, http.DefaultClient, "http://"+tel.Addr().String()+"/metrics", accept)
	return body
}

// get returns the body and the response; the status must be 200.
func get(t *testing.T, client *http.Client, url, accept string) (string, *http.Response) {
	t.Helper()
	body, resp := ask(t, client, url, accept)
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s\n%s", url, resp.Status, body)
	}
	return body, resp
}

// ask returns the body and the response, whatever its status.
func ask(t *testing.T, client *http.Client, url, accept string) (string, *http.Response) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	defer client.CloseIdleConnections()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body), resp
}

// recordTraced records a duration inside a span, and returns the id of the trace.
func recordTraced(t *testing.T, tel *Telemetry) string {
	t.Helper()
	h, err := tel.MeterProvider().Meter("test").Float64Histogram("work", metric.WithUnit("s"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, s := tel.TracerProvider().Tracer("test").Start(context.Background(), "render")
	defer s.End()
	h.Record(ctx, 0.3)
	return s.SpanContext().TraceID().String()
}

// The scraper chooses the format. OpenMetrics and protobuf have exemplars, with the id of the trace
// that is pushed.
func TestFormats(t *testing.T) {
	r := receive(t)
	tel := start(t, WithPrometheusAddr("127.0.0.1:0"), WithOTLPEndpoint(r.url()), WithServiceName("editor"))
	count(tel, "video.processing.jobs", 2)
	trace := recordTraced(t, tel)

	t.Run("text", func(t *testing.T) {
		body, resp := get(t, http.DefaultClient, "http://"+tel.Addr().String()+"/metrics", "text/plain")
		if ct := resp.Header.Get("Content-Type"); !strings.HasPrefix(ct, "text/plain; version=0.0.4") {
			t.Errorf("Content-Type %q", ct)
		}
		for _, want := range []string{
			"\nvideo_processing_jobs_total 2\n",
			`target_info{`, `service_name="editor"`,
			`promhttp_metric_handler_errors_total{cause="gathering"} 0`,
			`video_processing_export_failures_total{signal="metrics"} 0`,
			`video_processing_export_failures_total{signal="traces"} 0`,
		} {
			if !strings.Contains(body, want) {
				t.Errorf("lacks %q:\n%s", want, body)
			}
		}
		for _, unwanted := range []string{"otel_scope", "go_goroutines", "process_cpu", trace} {
			if strings.Contains(body, unwanted) {
				t.Errorf("has %q", unwanted)
			}
		}
	})
	t.Run("OpenMetrics", func(t *testing.T) {
		body := scraped(t, tel, acceptOpenMetrics)
		if !strings.Contains(body, `trace_id="`+trace+`"`) || !strings.HasSuffix(body, "# EOF\n") {
			t.Errorf("no exemplar with trace %s, or no end:\n%s", trace, body)
		}
	})
	t.Run("protobuf", func(t *testing.T) {
		body, resp := get(t, http.DefaultClient, "http://"+tel.Addr().String()+"/metrics", acceptProtobuf)
		dec := expfmt.NewDecoder(strings.NewReader(body), expfmt.ResponseFormat(resp.Header))
		var found bool
		for {
			var mf dto.MetricFamily
			err := dec.Decode(&mf)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if mf.GetName() != "work_seconds" {
				continue
			}
			for _, b := range mf.Metric[0].Histogram.Bucket {
				for _, l := range b.GetExemplar().GetLabel() {
					found = found || l.GetName() == "trace_id" && l.GetValue() == trace
				}
			}
		}
		if !found {
			t.Errorf("no exemplar with trace %s", trace)
		}
	})
}

// WithView changes buckets.
func TestView(t *testing.T) {
	tel := start(t, WithoutServer(), WithView(sdkmetric.NewView(sdkmetric.Instrument{Name: "work"},
		sdkmetric.Stream{Aggregation: sdkmetric.AggregationExplicitBucketHistogram{Boundaries: []float64{7}}})))
	recordTraced(t, tel)
	rec := httptest.NewRecorder()
	tel.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/anywhere", nil))
	if body := rec.Body.String(); strings.Count(body, "work_seconds_bucket") != 2 || !strings.Contains(body, `le="7"`) {
		t.Errorf("want the buckets 7 and +Inf:\n%s", body)
	}
	if tel.Addr() != nil {
		t.Errorf("listens on %v", tel.Addr())
	}
}

// HEAD has the headers of GET and no body.
func TestHead(t *testing.T) {
	tel := start(t, WithPrometheusAddr("127.0.0.1:0"))
	count(tel, "jobs", 1)
	url := "http://" + tel.Addr().String() + "/metrics"
	for _, accept := range []string{"text/plain", acceptOpenMetrics, acceptProtobuf} {
		_, want := get(t, http.DefaultClient, url, accept)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodHead, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", accept)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got, want := resp.Header.Get("Content-Type"), want.Header.Get("Content-Type"); resp.StatusCode != http.StatusOK || got != want {
			t.Errorf("%s, Content-Type %q, want %q", resp.Status, got, want)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}
