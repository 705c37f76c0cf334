package instrument_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

func carrierOf(p *instrument.Pipeline, ctx context.Context) propagation.MapCarrier {
	carrier := propagation.MapCarrier{}
	p.Enqueue(ctx, "job-1", carrier)
	return carrier
}

func TestEnqueueAndCarry(t *testing.T) {
	for name, carrier := range map[string]propagation.TextMapCarrier{
		"map":         propagation.MapCarrier{},
		"HTTP header": propagation.HeaderCarrier(http.Header{}),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, rec := instrumenttest.New(t)
				p.Enqueue(t.Context(), "job-1", carrier)
				time.Sleep(45 * time.Second)
				_, job := p.StartJob(t.Context(), "job-1", instrument.WithCarrier(carrier))
				job.End(nil)

				if h := rec.Histogram(vp("queue_wait_seconds")); h.Count != 1 || h.Sum != 45 {
					t.Errorf("queue wait = %+v, want one of 45 s", h)
				}
				if got := rec.Counter(vp("jobs_total"), label("status", "queued")); got != 1 {
					t.Errorf("queued = %v, want 1", got)
				}
				rec.AssertSpanTree(`
					enqueue job (producer)
					job (consumer)
				`)
				producer, consumer := rec.Span("enqueue job", label("video.processing.job.id", "job-1")), rec.Span("job")
				if len(consumer.Links) != 1 || consumer.Links[0].SpanContext.SpanID() != producer.SpanContext.SpanID() {
					t.Errorf("links = %v, want one to the span that enqueued it", consumer.Links)
				}
				if consumer.SpanContext.TraceID() == producer.SpanContext.TraceID() {
					t.Error("one trace, want two: a link is the default")
				}
				if got := rec.Counter(vp("invalid_values_total")); got != 0 {
					t.Errorf("invalid values = %v", got)
				}
			})
		})
	}
}

func TestRemoteParent(t *testing.T) {
	p, rec := instrumenttest.New(t)
	carrier := carrierOf(p, t.Context())
	_, job := p.StartJob(t.Context(), "job-1", instrument.WithCarrier(carrier), instrument.WithRemoteParent())
	job.End(nil)
	rec.AssertSpanTree(`
		enqueue job (producer)
		  job (consumer)
	`)
	if span := rec.Span("job"); len(span.Links) != 0 || !span.Parent.IsRemote() {
		t.Errorf("links %v, parent %v, want the remote parent alone", span.Links, span.Parent)
	}
}

// A worker that has a span of its own around the job keeps it as the parent.
func TestLinkBesideALocalParent(t *testing.T) {
	p, rec := instrumenttest.New(t)
	carrier := carrierOf(p, t.Context())
	ctx, receive := rec.TracerProvider().Tracer("worker").Start(t.Context(), "receive")
	_, job := p.StartJob(ctx, "job-1", instrument.WithCarrier(carrier))
	job.End(nil)
	receive.End()
	rec.AssertSpanTree(`
		enqueue job (producer)
		receive
		  job (consumer)
	`)
	if links := rec.Span("job").Links; len(links) != 1 {
		t.Errorf("links = %v, want one", links)
	}
}

