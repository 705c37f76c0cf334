package scrape

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
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

// detour is the time for which plain answers after it had to answer once: both ways would collect.
const detour = time.Minute

// A Handler answers scrapes. It writes the text formats with package exposition. It leaves the
// other formats, and metrics that exposition cannot write, to plain. Scrapes at the same time share
// a collection, and its text if they want the same format and encoding, but only one that began
// after they arrived.
//
// It holds no lock while it writes to a client. See shelves for what slow clients hold, and deliver
// for how long.
type Handler struct {
	source   *collect.Source
	plain    http.Handler           // the upstream exporter and promhttp, which collect from the same reader
	failures *prometheus.CounterVec // of both ways, by cause; every answer has it
	report   *report.Repeated       // of both ways
	figures  *figures               // of both ways
	timeout  time.Duration
	stall    time.Duration // for which a client may take nothing of its answer
	shelves  shelves
	turn     chan struct{} // holds a value while somebody collects and writes
	begun    atomic.Uint64 // collections
	ended    *atomic.Bool  // set by End
	detour   atomic.Int64  // plain answers everything until then, in nanoseconds since 1970

	// Guarded by turn.
	rm         metricdata.ResourceMetrics
	exposition exposition.Exposition
	compressor compressor
	last       uint64 // the number of the last collection
	failed     error  // of the last collection: there is nothing to show
	other      error  // of the last collection: plain has to show it
}

// New returns a handler that shows the metrics of a provider with the reader of its Source. It logs
// scrapes with errors.
//
// It shows nothing else: neither the Go runtime nor the process.
func New(logger *slog.Logger) (*Handler, error) {
	registry, own := prometheus.NewRegistry(), prometheus.NewRegistry()
	reader, err := otelprom.New(
		otelprom.WithRegisterer(returning{registry}),
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
			ErrorLog:        errorLog,
			ErrorHandling:   promhttp.ContinueOnError,
			Registry:        own,
			AcceptedFormats: acceptedFormats,
		}),
		failures: handlerErrors(own),
		ended:    ended,
		report:   errorLog,
		timeout:  Timeout,
		stall:    stall,
		turn:     make(chan struct{}, 1),
	}, nil
}

// Source returns the source of the metrics. A push may share it.
func (h *Handler) Source() *collect.Source { return h.source }

// Relieve cuts off the client that has taken nothing of its answer for the longest time, unless all
// are lively or wait for a collection. A server without room for another connection calls it. It
// returns at once; the client's request ends soon after.
func (h *Handler) Relieve() { h.shelves.relieve() }

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
	a = h.answer(w, r, began)
	if errors.Is(a.err, errSlow) {
		panic(http.ErrAbortHandler) // the client must not take what it has for the whole answer
	}
}

// answer answers a scrape that began at a time.
func (h *Handler) answer(w http.ResponseWriter, r *http.Request, began time.Time) answer {
	if h.ended.Load() {
		unavailable(w, errEnded)
		return answer{err: errEnded}
	}
	c, err := h.shelves.admit(w)
	if err != nil {
		unavailable(w, err)
		return answer{err: err}
	}
	defer h.shelves.leave(c)
	format := expfmt.NegotiateAccept(r.Header, acceptedFormats...)
	text, ok := textFormat(format)
	err = errOther
	if ok && time.Now().UnixNano() >= h.detour.Load() && len(names(r)) == 0 {
		err = h.scrape(r.Context(), c, text, format, acceptedEncoding(r.Header, encodings))
	}
	if errors.Is(err, errOther) {
		err = h.upstream(c, r, format)
	}
	switch {
	case errors.Is(err, errEnded), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		unavailable(w, err)
	case err != nil:
		http.Error(w, "An error has occurred while serving metrics:\n\n"+report.Hide(err.Error()), http.StatusInternalServerError)
	default:
		return h.deliver(w, c, format, limit(r, began))
	}
	return answer{err: err}
}

// unavailable answers 503 with err.
func unavailable(w http.ResponseWriter, err error) {
	if errors.Is(err, errTooMany) {
		w.Header().Set("Retry-After", "1")
	}
	http.Error(w, "No scrape now: "+err.Error(), http.StatusServiceUnavailable)
}

// Errors of scrape.
var (
	errEnded      = errors.New("telemetry has been shut down")
	errOther      = errors.New("package exposition cannot write it")
	errUnfinished = errors.New("the collection did not end")
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

// takeTurn waits for the handler's turn. The caller gives it back by reading h.turn.
func (h *Handler) takeTurn(ctx, deadline context.Context) error {
	select {
	case h.turn <- struct{}{}:
		return nil
	case <-deadline.Done():
		return deadline.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// scrape gives c a body that package exposition writes, or another client's.
func (h *Handler) scrape(ctx context.Context, c *client, text exposition.Format, format expfmt.Format, compression string) error {
	k := kind{format.FormatType(), compression}
	h.shelves.wait(k)
	defer h.shelves.served(k)
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), h.timeout)
	defer cancel()
	seen := h.begun.Load()
	if err := h.takeTurn(ctx, deadline); err != nil {
		return err
	}
	defer func() { <-h.turn }()
	if h.shelves.take(c, k, "", seen) || h.shelves.room(c, k, "") {
		return nil
	}
	began := time.Now()
	if h.last <= seen || errors.Is(h.failed, context.DeadlineExceeded) && deadline.Err() == nil {
		h.last = h.begun.Add(1)
		h.collect(deadline) // not ctx: others may share the collection after this client has gone
	}
	switch {
	case errors.Is(h.failed, errEnded):
		return errEnded // no defect
	case h.other != nil:
		h.detour.Store(time.Now().Add(detour).UnixNano())
		return errOther
	case h.failed != nil:
		h.failures.WithLabelValues(gathering).Inc()
		h.report.Handle(h.failed)
		return h.failed
	}
	b := h.shelves.open(c, k, "", h.last, began)
	b.err = errUnfinished // holds if write panics
	defer h.shelves.finish(b)
	if b.err = h.write(b, text, format, compression); b.err != nil {
		h.failures.WithLabelValues(encoding).Inc()
		h.report.Handle(b.err)
	}
	b.size = h.exposition.Size()
	b.size.Add(handlerSeries) // which writeErrors has written
	return b.err
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
func (h *Handler) write(b *body, text exposition.Format, format expfmt.Format, compression string) (err error) {
	err = errUnfinished // holds if anything below panics
	defer func() {
		if err != nil {
			h.compressor = compressor{} // writing to a body cannot fail: the compressor is broken
		}
	}()
	return h.compressor.write(compression, b, func(w io.Writer) error {
		return errors.Join(h.exposition.WriteTo(w, text), writeErrors(w, h.failures, format))
	})
}
