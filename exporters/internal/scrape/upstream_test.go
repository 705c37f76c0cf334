package scrape

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
)

// If a callback blocks, scrapes in protobuf and for some metrics are answered with 503 when their
// time is over. They share the collection that is held up, and the next one works.
func TestUpstreamOutOfTime(t *testing.T) {
	p := start(t, setup{})
	exportertest.Count(p.provider, "jobs", 1)
	p.handler.timeout = 300 * time.Millisecond
	collections, release := blockCollections(t, p)
	for range 2 {
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				if rec := serve(p.handler, "Accept", acceptProtobuf); rec.Code != http.StatusServiceUnavailable {
					t.Errorf("%d: %s", rec.Code, rec.Body)
				}
			})
		}
		wg.Wait()
	}
	if got := collections.Load(); got != 1 {
		t.Errorf("%d callbacks are held up, want 1", got)
	}
	release()
	p.handler.timeout = exportertest.Patience
	for _, accept := range []string{acceptProtobuf, acceptText} {
		if rec := serve(p.handler, "Accept", accept); rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), "jobs_total") {
			t.Errorf("%d: %s", rec.Code, rec.Body)
		}
	}
	p.handler.shelves.mu.Lock()
	defer p.handler.shelves.mu.Unlock()
	if len(p.handler.shelves.bodies) > 0 || p.handler.shelves.counted > 0 {
		t.Errorf("%d kinds of bodies and %d clients are left", len(p.handler.shelves.bodies), p.handler.shelves.counted)
	}
}

// Scrapes in protobuf at the same time share a collection and its text, but only for the same
// metrics.
func TestUpstreamIsShared(t *testing.T) {
	p := start(t, setup{})
	exportertest.Count(p.provider, "jobs", 1)
	collections, release := blockCollections(t, p)
	var wg sync.WaitGroup
	const n = 20
	for i := range n {
		wg.Go(func() {
			rec := serve(p.handler, "Accept", acceptProtobuf)
			if rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), "jobs_total") || !strings.Contains(rec.Body.String(), "slow") {
				t.Errorf("client %d: %d: %q", i, rec.Code, rec.Body)
			}
		})
	}
	exportertest.Eventually(t, "all have come", func() bool {
		p.handler.shelves.mu.Lock()
		defer p.handler.shelves.mu.Unlock()
		return p.handler.shelves.counted == n
	})
	release()
	wg.Wait()
	if got := collections.Load(); got > 3 {
		t.Errorf("%d collections for %d scrapes at once", got, n)
	}
	req := httptest.NewRequest(http.MethodGet, "/metrics?name[]=jobs_total", nil)
	req.Header.Set("Accept", acceptProtobuf)
	rec := httptest.NewRecorder()
	p.handler.ServeHTTP(rec, req)
	if !strings.Contains(rec.Body.String(), "jobs_total") || strings.Contains(rec.Body.String(), "slow") {
		t.Errorf("not only jobs_total: %q", rec.Body)
	}
}
