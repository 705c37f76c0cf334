package scrape

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

	"github.com/stagemeter/stagemeter/exporters/internal/collect"
	"github.com/stagemeter/stagemeter/exporters/internal/exposition"
	"github.com/stagemeter/stagemeter/exporters/internal/report"
)

// Timeout is how long a scrape may take before it is answered with 503.
const Timeout = 30 * time.Second

const (
	maxScrapes = 16          // at once; further ones are answered with 503
	detour     = time.Minute // for which plain answers after it had to answer once: both ways would collect
)

// A Handler answers scrapes. It writes the text formats with package exposition. It leaves the
// other formats, and metrics that exposition cannot write, to plain. Scrapes at the same time share
// a collection, but only one that began after they arrived.
type Handler struct {
	source   *collect.Source
	plain    http.Handler           // the upstream exporter and promhttp, which collect from the same reader
	failures *prometheus.CounterVec // of both ways, by cause; every answer has it
	report   *report.Repeated       // of both ways
	figures  *figures               // of both ways
	timeout  time.Duration
	slots    chan struct{}      // holds a value for each scrape
	turn     chan struct{}      // holds a value while somebody collects and writes
	begun    atomic.Uint64      // collections
	ended    *atomic.Bool       // set by End
	detour   atomic.Int64       // plain answers everything until then, in nanoseconds since 1970
	spare    chan *bytes.Buffer // holds the body of an earlier answer

	// Guarded by turn.
	rm         metricdata.ResourceMetrics
	exposition exposition.Exposition
	compressor compressor
	failed     error // of the last collection: there is nothing to show
	other      error // of the last collection: plain has to show it
}

// New returns a handler that shows the metrics of a provider with the reader of its Source. It logs
// scrapes with errors.
//
// It shows nothing else: neither the Go runtime nor the process.
func New(logger *slog.Logger) (*Handler, error) {
	registry, own := prometheus.NewRegistry(), prometheus.NewRegistry()
	reader, err := otelprom.New(
		otelprom.WithRegisterer(registry),
		// The version of a scope on every series would rename them all at an upgrade.
		otelprom.WithoutScopeInfo(),
		otelprom.WithTranslationStrategy(otlptranslator.UnderscoreEscapingWithSuffixes),
	)
	if err != nil {
		return nil, err
	}
	errorLog := report.NewRepeated(logger, "a scrape has errors")
	source, ended, figures := collect.NewSource(reader), new(atomic.Bool), new(figures)
	return &Handler{
		source:  source,
		figures: figures,
		plain: promhttp.HandlerFor(whole{registry, own, source, ended, figures}, promhttp.HandlerOpts{
			ErrorLog:            errorLog,
			ErrorHandling:       promhttp.ContinueOnError,
			Registry:            own,
			AcceptedFormats:     acceptedFormats,
			MaxRequestsInFlight: maxScrapes,
			CoalesceGather:      true,
			// It also buffers the answer, so that a slow client does not hold a collection that
			// other scrapes would share when it is old.
			Timeout: Timeout,
		}),
		failures: handlerErrors(own),
		ended:    ended,
		report:   errorLog,
		timeout:  Timeout,
		slots:    make(chan struct{}, maxScrapes),
		turn:     make(chan struct{}, 1),
		spare:    make(chan *bytes.Buffer, 1),
	}, nil
}

// Source returns the source of the metrics. A push may share it.
func (h *Handler) Source() *collect.Source { return h.source }

// End makes h answer 503 from now on. It is called before the provider is shut down: an answer
// without the program's metrics would be a target that is up and a silent gap.
func (h *Handler) End() { h.ended.Store(true) }

// acceptedFormats are the formats that package exposition writes, and protobuf.
var acceptedFormats = []expfmt.Format{
	expfmt.FmtOpenMetrics_1_0_0, expfmt.FmtOpenMetrics_0_0_1,
	expfmt.FmtProtoDelim, expfmt.FmtProtoText, expfmt.FmtProtoCompact, expfmt.FmtText,
}

// ServeHTTP answers a scrape and counts it. A request with the method HEAD is none.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began, a := time.Now(), answer{err: errUnfinished} // holds if anything below panics
	defer func() {
		if r.Method != http.MethodHead {
			h.figures.add(began, a)
		}
	}()
	a = h.answer(w, r)
}

