package exporters

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/otlptranslator"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/stagemeter/stagemeter/exporters/internal/exposition"
)

// Bounds of a scrape.
const (
	maxScrapes    = 16 // at once; more are answered by 503
	scrapeTimeout = 30 * time.Second
	detour        = time.Minute // for which plain answers what it had to answer once: both ways would collect
)

// A scraper answers scrapes. The text formats it writes itself, see package
// exposition; the others, and what that package can't write, it leaves to plain.
// Scrapes that wait for one another share a collection that began after they
// came.
type scraper struct {
	source   *source
	plain    http.Handler           // the upstream exporter and promhttp, which read the same
	failures *prometheus.CounterVec // of plain, by cause; it is in every answer
	report   *report                // of what they were
	timeout  time.Duration
	slots    chan struct{}      // holds a value for each scrape
	turn     chan struct{}      // holds a value while somebody collects and writes
	begun    atomic.Uint64      // collections
	detour   atomic.Int64       // plain answers alone until then, in nanoseconds since 1970
	spare    chan *bytes.Buffer // holds the body of a former answer

	// Whose turn it is has these.
	rm         metricdata.ResourceMetrics
	exposition exposition.Exposition
	compressor compressor
	failed     error // the last collection: there is nothing to show
	other      error // the last collection: plain has to show it
}

// newScraper returns the handler of /metrics.
//
// Its registries hold nothing else: no Go runtime, no process metrics.
func newScraper(logger *slog.Logger) (*scraper, error) {
	registry, own := prometheus.NewRegistry(), prometheus.NewRegistry()
	reader, err := otelprom.New(
		otelprom.WithRegisterer(registry),
		// A scope's version on every series would rename them all at an upgrade.
		otelprom.WithoutScopeInfo(),
		otelprom.WithTranslationStrategy(otlptranslator.UnderscoreEscapingWithSuffixes),
	)
	if err != nil {
		return nil, err
	}
	report := &report{logger: logger, msg: "a scrape has errors"}
	src := newSource(reader, false)
	return &scraper{
		source: src,
		plain: promhttp.HandlerFor(whole{registry, own, src}, promhttp.HandlerOpts{
			ErrorLog:            report,
			ErrorHandling:       promhttp.ContinueOnError,
			Registry:            own,
			AcceptedFormats:     acceptedFormats,
			MaxRequestsInFlight: maxScrapes,
			CoalesceGather:      true,
			// It also buffers the answer, so that a slow client doesn't hold a
			// collection that others would get, stale, with theirs.
			Timeout: scrapeTimeout,
		}),
		failures: handlerErrors(own),
		report:   report,
		timeout:  scrapeTimeout,
		slots:    make(chan struct{}, maxScrapes),
		turn:     make(chan struct{}, 1),
		spare:    make(chan *bytes.Buffer, 1),
	}, nil
}

// acceptedFormats are those that package exposition knows, and protobuf.
var acceptedFormats = []expfmt.Format{
	expfmt.FmtOpenMetrics_1_0_0, expfmt.FmtOpenMetrics_0_0_1,
	expfmt.FmtProtoDelim, expfmt.FmtProtoText, expfmt.FmtProtoCompact, expfmt.FmtText,
}

func (s *scraper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	format := expfmt.NegotiateAccept(r.Header, acceptedFormats...)
	text, ok := textFormat(format)
	if !ok || time.Now().UnixNano() < s.detour.Load() || r.URL != nil && r.URL.Query().Has("name[]") {
		s.plain.ServeHTTP(w, r)
		return
	}
	compression := acceptedEncoding(r.Header)
	body, err := s.scrape(r.Context(), text, format, compression)
	switch {
	case errors.Is(err, errOther):
		s.plain.ServeHTTP(w, r)
	case errors.Is(err, errTooMany), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		http.Error(w, "No scrape now: "+err.Error(), http.StatusServiceUnavailable)
	case err != nil:
		http.Error(w, "An error has occurred while serving metrics:\n\n"+err.Error(), http.StatusInternalServerError)
	default:
		h := w.Header()
		h.Add("Vary", "Accept")
		h.Add("Vary", "Accept-Encoding")
		h.Set("Content-Type", string(format))
		h.Set("Content-Length", strconv.Itoa(body.Len()))
		if compression != identity {
			h.Set("Content-Encoding", compression)
		}
		if _, err := w.Write(body.Bytes()); err != nil {
			return // and leave the body alone: HTTP/2 may be writing it still
		}
		select {
		case s.spare <- body:
		default:
		}
	}
}

// Errors of scrape.
var (
	errOther      = errors.New("package exposition can't write it")
	errUnfinished = errors.New("the collection did not end")
	errTooMany    = fmt.Errorf("limit of concurrent scrapes reached (%d), try again later", maxScrapes)
)

// textFormat returns the format that package exposition writes. It has no names
// to escape: all are of the classic character set. Only dots escapes those too.
func textFormat(format expfmt.Format) (f exposition.Format, ok bool) {
	if format.ToEscapingScheme() == model.DotsEscaping {
		return 0, false
	}
	switch format.FormatType() {
	case expfmt.TypeTextPlain:
		return exposition.Text, true
	case expfmt.TypeOpenMetrics:
		return exposition.OpenMetrics, true
	default:
		return 0, false
	}
}

// scrape returns the body of an answer.
func (s *scraper) scrape(ctx context.Context, text exposition.Format, format expfmt.Format, compression string) (*bytes.Buffer, error) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		return nil, errTooMany
	}
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.timeout)
	defer cancel()
	seen := s.begun.Load()
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-deadline.Done():
		return nil, deadline.Err()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if s.begun.Load() == seen || errors.Is(s.failed, context.DeadlineExceeded) && deadline.Err() == nil {
		s.begun.Add(1)
		s.collect(deadline) // not ctx: others may share what a client that goes away has begun
	}
	switch {
	case s.other != nil:
		s.detour.Store(time.Now().Add(detour).UnixNano())
		return nil, errOther
	case s.failed != nil:
		s.failures.WithLabelValues(gathering).Inc()
		s.report.Handle(s.failed)
		return nil, s.failed
	}
	body, err := s.write(text, format, compression)
	if err != nil {
		s.failures.WithLabelValues(encoding).Inc()
		s.report.Handle(err)
	}
	return body, err
}

// collect fills s.rm and gives it to s.exposition.
func (s *scraper) collect(ctx context.Context) {
	s.failed, s.other = errUnfinished, nil // should otel's handler panic: others may share this collection
	collected, err := s.source.collect(ctx, &s.rm)
	switch {
	case errors.Is(err, sdkmetric.ErrReaderShutdown), errors.Is(err, sdkmetric.ErrReaderNotRegistered):
		s.other = err // which leaves out target_info too
		return
	case !collected:
		s.failed = err
		return
	case err != nil:
		s.report.Handle(err) // what is left is shown
	}
	s.other = s.exposition.Update(&s.rm)
	s.failed = nil
}

// write writes what the last collection has found.
func (s *scraper) write(text exposition.Format, format expfmt.Format, compression string) (*bytes.Buffer, error) {
	body := new(bytes.Buffer)
	select {
	case body = <-s.spare:
		body.Reset()
	default:
	}
	err := errUnfinished // should anything panic
	defer func() {
		if err != nil {
			s.compressor = compressor{} // a buffer takes everything: the compressor is broken
		}
	}()
	err = s.compressor.write(compression, body, func(w io.Writer) error {
		return errors.Join(s.exposition.WriteTo(w, text), writeErrors(w, s.failures, format))
	})
	return body, err
}
