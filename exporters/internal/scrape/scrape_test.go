package scrape

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

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
)

// If a callback blocks, the scrape and those that wait for it are answered with 503 when their time
// is over, and the next one works.
func TestScrapeOutOfTime(t *testing.T) {
	p := start(t, setup{})
	exportertest.Count(p.provider, "jobs", 1)
	p.handler.timeout = 500 * time.Millisecond
	collections, release := blockCollections(t, p)
	var wg sync.WaitGroup
	for _, accept := range []string{acceptText, acceptOpenMetrics, acceptText} {
		wg.Go(func() {
			if rec := serve(p.handler, "Accept", accept); rec.Code != http.StatusServiceUnavailable {
				t.Errorf("%d: %s", rec.Code, rec.Body)
			}
		})
	}
	wg.Wait()
	if got := collections.Load(); got != 1 {
		t.Errorf("%d callbacks are held up, want 1", got)
	}
	release()
	p.handler.timeout = exportertest.Patience
	if rec := serve(p.handler); rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), "\njobs_total 1\n") {
		t.Errorf("%d: %s", rec.Code, rec.Body)
	}
}

// Clients that do not read their answer hold up nobody, in any format. Their answers are small: none
// is cut off.
func TestSlowClients(t *testing.T) {
	p := start(t, setup{})
	exportertest.Count(p.provider, "jobs", 1)
	for _, accept := range []string{acceptText, acceptOpenMetrics, acceptProtobuf} {
		t.Run(accept, func(t *testing.T) {
			gate := make(chan struct{})
			var wg sync.WaitGroup
			var slow []*slowClient
			for range 100 {
				c := &slowClient{ResponseRecorder: httptest.NewRecorder(), reading: make(chan struct{}), gate: gate}
				slow = append(slow, c)
				req := httptest.NewRequest(http.MethodGet, "/metrics", nil)
				req.Header.Set("Accept", accept)
				wg.Go(func() { p.handler.ServeHTTP(c, req) })
				<-c.reading
			}
			if rec := serve(p.handler, "Accept", accept); rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), "jobs_total") {
				t.Errorf("%d: %s", rec.Code, rec.Body)
			}
			exportertest.Count(p.provider, "jobs", 1)
			later := serve(p.handler, "Accept", accept).Body.String() // must not change the answers that the others have yet to read
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

// A slowClient does not read before its gate is open.
type slowClient struct {
	*httptest.ResponseRecorder
	reading chan struct{} // closed when there is an answer
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

// Scrapes at the same time, in all formats and encodings, while the program makes new series: each
// answer is whole, and a later one has no less than an earlier one.
func TestScrapesBesideRecordings(t *testing.T) {
	p := start(t, setup{})
	meter := p.provider.Meter("test")
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
				jobs.Add(exportertest.InSpan(byte(i)), 1)
				took.Record(exportertest.InSpan(byte(i)), float64(i%200), metric.WithAttributes(attribute.Int("number", i%40), attribute.Int("writer", w)))
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
				rec := serve(p.handler, "Accept", accept, "Accept-Encoding", encoding)
				now, err := readPage(string(decompressed(t, rec.Header().Get("Content-Encoding"), rec.Body)), open)
				if err != nil {
					t.Error(err)
					return
				}
				checkShape(t, now)
				if f := now.families["jobs_total"]; f != nil {
					jobs := f.samples["jobs_total"].value
					if jobs < before {
						t.Errorf("%v jobs after %v", jobs, before)
					}
					before = jobs
				}
			}
		})
	}
	readers.Wait()
	stop.Store(true)
	writers.Wait()
}

// Two Prometheus servers in high availability, and a person who reloads the page: scrapes at the
// same time share a collection, and their number is limited. Otherwise a slow callback would take
// the program's memory.
func TestScrapesAreCoalescedAndBounded(t *testing.T) {
	p := start(t, setup{})
	collections, release := blockCollections(t, p)
	var answered, refused atomic.Int64
	var wg sync.WaitGroup
	for range 3 * maxClients {
		wg.Go(func() {
			rec := serve(p.handler)
			switch {
			case rec.Code == http.StatusOK && strings.Contains(rec.Body.String(), "\nslow 1\n"):
				answered.Add(1)
			case rec.Code == http.StatusServiceUnavailable && rec.Header().Get("Retry-After") == "1" && strings.Contains(rec.Body.String(), "concurrent scrapes"):
				refused.Add(1)
			default:
				t.Errorf("%d: %s", rec.Code, rec.Body)
			}
		})
	}
	exportertest.Eventually(t, "all but the first are refused", func() bool { return refused.Load() == 2*maxClients })
	release()
	wg.Wait()
	if got := answered.Load(); got != maxClients {
		t.Errorf("%d scrapes were answered, want %d", got, maxClients)
	}
	if got := collections.Load(); got > maxClients/2 {
		t.Errorf("%d collections for %d scrapes at once: they share none", got, maxClients)
	}
}
