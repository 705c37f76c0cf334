package livepage

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stagemeter/stagemeter/exporters"
	"github.com/stagemeter/stagemeter/instrument"
)

// keep is how many ended jobs are remembered.
const keep = 1000

// A Page is the live page of a pipeline, an [http.Handler]. Its paths are /, /live/snapshot.json,
// /live/job.json, /live/events and the files of the page below /live/. It answers GET and HEAD, and
// changes nothing. It is safe for concurrent use.
type Page struct {
	tel     *exporters.Telemetry
	p       *instrument.Pipeline
	builder builder
	fleet   Fleet
	service service
	files   map[string]*file
	streams streams
}

// An Option configures [New] and [Mount].
type Option func(*Page) error

// WithRedact shows ids of jobs as the function returns them, such as a hash. The page then shows the
// names of no files. It is called for each id in each snapshot, possibly concurrently.
func WithRedact(shown func(id string) string) Option {
	return func(p *Page) error {
		if shown == nil {
			return errors.New("WithRedact(nil): ids are shown as they are")
		}
		p.builder.redact = shown
		return nil
	}
}

// WithService names the program on the page. The default is the name of the executable and the
// version of the main module.
func WithService(name, version string) Option {
	return func(p *Page) error {
		p.service.Name, p.service.Version = cmp.Or(name, p.service.Name), cmp.Or(version, p.service.Version)
		return nil
	}
}

// Mount serves the live page of p at / of the metrics server, beside /metrics and in the place of the
// landing page: one line of a program, after [exporters.Start].
//
//	err := livepage.Mount(tel, instrument.Default())
//
// Whoever may scrape may see it: it stands behind the same TLS, client certificates and passwords;
// see [exporters.WithWebConfigFile]. From then on p keeps the details of jobs that start, and the
// last 1,000 that ended, see [instrument.Pipeline.KeepHistory]; nothing else happens while nobody
// looks. The error says what is wrong with an option, which is ignored, or why the page is not
// served; see [exporters.Telemetry.Handle].
func Mount(tel *exporters.Telemetry, p *instrument.Pipeline, opts ...Option) error {
	page, err := New(tel, p, opts...)
	for _, pattern := range []string{"/{$}", "/live/"} {
		err = errors.Join(err, tel.Handle(pattern, page))
	}
	return err
}

// New returns the page for a server of the program's own, under any prefix:
//
//	mux.Handle("/ops/", http.StripPrefix("/ops", page))
//
// That server is then responsible for passwords and TLS. tel may be nil: the page then says nothing
// about the telemetry itself. The Page is usable whatever the error says.
func New(tel *exporters.Telemetry, p *instrument.Pipeline, opts ...Option) (*Page, error) {
	page := &Page{tel: tel, p: p, service: thisService(), files: files()}
	page.streams.page = page
	var errs []error
	if p == nil {
		errs = append(errs, errors.New("the pipeline is nil"))
	}
	p.KeepHistory(keep)
	for _, o := range opts {
		if o != nil {
			errs = append(errs, o(page))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return page, fmt.Errorf("livepage: %w", err)
	}
	return page, nil
}

var started = time.Now()

func thisService() service {
	s := service{Name: "program", Started: ms(started), Instance: strconv.Itoa(os.Getpid())}
	if exe, err := os.Executable(); err == nil {
		s.Name = exe[strings.LastIndexAny(exe, `/\`)+1:]
	}
	if host, err := os.Hostname(); err == nil {
		s.Instance = host + ":" + s.Instance
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "(devel)" {
		s.Version = info.Main.Version
	}
	return s
}

// ServeHTTP makes a Page an [http.Handler].
func (page *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	protect(w.Header())
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "the page changes nothing: use GET", http.StatusMethodNotAllowed)
		return
	}
	if !trusted(r) {
		http.Error(w, "this address answers only to its own name", http.StatusForbidden)
		return
	}
	switch path := r.URL.Path; path {
	case "":
		http.Redirect(w, r, strings.TrimSuffix(r.RequestURI, "?"+r.URL.RawQuery)+"/", http.StatusTemporaryRedirect)
	case "/live/events":
		page.streams.serve(w, r)
	case "/live/snapshot.json":
		page.json(w, r, page.snapshot())
	case "/live/job.json":
		page.job(w, r)
	default:
		if f := page.files[path]; f != nil {
			f.serve(w, r)
			return
		}
		http.NotFound(w, r)
	}
}

// protect sets what keeps a browser from doing anything that the page does not: no script, style or
// connection of others, no markup made of text.
func protect(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "+
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types lit-html")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// trusted reports whether a request to a loopback address also names one: else a page elsewhere whose
// name leads here could read what is shown.
func trusted(r *http.Request) bool {
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if local == nil {
		return true
	}
	addr, err := netip.ParseAddrPort(local.String())
	if err != nil || !addr.Addr().Unmap().IsLoopback() {
		return true
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback() || host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// snapshot returns what the page shows now.
func (page *Page) snapshot() snapshot {
	s := page.builder.build(page.p.Snapshot(instrument.Query{Limit: keep}))
	s.Every, s.KeepMost, s.Service = every.Milliseconds(), keep, page.service
	if page.tel != nil {
		s.Telemetry = telemetryOf(page.tel.Health(), s.Now)
	}
	s.Fleet = fleetOf(page.fleet)
	return s
}

// job answers with one run, as ?run= names it.
func (page *Page) job(w http.ResponseWriter, r *http.Request) {
	run, err := strconv.ParseUint(r.URL.Query().Get("run"), 10, 64)
	if err != nil || run == 0 {
		http.Error(w, "run is the number of a run, as snapshot.json has it", http.StatusBadRequest)
		return
	}
	s := page.p.Snapshot(instrument.Query{Run: run})
	for _, j := range append(s.Live, s.Ended...) {
		page.json(w, r, struct {
			V   int   `json:"v"`
			Now int64 `json:"now"`
			Job job   `json:"job"`
		}{version, ms(s.Time), page.builder.job(j, s.Time)})
		return
	}
	http.Error(w, "this run is not remembered", http.StatusNotFound)
}

func (page *Page) json(w http.ResponseWriter, r *http.Request, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "the snapshot cannot be written", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Accept-Encoding")
	if takesGzip(r) {
		h.Set("Content-Encoding", "gzip")
		packed := packers.Get().(*gzip.Writer)
		defer packers.Put(packed)
		var b bytes.Buffer
		packed.Reset(&b)
		_, _ = packed.Write(text)
		_ = packed.Close()
		text = b.Bytes()
	}
	h.Set("Content-Length", strconv.Itoa(len(text)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(text)
	}
}

var packers = sync.Pool{New: func() any { w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed); return w }}

// takesGzip reports whether the client takes gzip.
func takesGzip(r *http.Request) bool {
	for _, field := range r.Header.Values("Accept-Encoding") {
		for coding := range strings.SplitSeq(field, ",") {
			name, q, _ := strings.Cut(coding, ";")
			if name = strings.TrimSpace(name); !strings.EqualFold(name, "gzip") {
				continue
			}
			weight, ok := strings.CutPrefix(strings.ReplaceAll(q, " ", ""), "q=")
			value, err := strconv.ParseFloat(weight, 64)
			return !ok || err == nil && value > 0
		}
	}
	return false
}
