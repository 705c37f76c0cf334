package livepage

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/stagemeter/stagemeter/instrument"
)

// serveSnapshot answers live/snapshot.json. An answer with ?match= is made for its request; all
// others are the snapshot of the tick.
func (page *Page) serveSnapshot(w http.ResponseWriter, r *http.Request) {
	if match := r.URL.Query().Get("match"); match != "" {
		serveJSON(w, r, page.snapshot(match))
		return
	}
	e, err := page.encoder.now()
	if err != nil {
		http.Error(w, "the snapshot cannot be written", http.StatusInternalServerError)
		return
	}
	serveEncoded(w, r, e)
}

// serveJob answers live/job.json with the run that ?run= names.
func (page *Page) serveJob(w http.ResponseWriter, r *http.Request) {
	run, err := strconv.ParseUint(r.URL.Query().Get("run"), 10, 64)
	if err != nil || run == 0 {
		http.Error(w, "run is the number of a run, as snapshot.json has it", http.StatusBadRequest)
		return
	}
	s := page.p.Snapshot(instrument.Query{Run: run})
	for _, j := range append(s.Live, s.Ended...) {
		b := page.builder
		serveJSON(w, r, answer{version, ms(s.Time), b.job(j, s.Time)})
		return
	}
	http.Error(w, "this run is not remembered", http.StatusNotFound)
}

func serveJSON(w http.ResponseWriter, r *http.Request, v any) {
	e, err := encode(v)
	if err != nil {
		http.Error(w, "the answer cannot be written", http.StatusInternalServerError)
		return
	}
	serveEncoded(w, r, e)
}

func serveEncoded(w http.ResponseWriter, r *http.Request, e *encoded) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Accept-Encoding")
	text := e.plain
	if takesGzip(r) {
		h.Set("Content-Encoding", "gzip")
		text = e.gzip()
	}
	h.Set("Content-Length", strconv.Itoa(len(text)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(text)
	}
}

// takesGzip reports whether the client accepts gzip, by name or by "*".
func takesGzip(r *http.Request) bool {
	others := false
	for _, field := range r.Header.Values("Accept-Encoding") {
		for coding := range strings.SplitSeq(field, ",") {
			name, weight, _ := strings.Cut(coding, ";")
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "gzip", "x-gzip":
				return wanted(weight)
			case "*":
				others = wanted(weight)
			}
		}
	}
	return others
}

// wanted reports whether the weight of a coding is more than 0. Without one it is 1.
func wanted(weight string) bool {
	q, ok := strings.CutPrefix(strings.ReplaceAll(strings.ToLower(weight), " ", ""), "q=")
	value, err := strconv.ParseFloat(q, 64)
	return !ok || err == nil && value > 0
}
