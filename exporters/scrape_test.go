package exporters

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
)

const (
	acceptOpenMetrics = "application/openmetrics-text;version=1.0.0"
	acceptProtobuf    = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
)

// scrape returns what /metrics of tel answers over its server.
func scrape(t *testing.T, tel *Telemetry, accept string) string {
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

// recordTraced records a duration inside a span, and returns the trace's id.
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

// The scraper chooses the format. Exemplars are in OpenMetrics and protobuf,
// with the id of the trace that is pushed.
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
		body := scrape(t, tel, acceptOpenMetrics)
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

// One metric that can't be shown doesn't take the others along; it is counted
// and logged once, not with every scrape.
func TestScrapeWithErrors(t *testing.T) {
	book := &logBook{}
	tel := start(t, WithPrometheusAddr("127.0.0.1:0"), WithLogger(book.logger()))
	count(tel, "jobs", 1)
	for _, scope := range []string{"a", "b"} { // without scope labels: the same series twice
		c, err := tel.MeterProvider().Meter(scope).Int64Counter("twice")
		if err != nil {
			t.Fatal(err)
		}
		c.Add(t.Context(), 1)
	}
	for range 3 {
		body := scrape(t, tel, "text/plain")
		if !strings.Contains(body, "\njobs_total 1\n") {
			t.Fatalf("the good metric is missing:\n%s", body)
		}
	}
	if body := scrape(t, tel, "text/plain"); !strings.Contains(body, `promhttp_metric_handler_errors_total{cause="gathering"} 3`) {
		t.Errorf("errors not counted:\n%s", body)
	}
	if got := book.lines("a scrape has errors", "twice_total"); got != 1 {
		t.Errorf("%d lines, want 1:\n%s", got, book)
	}
}

// WithView changes buckets.
func TestView(t *testing.T) {
	tel := start(t, WithPrometheusAddr(""), WithView(sdkmetric.NewView(sdkmetric.Instrument{Name: "work"},
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

// A callback that fails is told where WithLogger says, once.
func TestScrapeOfACallbackThatFails(t *testing.T) {
	book := &logBook{}
	tel := start(t, WithPrometheusAddr(""), WithLogger(book.logger()))
	observe(t, tel, "pool", func() (int64, error) { return 0, errors.New("db gone") })
	count(tel, "jobs", 1)
	for range 3 {
		if body := serve(tel.Handler(), "Accept", acceptText).Body.String(); !strings.Contains(body, "\njobs_total 1\n") {
			t.Errorf("no jobs:\n%s", body)
		}
	}
	if got := book.lines("a scrape has errors", "db gone"); got != 1 {
		t.Errorf("%d lines, want 1:\n%s", got, book)
	}
}

// The same error is silent until it changes.
func TestReport(t *testing.T) {
	book := &logBook{}
	r := &report{logger: book.logger(), msg: "report"}
	r.Handle(nil)
	for range 3 {
		r.Handle(errors.New("a"))
	}
	r.Println("b", "on\ntwo lines")
	r.Handle(errors.New("a"))
	if a, b := book.lines("error=a"), book.lines(`error="b on two lines"`); a != 2 || b != 1 {
		t.Errorf("%d and %d lines, want 2 and 1:\n%s", a, b, book)
	}
	r.at = time.Now().Add(-repeatAfter)
	r.Handle(errors.New("a"))
	if a := book.lines("error=a"); a != 3 {
		t.Errorf("%d lines after %v, want 3", a, repeatAfter)
	}
}
