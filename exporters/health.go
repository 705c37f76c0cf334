package exporters

import (
	"slices"
	"time"

	"github.com/stagemeter/stagemeter/exporters/internal/push"
	"github.com/stagemeter/stagemeter/exporters/internal/scrape"
)

// Health is how the telemetry itself fares: whether anybody gets the metrics and spans, and what is
// missing in them. All of it is about this process since [Start]. Later versions may add fields.
type Health struct {
	Scrape  ScrapeHealth
	Metrics PushHealth // over OTLP, not to the console
	Traces  PushHealth // over OTLP, not to the console
	Spans   SpanHealth // on their way to the push of Traces
	Series  SeriesHealth
}

// A HealthState says whether something works. What was never tried is [HealthUntried]: its figures
// are zero because nothing is known.
type HealthState string

// The states.
const (
	HealthOff     HealthState = "off"     // it is not wanted, or Start could not start it
	HealthUntried HealthState = "untried" // nothing has been tried yet
	HealthWorks   HealthState = "works"   // the last attempt succeeded
	HealthFails   HealthState = "fails"   // the last attempt failed
)

// stateOf returns the state of something that is on.
func stateOf(successes, failuresInARow int64) HealthState {
	switch {
	case failuresInARow > 0:
		return HealthFails
	case successes > 0:
		return HealthWorks
	default:
		return HealthUntried
	}
}

// ScrapeHealth is how the scrapes of Prometheus fare, on the server and by [Telemetry.Handler].
// Requests that the web config file refuses are not counted, nor are those with the method HEAD.
type ScrapeHealth struct {
	State     HealthState
	Successes int64 // answers with metrics

	// The last success. Everything is zero before the first.
	LastSuccess time.Time     // its end
	Duration    time.Duration // from the request to the end of the answer
	Bytes       int64         // of the body, as sent: compressed
	Series      int64         // sets of labels, a histogram being one; with target_info and promhttp's own
	Samples     int64         // lines with a value, as scrape_samples_scraped: a histogram has one for each bucket, and two

	Failures       int64 // answers with an error, and those that the client did not take
	FailuresInARow int64 // since the last success
	LastFailure    time.Time
	LastError      string // one line
}

// PushHealth is how the pushes of one signal fare.
type PushHealth struct {
	State    HealthState
	Endpoint string // a URL, without credentials

	Successes   int64     // pushes of metrics, batches of spans
	LastSuccess time.Time // zero: none

	// Requests that failed, as video_processing_export_failures_total counts them, and pushes of
	// metrics that could not be collected. A point or a span that is too large for the receiver is
	// one of Failures, but not of FailuresInARow: the rest of its push arrives. If all of a push is
	// too large, that is one of FailuresInARow.
	Failures       int64
	FailuresInARow int64 // since the last success
	LastFailure    time.Time
	LastError      string // one line, without the passwords of URLs and the values of headers, from 8 bytes on
}

// SpanHealth is where the sampled spans are that have ended before [Telemetry.Shutdown]: each is in
// exactly one of Queued, Sending, Sent and Dropped. Everything is zero if Traces is [HealthOff].
type SpanHealth struct {
	QueueSize int64 // OTEL_BSP_MAX_QUEUE_SIZE; 0: spans are not pushed
	Queued    int64 // wait to be sent
	Sending   int64 // in the batch that is under way, also while the receiver asks to wait
	Sent      int64 // taken by the receiver
	Dropped   int64 // lost
	QueueFull int64 // of Dropped, because the queue was full; the others were in requests that failed, or Shutdown did not send them
}

// SeriesHealth is about the limit of [WithCardinalityLimit].
type SeriesHealth struct {
	Limit int // of an instrument; 0: nothing is measured

	// When metrics were collected last, for a scrape or a push. Zero: never, so nothing is known
	// about OverLimit.
	LastCollection time.Time

	// The metrics of which a collection has found more series than Limit, by their names in
	// Prometheus, in alphabetical order. What was recorded beyond the limit is in one series with
	// otel_metric_overflow="true". How many series or recordings that is, the SDK does not tell.
	OverLimit []string
}

// Health returns a copy of the figures, which the caller owns. It makes no request, collects
// nothing and waits for no scrape or push that is under way, so a page may ask every second. Each
// field of Health is consistent in itself; two of them may be some nanoseconds apart. After
// [Telemetry.Shutdown] it has the last figures. On a nil Telemetry everything is [HealthOff].
func (t *Telemetry) Health() Health {
	h := Health{
		Scrape:  ScrapeHealth{State: HealthOff},
		Metrics: PushHealth{State: HealthOff},
		Traces:  PushHealth{State: HealthOff},
	}
	if t == nil {
		return h
	}
	if m := t.metrics; m != nil {
		if m.scrapes != nil {
			h.Scrape = scrapeHealth(m.scrapes.Health())
		}
		h.Metrics = pushHealth(m.failures)
		h.Series = m.seriesHealth()
	}
	if tr := t.traces; tr != nil {
		h.Traces = pushHealth(tr.failures)
		h.Spans = spanHealth(tr.queue.Spans())
	}
	return h
}

func scrapeHealth(h scrape.Health) ScrapeHealth {
	return ScrapeHealth{
		State:       stateOf(h.Successes, h.FailuresInARow),
		Successes:   h.Successes,
		LastSuccess: h.LastSuccess, Duration: h.Duration, Bytes: h.Bytes,
		Series: h.Size.Series, Samples: h.Size.Samples,
		Failures: h.Failures, FailuresInARow: h.FailuresInARow,
		LastFailure: h.LastFailure, LastError: h.LastError,
	}
}

func pushHealth(f *push.Failures) PushHealth {
	if f == nil {
		return PushHealth{State: HealthOff}
	}
	h := f.Health()
	return PushHealth{
		State:     stateOf(h.Successes, h.FailuresInARow),
		Endpoint:  h.Endpoint,
		Successes: h.Successes, LastSuccess: h.LastSuccess,
		Failures: h.Failures, FailuresInARow: h.FailuresInARow,
		LastFailure: h.LastFailure, LastError: h.LastError,
	}
}

func spanHealth(s push.Spans) SpanHealth {
	return SpanHealth{
		QueueSize: s.Room, Queued: s.Waiting, Sending: s.Sending, Sent: s.Sent,
		Dropped: s.Dropped, QueueFull: s.QueueFull,
	}
}

func (m *metrics) seriesHealth() SeriesHealth {
	h := SeriesHealth{Limit: m.limit}
	if m.scrapes != nil {
		h.OverLimit, h.LastCollection = m.scrapes.Overflowed()
	}
	for _, source := range m.sources {
		over, last := source.Overflowed()
		h.OverLimit = append(h.OverLimit, scrape.Names(over)...)
		if last.After(h.LastCollection) {
			h.LastCollection = last
		}
	}
	slices.Sort(h.OverLimit)
	h.OverLimit = slices.Compact(h.OverLimit)
	return h
}