// answer answers a scrape.
func (h *Handler) answer(w http.ResponseWriter, r *http.Request) answer {
	if h.ended.Load() {
		unavailable(w, errEnded)
		return answer{err: errEnded}
	}
	format := expfmt.NegotiateAccept(r.Header, acceptedFormats...)
	text, ok := textFormat(format)
	if !ok || time.Now().UnixNano() < h.detour.Load() || r.URL != nil && r.URL.Query().Has("name[]") {
		return h.answerPlain(w, r)
	}
	compression := acceptedEncoding(r.Header)
	body, size, err := h.scrape(r.Context(), text, format, compression)
	switch {
	case errors.Is(err, errOther):
		return h.answerPlain(w, r)
	case errors.Is(err, errEnded), errors.Is(err, errTooMany), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		unavailable(w, err)
	case err != nil:
		http.Error(w, "An error has occurred while serving metrics:\n\n"+err.Error(), http.StatusInternalServerError)
	default:
		header := w.Header()
		header.Add("Vary", "Accept")
		header.Add("Vary", "Accept-Encoding")
		header.Set("Content-Type", string(format))
		header.Set("Content-Length", strconv.Itoa(body.Len()))
		if compression != identity {
			header.Set("Content-Encoding", compression)
		}
		bytes := int64(body.Len())
		if _, err := w.Write(body.Bytes()); err != nil {
			return answer{err: err} // without reusing body: HTTP/2 may still be writing it
		}
		select {
		case h.spare <- body:
		default:
		}
		return answer{bytes: bytes, size: size}
	}
	return answer{err: err}
}

// answerPlain answers with the upstream exporter.
func (h *Handler) answerPlain(w http.ResponseWriter, r *http.Request) answer {
	m := &meter{ResponseWriter: w}
	h.plain.ServeHTTP(m, r)
	var names []string
	if r.URL != nil {
		names = r.URL.Query()["name[]"]
	}
	return answer{bytes: m.bytes, size: h.figures.plainSize(names), err: m.result()}
}

// unavailable answers 503 with err.
func unavailable(w http.ResponseWriter, err error) {
	http.Error(w, "No scrape now: "+err.Error(), http.StatusServiceUnavailable)
}

// Errors of scrape.
var (
	errEnded      = errors.New("telemetry has been shut down")
	errOther      = errors.New("package exposition cannot write it")
	errUnfinished = errors.New("the collection did not end")
	errTooMany    = fmt.Errorf("limit of concurrent scrapes reached (%d), try again later", maxScrapes)
)

// textFormat returns the format in which package exposition writes format. All names have only
// characters that need no escaping, except in the scheme that escapes underscores too.
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

// scrape returns the body of an answer and what is in it.
func (h *Handler) scrape(ctx context.Context, text exposition.Format, format expfmt.Format, compression string) (*bytes.Buffer, exposition.Size, error) {
	var none exposition.Size
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	default:
		return nil, none, errTooMany
	}
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), h.timeout)
	defer cancel()
	seen := h.begun.Load()
	select {
	case h.turn <- struct{}{}:
		defer func() { <-h.turn }()
	case <-deadline.Done():
		return nil, none, deadline.Err()
	case <-ctx.Done():
		return nil, none, ctx.Err()
	}
	if h.begun.Load() == seen || errors.Is(h.failed, context.DeadlineExceeded) && deadline.Err() == nil {
		h.begun.Add(1)
		h.collect(deadline) // not ctx: others may share the collection after this client has gone
	}
	switch {
	case errors.Is(h.failed, errEnded):
		return nil, none, errEnded // no defect
	case h.other != nil:
		h.detour.Store(time.Now().Add(detour).UnixNano())
		return nil, none, errOther
	case h.failed != nil:
		h.failures.WithLabelValues(gathering).Inc()
		h.report.Handle(h.failed)
		return nil, none, h.failed
	}
	body, err := h.write(text, format, compression)
	if err != nil {
		h.failures.WithLabelValues(encoding).Inc()
		h.report.Handle(err)
	}
	size := h.exposition.Size()
	size.Add(handlerSeries) // which writeErrors has written
	return body, size, err
}

// collect fills h.rm and passes it to h.exposition.
func (h *Handler) collect(ctx context.Context) {
	h.failed, h.other = errUnfinished, nil // holds if otel's error handler panics: others may share this collection
	collected, err := h.source.Collect(ctx, &h.rm)
	switch {
	case errors.Is(err, sdkmetric.ErrReaderShutdown):
		h.failed = errEnded
		return
	case errors.Is(err, sdkmetric.ErrReaderNotRegistered):
		h.other = err // plain leaves out target_info too
		return
	case !collected:
		h.failed = err
		return
	case err != nil:
		h.report.Handle(err) // the other metrics are shown
	}
	h.other = h.exposition.Update(&h.rm)
	h.failed = nil
}

// write writes the metrics of the last collection.
func (h *Handler) write(text exposition.Format, format expfmt.Format, compression string) (*bytes.Buffer, error) {
	body := new(bytes.Buffer)
	select {
	case body = <-h.spare:
		body.Reset()
	default:
	}
	err := errUnfinished // holds if anything below panics
	defer func() {
		if err != nil {
			h.compressor = compressor{} // writing to a buffer cannot fail: the compressor is broken
		}
	}()
	err = h.compressor.write(compression, body, func(w io.Writer) error {
		return errors.Join(h.exposition.WriteTo(w, text), writeErrors(w, h.failures, format))
	})
	return body, err
}
