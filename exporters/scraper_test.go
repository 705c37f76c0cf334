package exporters

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// HEAD says of an answer what GET does, and has none.
func TestHead(t *testing.T) {
	tel := start(t, WithPrometheusAddr("127.0.0.1:0"))
	count(tel, "jobs", 1)
	url := "http://" + tel.Addr().String() + "/metrics"
	for _, accept := range []string{acceptText, acceptOpenMetrics, acceptProtobuf} {
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

// A callback that blocks ends a scrape when its time is over, and those that wait for it; each is told so, and the
// next finds everything in its place.
func TestScrapeOutOfTime(t *testing.T) {
	tel := start(t, WithPrometheusAddr(""))
	count(tel, "jobs", 1)
	tel.metrics.scraper.timeout = 500 * time.Millisecond
	collections, release := blockCollections(t, tel)
	var wg sync.WaitGroup
	for _, accept := range []string{acceptText, acceptOpenMetrics, acceptText} {
		wg.Go(func() {
			if rec := serve(tel.Handler(), "Accept", accept); rec.Code != http.StatusServiceUnavailable {
				t.Errorf("%d: %s", rec.Code, rec.Body)
			}
		})
	}
	wg.Wait()
	if got := collections.Load(); got != 1 {
		t.Errorf("%d callbacks are held up, want 1", got)
	}
	release()
	tel.metrics.scraper.timeout = patience
	if rec := serve(tel.Handler()); rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), "\njobs_total 1\n") {
		t.Errorf("%d: %s", rec.Code, rec.Body)
	}
}

// Clients that don't read what they asked for hold up nobody, in no format, even if they are more than the scrapes
// that may be under way.
func TestSlowClients(t *testing.T) {
	tel := start(t, WithPrometheusAddr(""))
	count(tel, "jobs", 1)
	for _, accept := range []string{acceptText, acceptOpenMetrics, acceptProtobuf} {
		t.Run(accept, func(t *testing.T) {
			gate := make(chan struct{})
			var wg sync.WaitGroup
			var slow []*slowClient
			for range maxScrapes + 1 {
				c := &slowClient{ResponseRecorder: httptest.NewRecorder(), reading: make(chan struct{}), gate: gate}
				slow = append(slow, c)
				req := httptest.NewRequest(http.MethodGet, "/metrics", nil)
				req.Header.Set("Accept", accept)
				wg.Go(func() { tel.Handler().ServeHTTP(c, req) })
				<-c.reading
			}
			if rec := serve(tel.Handler(), "Accept", accept); rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), "jobs_total") {
				t.Errorf("%d: %s", rec.Code, rec.Body)
			}
			count(tel, "jobs", 1)
			later := serve(tel.Handler(), "Accept", accept).Body.String() // leaves alone what the others have still to read
			close(gate)
			wg.Wait()
			for _, c := range slow {
				if got := c.Body.String(); c.Code != http.StatusOK || got != slow[0].Body.String() || len(got) != len(later) || got == later {
					t.Errorf("%d: %s", c.Code, got)
				}
			}
		})
	}
}

// A slowClient doesn't read before its gate is open.
type slowClient struct {
	*httptest.ResponseRecorder
	reading chan struct{} // closed when there is something to read
	gate    chan struct{}
	reads   bool
}

func (c *slowClient) Write(p []byte) (int, error) {
	if !c.reads {
		c.reads = true
		close(c.reading)
		<-c.gate
	}
	return c.ResponseRecorder.Write(p)
}

// After Shutdown a scrape is answered as upstream does: of the program there is nothing left.
func TestScrapeAfterShutdown(t *testing.T) {
	tel := start(t, WithPrometheusAddr(""))
	count(tel, "jobs", 1)
	serve(tel.Handler())
	if err := tel.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, accept := range []string{acceptText, acceptOpenMetrics} {
		want, got := serve(tel.metrics.scraper.plain, "Accept", accept), serve(tel.Handler(), "Accept", accept)
		if got.Code != want.Code || got.Body.String() != want.Body.String() {
			t.Errorf("%d: %s\nwant %d: %s", got.Code, got.Body, want.Code, want.Body)
		}
	}
}

// A callback that panics fails the scrape in every format, as long as it does.
func TestPanicFailsEveryFormat(t *testing.T) {
	tel := start(t, WithPrometheusAddr(""))
	count(tel, "jobs", 1)
	var broken atomic.Bool
	observe(t, tel, "pool", func() (int64, error) {
		if broken.Load() {
			panic("nil pool")
		}
		return 3, nil
	})
	for _, accept := range []string{acceptText, acceptOpenMetrics, acceptProtobuf} {
		for _, want := range []int{http.StatusOK, http.StatusInternalServerError, http.StatusOK} {
			broken.Store(want != http.StatusOK)
			rec := serve(tel.Handler(), "Accept", accept)
			if rec.Code != want || strings.Contains(rec.Body.String(), "jobs_total") != (want == http.StatusOK) {
				t.Errorf("%s: %d, want %d:\n%s", accept, rec.Code, want, rec.Body)
			}
		}
	}
}

// Scrapes at the same time, in all formats and encodings, while the program goes on and makes new series: each answer
// is whole, and the later has no less than the earlier.
func TestScrapesBesideRecordings(t *testing.T) {
	tel := start(t, WithPrometheusAddr(""))
	meter := tel.MeterProvider().Meter("test")
	jobs, err := meter.Int64Counter("jobs")
	if err != nil {
		t.Fatal(err)
	}
	took, err := meter.Float64Histogram("took", metric.WithExplicitBucketBoundaries(1, 10, 100))
	if err != nil {
		t.Fatal(err)
	}
	var stop atomic.Bool
	var writers, readers sync.WaitGroup
	for w := range 2 {
		writers.Go(func() {
			for i := 0; !stop.Load(); i++ {
				jobs.Add(inSpan(byte(i)), 1)
				took.Record(inSpan(byte(i)), float64(i%200), metric.WithAttributes(attribute.Int("number", i%40), attribute.Int("writer", w)))
			}
		})
	}
	for r := range 4 {
		readers.Go(func() {
			var before float64
			for i := range 9 {
				open, encoding := (r+i)%2 == 0, encodings[i%len(encodings)]
				accept := acceptText
				if open {
					accept = acceptOpenMetrics
				}
				rec := serve(tel.Handler(), "Accept", accept, "Accept-Encoding", encoding)
				p, err := readStrictly(string(decompressed(t, rec.Header().Get("Content-Encoding"), rec.Body)), open)
				if err != nil {
					t.Error(err)
					return
				}
				checkShape(t, p)
				if f := p.families["jobs_total"]; f != nil {
					now := f.samples["jobs_total"].value
					if now < before {
						t.Errorf("%v jobs after %v", now, before)
					}
					before = now
				}
			}
		})
	}
	readers.Wait()
	stop.Store(true)
	writers.Wait()
}
