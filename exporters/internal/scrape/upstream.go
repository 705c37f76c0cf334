package scrape

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/common/expfmt"

	"github.com/stagemeter/stagemeter/exporters/internal/report"
)

// names returns the metrics to which a request is limited; none: all.
func names(r *http.Request) []string {
	if r.URL == nil {
		return nil
	}
	return r.URL.Query()["name[]"]
}

// upstream gives c a body that the upstream exporter and promhttp write, or another client's. If a
// callback blocks until the time is over, the exporter continues in the background, and keeps the
// turn until the callback returns.
func (h *Handler) upstream(c *client, r *http.Request, format expfmt.Format) error {
	ctx := r.Context()
	k := kind{format.FormatType(), acceptedEncoding(r.Header, encodings[:2])} // it does not write zstd
	variant := strings.Join(append([]string{string(format)}, names(r)...), "\x00")
	h.shelves.wait(k)
	defer h.shelves.served(k)
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), h.timeout)
	defer cancel()
	seen := h.begun.Load()
	if err := h.takeTurn(ctx, deadline); err != nil {
		return err
	}
	if h.shelves.take(c, k, variant, seen) || h.shelves.room(c, k, variant) {
		<-h.turn
		return nil
	}
	b := h.shelves.open(c, k, variant, h.begun.Add(1), time.Now())
	own := r.Clone(context.WithoutCancel(ctx)) // it may be read after the request has ended
	own.Body = http.NoBody
	own.Header.Set("Accept-Encoding", k.encoding)
	done := make(chan struct{})
	go func() { // ends when the callbacks return
		defer close(done)
		defer func() { <-h.turn }()
		defer h.shelves.finish(b)
		h.record(b, own)
	}()
	select {
	case <-done:
		if b.status == 0 {
			return b.err
		}
		return nil
	case <-deadline.Done():
		return deadline.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// record fills b by a request to the upstream exporter.
func (h *Handler) record(b *body, r *http.Request) {
	b.err = errUnfinished // holds if a callback ends this goroutine
	defer func() {
		if v := recover(); v != nil {
			b.status, b.err = 0, report.Panicked("the upstream exporter", v)
		}
		if b.status == 0 {
			h.failures.WithLabelValues(gathering).Inc()
			h.report.Handle(b.err)
		}
	}()
	rec := &recorder{body: b, header: make(http.Header)}
	h.plain.ServeHTTP(rec, r)
	if rec.status == 0 {
		b.err = errors.New("no answer")
		return
	}
	b.header, b.size, b.err = rec.header, h.figures.upstreamSize(names(r)), rec.result()
	b.status = rec.status
}

// A recorder writes an answer to a body. It keeps the beginning of an error.
type recorder struct {
	body   *body
	header http.Header
	status int
	text   []byte // of an error
}

// maxError is how much of an error a recorder keeps.
const maxError = 500

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= http.StatusOK {
		r.status = status
	}
}

func (r *recorder) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	if r.status >= http.StatusBadRequest {
		r.text = append(r.text, p[:min(len(p), maxError-len(r.text))]...)
	}
	return r.body.Write(p)
}

// result returns the error of the answer, or nil.
func (r *recorder) result() error {
	if r.status < http.StatusBadRequest {
		return nil
	}
	return fmt.Errorf("%d: %s", r.status, strings.Join(strings.Fields(string(r.text)), " "))
}
