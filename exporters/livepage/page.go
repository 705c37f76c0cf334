package livepage

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel"

	"github.com/stagemeter/stagemeter/exporters"
	"github.com/stagemeter/stagemeter/instrument"
)

// keep is how many ended jobs are kept, and how many live ones a snapshot takes in.
const keep = 1000

// A Page is the live page of a pipeline, an [http.Handler]. Its paths are /, /live/snapshot.json,
// /live/job.json, /live/events and the files of the page below /live/; any other is 404. It answers
// GET and HEAD, and changes nothing. It is safe for concurrent use.
type Page struct {
	tel      *exporters.Telemetry
	p        *instrument.Pipeline
	builder  builder
	fleet    Fleet
	service  service
	files    map[string]*file
	encoder  encoder
	streams  streams
	reported sync.Map // of reportOnce
}

// Mount serves the live page of p at / of the metrics server, beside /metrics and in place of the
// landing page. It takes one line of a program, after [exporters.Start]:
//
//	err := livepage.Mount(tel, instrument.Default())
//
// Everyone who may scrape may see the page: the same TLS, client certificates and passwords protect
// it; see [exporters.WithWebConfigFile]. From then on p keeps the details of jobs that start, and
// the last 1,000 jobs that ended; see [instrument.Pipeline.KeepHistory]. While no client is
// connected, the page costs nothing else.
//
// The error names options that are ignored, a nil p, and why the page is not served: tel has no
// open port, has been shut down, or serves something else at / or /live/; see
// [exporters.Telemetry.Handle]. A page that is not served keeps nothing, and leaves the landing page.
func Mount(tel *exporters.Telemetry, p *instrument.Pipeline, opts ...Option) error {
	page, wrong := newPage(tel, p, opts)
	page.service.Metrics = true
	var whole atomic.Bool
	served := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !whole.Load() {
			http.NotFound(w, r)
			return
		}
		page.ServeHTTP(w, r)
	})
	for _, pattern := range []string{"/live/", "/{$}"} { // a half is not worth the landing page
		if err := tel.Handle(pattern, served); err != nil {
			return errors.Join(wrong, fmt.Errorf("livepage: %w", err))
		}
	}
	p.KeepHistory(keep)
	whole.Store(true)
	return wrong
}

// New returns the page as a handler for a server of your own, under any prefix:
//
//	mux.Handle("/ops/", http.StripPrefix("/ops", page))
//
// That server is then responsible for passwords and TLS. Its Shutdown waits for the streams of the
// page unless their contexts are canceled: see BaseContext and RegisterOnShutdown of [http.Server].
// If tel is nil, the page shows nothing about the telemetry itself. p keeps details and history as
// after [Mount]. The Page is usable whatever the error; without p it shows no job.
func New(tel *exporters.Telemetry, p *instrument.Pipeline, opts ...Option) (*Page, error) {
	page, err := newPage(tel, p, opts)
	p.KeepHistory(keep)
	return page, err
}

func newPage(tel *exporters.Telemetry, p *instrument.Pipeline, opts []Option) (*Page, error) {
	page := &Page{tel: tel, p: p, service: serviceOf(tel), files: files()}
	page.encoder.make = page.snapshot
	page.builder.report = page.reportOnce
	var errs []error
	if p == nil {
		errs = append(errs, errors.New("livepage: the pipeline is nil: no job is shown"))
	}
	for _, o := range opts {
		if o == nil {
			errs = append(errs, errors.New("livepage: a nil Option is ignored"))
			continue
		}
		errs = append(errs, o.apply(page))
	}
	return page, errors.Join(errs...)
}

// ServeHTTP makes a Page an [http.Handler].
func (page *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	protect(w.Header())
	if !trusted(r) {
		http.Error(w, "this address is of this host only, and answers only to localhost: send a Host header that says so", http.StatusForbidden)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "the page changes nothing: use GET", http.StatusMethodNotAllowed)
		return
	}
	switch name := r.URL.Path; name {
	case "":
		redirect(w, r)
	case "/live/events":
		page.streams.serve(w, r, &page.encoder)
	case "/live/snapshot.json":
		page.serveSnapshot(w, r)
	case "/live/job.json":
		page.serveJob(w, r)
	default:
		if f := page.files[name]; f != nil {
			f.serve(w, r)
			return
		}
		http.NotFound(w, r)
	}
}

// redirect redirects from a prefix to the prefix with a slash, to which the links of the page are
// relative. The location has no host and only the last part of the path: a proxy may have changed
// the rest.
func redirect(w http.ResponseWriter, r *http.Request) {
	asked, err := url.ParseRequestURI(r.RequestURI)
	to := url.URL{Path: "./", RawQuery: r.URL.RawQuery}
	if err == nil && path.Base(asked.Path) != "." && path.Base(asked.Path) != "/" {
		to.Path += path.Base(asked.Path) + "/"
	}
	w.Header().Set("Location", to.String())
	w.WriteHeader(http.StatusTemporaryRedirect)
}

// snapshot returns what the page shows now. It lists only jobs that match; "" matches all.
func (page *Page) snapshot(match string) snapshot {
	b := page.builder
	b.match = match
	s := b.build(page.p.Snapshot(instrument.Query{Limit: keep}))
	s.Every, s.KeepMost, s.Service = every.Milliseconds(), keep, page.service
	if page.tel != nil {
		health := page.tel.Health()
		if b.redact != nil {
			hideErrors(&health)
		}
		s.Telemetry = telemetryOf(health, s.Now)
	}
	s.Fleet = page.fleetNow()
	return s
}

// reportOnce reports a problem with the program's own functions to otel.Handle, each problem only
// once: they are called every second.
func (page *Page) reportOnce(what string) {
	if _, before := page.reported.LoadOrStore(what, true); !before {
		contained(func() { otel.Handle(errors.New("livepage: " + what)) })
	}
}

// contained calls f, a function of the program, in a goroutine that it waits for, and reports
// whether f returned. f may panic or call runtime.Goexit.
func contained(f func()) (returned bool) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = recover() }()
		f()
		returned = true
	}()
	<-done
	return returned
}