// What a queue hands over can be anything; a job is worked on all the same.
func TestCarriersThatHoldNothingOfUse(t *testing.T) {
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	now := time.Now().UTC()
	tests := []struct {
		reason  string
		carrier propagation.TextMapCarrier
		links   int
		waits   uint64
		invalid string
	}{
		{"empty", propagation.MapCarrier{}, 0, 0, ""},
		{"a nil map", propagation.MapCarrier(nil), 0, 0, ""},
		{"a nil header", propagation.HeaderCarrier(nil), 0, 0, ""},
		{"no time", propagation.MapCarrier{"traceparent": parent}, 1, 0, ""},
		{"no trace", propagation.MapCarrier{instrument.EnqueuedAtKey: now.Format(time.RFC3339Nano)}, 0, 1, ""},
		{"a trace that is garbage", propagation.MapCarrier{"traceparent": "00-garbage-\xff"}, 0, 0, ""},
		{"a trace of zeros", propagation.MapCarrier{"traceparent": "00-00000000000000000000000000000000-0000000000000000-01"}, 0, 0, ""},
		{"a time in another zone", propagation.MapCarrier{instrument.EnqueuedAtKey: now.In(time.FixedZone("", 5*3600)).Format(time.RFC3339)}, 0, 1, ""},
		{"a time that is garbage", propagation.MapCarrier{instrument.EnqueuedAtKey: "yesterday"}, 0, 0, "bad_format"},
		{"a time in seconds", propagation.MapCarrier{instrument.EnqueuedAtKey: "1700000000"}, 0, 0, "bad_format"},
		{"a huge time", propagation.MapCarrier{instrument.EnqueuedAtKey: now.Format(time.RFC3339Nano) + strings.Repeat("0", 1<<20)}, 0, 0, "bad_format"},
		{"a time that is not UTF-8", propagation.MapCarrier{instrument.EnqueuedAtKey: "2026-\xff"}, 0, 0, "bad_format"},
		{"a clock that runs ahead: a wait of 0", propagation.MapCarrier{instrument.EnqueuedAtKey: now.Add(time.Hour).Format(time.RFC3339Nano)}, 0, 1, "clock_skew"},
		{"a time long before queues", propagation.MapCarrier{instrument.EnqueuedAtKey: "1970-01-01T00:00:00Z"}, 0, 0, "out_of_range"},
		{"the zero time", propagation.MapCarrier{instrument.EnqueuedAtKey: time.Time{}.Format(time.RFC3339)}, 0, 0, "out_of_range"},
		{"the last time", propagation.MapCarrier{instrument.EnqueuedAtKey: "9999-12-31T23:59:59Z"}, 0, 1, "clock_skew"},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			reports := captureReports(t)
			p, rec := instrumenttest.New(t)
			for _, opts := range [][]instrument.JobOption{
				{instrument.WithCarrier(tt.carrier)},
				{instrument.WithCarrier(tt.carrier), instrument.WithRemoteParent()},
			} {
				before, ended := rec.Snapshot(), len(rec.Spans())
				_, job := p.StartJob(t.Context(), "job-1", opts...)
				job.End(nil)
				s, span := rec.Snapshot().Sub(before), rec.Spans()[ended]
				if linked := len(span.Links); len(opts) == 1 && linked != tt.links {
					t.Errorf("%d links, want %d", linked, tt.links)
				}
				if child := span.Parent.IsValid(); child != (len(opts) == 2 && tt.links == 1) {
					t.Errorf("parent = %v", span.Parent)
				}
				h := s.Histogram(vp("queue_wait_seconds"))
				if h.Count != tt.waits || h.Sum < 0 || h.Sum > 60 {
					t.Errorf("queue wait: %d values, sum %v, want %d", h.Count, h.Sum, tt.waits)
				}
				want := 0.0
				if tt.invalid != "" {
					want = 1
					if got := s.Counter(vp("invalid_values_total"), label("metric", "video.processing.queue_wait"), label("reason", tt.invalid)); got != 1 {
						t.Errorf("%s = %v, want 1", tt.invalid, got)
					}
				}
				if got := s.Counter(vp("invalid_values_total")); got != want {
					t.Errorf("invalid values = %v, want %v", got, want)
				}
			}
			reports.expect(t)
		})
	}
}

// panickyCarrier is a carrier whose connection is gone.
type panickyCarrier struct{}

func (panickyCarrier) Get(string) string  { panic("carrier is closed") }
func (panickyCarrier) Set(string, string) { panic("carrier is closed") }
func (panickyCarrier) Keys() []string     { panic("carrier is closed") }

func TestCarriersThatPanic(t *testing.T) {
	const closed = "panicked: carrier is closed"
	tests := []struct {
		reason  string
		carrier propagation.TextMapCarrier
		enqueue []string
		start   []string
	}{
		{"by its own", panickyCarrier{}, []string{"carrier of Enqueue " + closed},
			[]string{"carrier of WithCarrier " + closed, "carrier of WithCarrier " + closed}},
		{"a nil pointer", (*panickyCarrier)(nil), []string{"carrier of Enqueue panicked"},
			[]string{"carrier of WithCarrier panicked", "carrier of WithCarrier panicked"}},
		{"a nil map can be read but not written", propagation.MapCarrier(nil), []string{"carrier of Enqueue panicked"}, nil},
		{"no carrier at all", nil, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			p, rec := instrumenttest.New(t)
			reports := captureReports(t)
			p.Enqueue(t.Context(), "job-1", tt.carrier)
			reports.expect(t, tt.enqueue...)
			reports = captureReports(t)
			_, job := p.StartJob(t.Context(), "job-1", instrument.WithCarrier(tt.carrier))
			job.End(nil)
			reports.expect(t, tt.start...)
			if q, c := rec.Counter(vp("jobs_total"), label("status", "queued")), rec.Counter(vp("jobs_total"), label("status", "completed")); q != 1 || c != 1 {
				t.Errorf("queued %v, completed %v, want 1 and 1", q, c)
			}
			if n := len(rec.Spans()); n != 2 {
				t.Errorf("%d spans, want 2", n)
			}
		})
	}
}

