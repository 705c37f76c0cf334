//go:build !race

// The race detector allocates where the program does not, so these gates are for a run without it.

package scrape

import (
	"context"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
)

// A scrape allocates nothing for a series that an earlier scrape has seen, in any text format. With
// exemplars the SDK allocates once for each counter.
func TestScrapeAllocations(t *testing.T) {
	for _, tt := range []struct {
		name       string
		ctx        context.Context
		perCounter float64
	}{{"no span", context.Background(), 0}, {"in a span", exportertest.InSpan(1), 1}} {
		allocs := func(series int, accept, encoding string) float64 {
			p := start(t, setup{})
			exportertest.ManySeries(tt.ctx, t, p.provider, series)
			r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
			r.Header.Set("Accept", accept)
			r.Header.Set("Accept-Encoding", encoding)
			least := math.Inf(1)
			for range 5 { // the rest of the process may allocate meanwhile
				least = min(least, testing.AllocsPerRun(3, func() { p.handler.ServeHTTP(&nowhere{header: http.Header{}}, r) }))
			}
			return least
		}
		for _, accept := range []string{"text/plain", acceptOpenMetrics} {
			for _, encoding := range encodings {
				few, many := allocs(20, accept, encoding), allocs(1000, accept, encoding)
				if many > few+10+tt.perCounter*500 {
					t.Errorf("%s, %s, %s: %v allocations for 1,000 series, %v for 20", tt.name, accept, encoding, many, few)
				}
			}
		}
	}
}

// nowhere is a client that reads an answer and forgets it.
type nowhere struct {
	header http.Header
	status int
	n      int
}

func (w *nowhere) Header() http.Header         { return w.header }
func (w *nowhere) WriteHeader(status int)      { w.status = status }
func (w *nowhere) Write(p []byte) (int, error) { w.n += len(p); return len(p), nil }
