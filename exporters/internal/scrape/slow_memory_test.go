//go:build !race

// The race detector makes this many times slower, and finds nothing beyond slow_test.go.

package scrape

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
)

// heap returns the bytes of the heap that are in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// 100 clients that read nothing, over HTTP/1.1 and over one connection of HTTP/2, hold two answers
// of a format and encoding together, and others get theirs, with what has been counted since.
func TestSlowClientsShareTheirMemory(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		for _, tt := range []struct {
			name, accept, encoding string
			series                 int
		}{
			{"text", acceptText, identity, 4000},
			{"OpenMetrics", acceptOpenMetrics, identity, 4000},
			{"protobuf", acceptProtobuf, identity, 6000},
			{"text, gzip", acceptText, "gzip", 10_000},
		} {
			t.Run(fmt.Sprintf("%s, HTTP/2 %v", tt.name, http2), func(t *testing.T) {
				p := start(t, setup{})
				exportertest.ManySeries(t.Context(), t, p.provider, tt.series)
				s := serving(t, p.handler, http2)
				var size int64
				for range 2 {
					size = int64(serve(p.handler, "Accept", tt.accept, "Accept-Encoding", tt.encoding).Body.Len())
				}
				before := heap()
				const n = 100
				c := sluggish(t, s, 4<<10)
				for range n {
					ask(t, c, s, tt.accept, tt.encoding)
				}
				const each = 150 << 10 // of a connection or stream, on both sides
				if grown := heap() - before; grown > 3*size+n*each {
					t.Errorf("%d clients hold %d MB, %.1f answers of %d bytes", n, grown>>20, float64(grown)/float64(size), size)
				}
				p.handler.shelves.age(time.Minute) // the next client does not share an answer with them
				exportertest.Count(p.provider, "jobs", 7)
				rec := serve(p.handler, "Accept", tt.accept, "Accept-Encoding", tt.encoding)
				body := decompressed(t, rec.Header().Get("Content-Encoding"), rec.Body)
				if rec.Code != http.StatusOK || !strings.Contains(string(body), "jobs_total") || int64(len(body)) < size || tt.accept != acceptProtobuf && !strings.Contains(string(body), "\njobs_total 7") {
					t.Errorf("another client: %d, %d bytes", rec.Code, len(body))
				}
			})
		}
	}
}