func TestPropagators(t *testing.T) {
	const own = "x-own-trace"
	tests := []struct {
		reason string
		global propagation.TextMapPropagator
		opts   []instrument.Option
		key    string
		absent string
	}{
		{reason: "a program that set none still joins its traces", key: "traceparent", absent: own},
		{reason: "the program's", global: renamed{own}, key: own, absent: "traceparent"},
		{reason: "the option before the program's", global: propagation.TraceContext{},
			opts: []instrument.Option{instrument.WithPropagators(renamed{own})}, key: own, absent: "traceparent"},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			if tt.global != nil {
				otel.SetTextMapPropagator(tt.global)
				t.Cleanup(func() { otel.SetTextMapPropagator(w3c()) }) // nothing unsets it
			}
			p, rec := instrumenttest.New(t, tt.opts...)
			carrier := carrierOf(p, t.Context())
			if carrier[tt.key] == "" || carrier[tt.absent] != "" || carrier[instrument.EnqueuedAtKey] == "" {
				t.Errorf("carrier = %v, want %s", carrier, tt.key)
			}
			_, job := p.StartJob(t.Context(), "job-1", instrument.WithCarrier(carrier))
			job.End(nil)
			if links := rec.Span("job").Links; len(links) != 1 {
				t.Errorf("links = %v, want one", links)
			}
		})
	}
}

// OTEL_PROPAGATORS=none of a program that wants no trace context on its queue.
func TestNoPropagation(t *testing.T) {
	otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator())
	t.Cleanup(func() { otel.SetTextMapPropagator(w3c()) })
	p, _ := instrumenttest.New(t)
	if carrier := carrierOf(p, t.Context()); len(carrier) != 1 || carrier[instrument.EnqueuedAtKey] == "" {
		t.Errorf("carrier = %v, want the time alone", carrier)
	}
}

func w3c() propagation.TextMapPropagator {
	return propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})
}

// renamed is W3C Trace Context under another key.
type renamed struct{ key string }

func (r renamed) Fields() []string { return []string{r.key} }

func (r renamed) Inject(ctx context.Context, c propagation.TextMapCarrier) {
	m := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, m)
	c.Set(r.key, m["traceparent"])
}

func (r renamed) Extract(ctx context.Context, c propagation.TextMapCarrier) context.Context {
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": c.Get(r.key)})
}

// Baggage of whoever enqueued the job comes along with the parent.
func TestBaggageComesWithTheRemoteParent(t *testing.T) {
	p, _ := instrumenttest.New(t)
	member, err := baggage.NewMember("tenant", "acme")
	if err != nil {
		t.Fatal(err)
	}
	bag, err := baggage.New(member)
	if err != nil {
		t.Fatal(err)
	}
	carrier := carrierOf(p, baggage.ContextWithBaggage(t.Context(), bag))
	ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithCarrier(carrier), instrument.WithRemoteParent())
	defer job.End(nil)
	if got := baggage.FromContext(ctx).Member("tenant").Value(); got != "acme" {
		t.Errorf("tenant = %q, want acme", got)
	}
}

// Whatever a queue delivers: no panic, at most one wait, never negative, and at most one link.
func FuzzCarrier(f *testing.F) {
	f.Add("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "2026-01-02T03:04:05.123456789Z", "job-1")
	f.Add("traceparent", "", "", "")
	f.Add("tracestate", "a=\xff", "9999-12-31T23:59:59Z", "\xff")
	f.Add("baggage", "k=v;p=\x00", "0000-01-01T00:00:00Z", "\x00")
	f.Add("baggage", "%", "2026-01-02T03:04:05+24:00", strings.Repeat("x", 300))
	f.Fuzz(func(t *testing.T, key, value, enqueuedAt, id string) {
		p, rec := instrumenttest.New(t)
		carrier := propagation.MapCarrier{key: value, instrument.EnqueuedAtKey: enqueuedAt}
		for _, opts := range [][]instrument.JobOption{
			{instrument.WithCarrier(carrier)},
			{instrument.WithCarrier(carrier), instrument.WithRemoteParent()},
		} {
			ctx, job := p.StartJob(t.Context(), id, opts...)
			if !trace.SpanContextFromContext(ctx).IsValid() {
				t.Error("no span")
			}
			job.End(nil)
		}
		h := rec.Histogram(vp("queue_wait_seconds"))
		if h.Count > 2 || h.Min < 0 || h.Max > (366*24*time.Hour).Seconds() {
			t.Errorf("queue wait = %+v", h)
		}
		for _, s := range rec.Spans() {
			if len(s.Links) > 1 {
				t.Errorf("links = %v", s.Links)
			}
		}
		again := propagation.MapCarrier{key: value}
		p.Enqueue(t.Context(), id, again)
		if _, err := time.Parse(time.RFC3339Nano, again[instrument.EnqueuedAtKey]); err != nil {
			t.Error(err)
		}
	})
}
