package page

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"

	"github.com/klauspost/compress/zstd"
)

// What a scraper asks for.
const (
	Text        = "text/plain;version=0.0.4"
	OpenMetrics = "application/openmetrics-text;version=1.0.0"
)

// A Scraper asks a handler for a page again and again. It drops the answer and counts its bytes, so that what a scrape
// allocates is the handler's.
type Scraper struct {
	handler http.Handler
	request *http.Request
	header  http.Header
	status  int
	size    int
	body    io.Writer
}

// NewScraper asks for a format and an encoding: identity, gzip or zstd.
func NewScraper(h http.Handler, format, encoding string) *Scraper {
	r, err := http.NewRequest(http.MethodGet, "/metrics", nil)
	if err != nil {
		panic(err) // of a constant
	}
	r.Header.Set("Accept", format)
	r.Header.Set("Accept-Encoding", encoding)
	return &Scraper{handler: h, request: r, header: make(http.Header)}
}

// Header is of http.ResponseWriter, as WriteHeader and Write are.
func (s *Scraper) Header() http.Header { return s.header }

// WriteHeader keeps the status.
func (s *Scraper) WriteHeader(status int) { s.status = status }

// Write counts.
func (s *Scraper) Write(b []byte) (int, error) {
	s.size += len(b)
	if s.body != nil {
		return s.body.Write(b)
	}
	return len(b), nil
}

// Scrape asks once and returns the size of the answer. It panics if the handler failed: what is timed from then on
// would be something else.
func (s *Scraper) Scrape() int {
	s.size, s.status = 0, http.StatusOK
	clear(s.header)
	s.handler.ServeHTTP(s, s.request)
	if s.status != http.StatusOK || s.size == 0 {
		panic(fmt.Sprintf("page: a scrape failed: status %d, %d bytes", s.status, s.size))
	}
	return s.size
}

// maxPage bounds an answer: 100,000 series have 20 MB.
const maxPage = 1 << 30

// Page asks once, unpacks the answer and reads it.
func (s *Scraper) Page() (Page, error) {
	var raw bytes.Buffer
	s.body = &raw
	defer func() { s.body = nil }()
	s.Scrape()
	var plain io.Reader = &raw
	want := s.request.Header.Get("Accept-Encoding")
	if got := s.header.Get("Content-Encoding"); got != want && !(got == "" && want == "identity") {
		return Page{}, fmt.Errorf("page: asked for the encoding %s, got %q", want, got)
	}
	switch want {
	case "gzip":
		z, err := gzip.NewReader(&raw)
		if err != nil {
			return Page{}, fmt.Errorf("page: %w", err)
		}
		plain = z
	case "zstd":
		z, err := zstd.NewReader(&raw)
		if err != nil {
			return Page{}, fmt.Errorf("page: %w", err)
		}
		defer z.Close()
		plain = z
	}
	body, err := io.ReadAll(io.LimitReader(plain, maxPage+1))
	if err != nil {
		return Page{}, fmt.Errorf("page: %w", err)
	}
	if len(body) > maxPage {
		return Page{}, fmt.Errorf("page: the answer has more than %d bytes", maxPage)
	}
	return Parse(body)
}
