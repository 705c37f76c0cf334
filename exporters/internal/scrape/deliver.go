package scrape

import (
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/common/expfmt"
)

// Limits of the time in which a client takes its answer. A client that reads slower is cut off.
const (
	stall    = 10 * time.Second // in which it takes nothing
	transfer = 30 * time.Second // of the whole answer
	renewal  = time.Second      // of the deadline, at most so often
)

// limit returns when an answer has to be written to a request that began at a time. It is not later
// than the server says.
func limit(r *http.Request, began time.Time) time.Time {
	limit := time.Now().Add(transfer)
	if s, ok := r.Context().Value(http.ServerContextKey).(*http.Server); ok && s.WriteTimeout > 0 {
		return earlier(limit, began.Add(s.WriteTimeout))
	}
	return limit
}

// deliver writes the body of c to w, chunk by chunk, each with a deadline of its own.
func (h *Handler) deliver(w http.ResponseWriter, c *client, format expfmt.Format, limit time.Time) answer {
	b, header := c.body, w.Header()
	if b.header != nil {
		maps.Copy(header, b.header)
	} else {
		header.Add("Vary", "Accept")
		header.Add("Vary", "Accept-Encoding")
		header.Set("Content-Type", string(format))
		if b.kind.encoding != identity {
			header.Set("Content-Encoding", b.kind.encoding)
		}
	}
	header.Set("Content-Length", strconv.FormatInt(b.length, 10))
	if b.status != 0 {
		w.WriteHeader(b.status)
	}
	var renewed, deadline time.Time
	written := int64(0)
	for i := 0; written < b.length; i++ {
		chunk, err := h.shelves.next(c, i)
		if err != nil {
			return answer{err: err}
		}
		if now := time.Now(); now.Sub(renewed) > min(renewal, h.stall/2) {
			renewed, deadline = now, earlier(now.Add(h.stall), limit)
			c.extend(deadline)
		}
		if _, err := w.Write(chunk); err != nil {
			if time.Now().After(deadline) {
				err = errSlow
			}
			return answer{err: h.shelves.fail(c, err)}
		}
		written += int64(len(chunk))
	}
	return answer{bytes: written, size: b.size, err: b.err}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
