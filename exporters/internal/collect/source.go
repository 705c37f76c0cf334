package collect

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/stagemeter/stagemeter/exporters/internal/report"
)

// A Source is a reader that several exporters share. Every recording costs a share for each reader
// of the provider, so a scrape and a push with the same temporality and aggregation use one. It is
// safe for concurrent use.
type Source struct {
	reader sdkmetric.Reader
	delta  bool
	turn   chan struct{} // holds a value during a collection
	torn   atomic.Bool   // a callback has panicked, see read

	overflow overflow
}

// NewSource returns a Source that collects from r, whose temporality is cumulative.
func NewSource(r sdkmetric.Reader) *Source {
	return &Source{reader: r, turn: make(chan struct{}, 1)}
}

// NewSourceFor returns a Source with the temporality and the aggregation that e selects.
func NewSourceFor(e sdkmetric.Exporter) *Source {
	s := NewSource(sdkmetric.NewManualReader(
		sdkmetric.WithTemporalitySelector(e.Temporality), sdkmetric.WithAggregationSelector(e.Aggregation)))
	s.delta = e.Temporality(sdkmetric.InstrumentKindCounter) == metricdata.DeltaTemporality
	return s
}

// Reader returns the reader, for the provider.
func (s *Source) Reader() sdkmetric.Reader { return s.reader }

// Delta reports whether each collection restarts the counters: no later collection has what this
// one has.
func (s *Source) Delta() bool { return s.delta }

// Collect fills rm and reports whether it did:
//
//   - A callback returned an error: rm is filled, and err is that error.
//   - A callback panicked: rm is not filled, and err says so.
//   - A callback blocks until ctx is done: rm is not filled. The collection continues in the
//     background and writes to rm when the callback returns. Until then rm may be used only for a
//     later Collect, which waits for it.
func (s *Source) Collect(ctx context.Context, rm *metricdata.ResourceMetrics) (collected bool, err error) {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	type result struct {
		collected bool
		err       error
	}
	done := make(chan result, 1)
	go func() { // ends when the callbacks return
		r := result{err: errors.New("a callback ended its goroutine")}
		defer func() { <-s.turn; done <- r }()
		r.collected, r.err = s.read(ctx, rm)
	}()
	select {
	case r := <-done:
		return r.collected, r.err
	case <-ctx.Done():
		return false, fmt.Errorf("the callbacks take too long: %w", ctx.Err())
	}
}

// Outside runs a collection of s's reader that s does not make itself, as a Prometheus registry
// does. gather collects and reports whether it did. After a panic of a callback it is called twice,
// see read.
func (s *Source) Outside(gather func() bool) {
	torn := s.torn.Swap(true) // until gather returns, which it may not
	collected := gather()
	if torn && collected {
		collected = gather()
	}
	if collected {
		s.torn.Store(false)
	}
}

// read collects. If a callback panics, the SDK keeps what the callbacks before it have observed,
// and adds it to what they observe at the next collection. read throws that collection away and
// collects again, unless temporality is delta: counters would lose what was counted.
func (s *Source) read(ctx context.Context, rm *metricdata.ResourceMetrics) (collected bool, err error) {
	torn := s.torn.Load()
	collected, err = s.readOnce(ctx, rm)
	if torn && collected && !s.delta {
		collected, err = s.readOnce(ctx, rm)
	}
	return collected, err
}

func (s *Source) readOnce(ctx context.Context, rm *metricdata.ResourceMetrics) (collected bool, err error) {
	defer func() {
		if v := recover(); v != nil {
			collected, err = false, report.Panicked("a callback", v)
		}
	}()
	rm.Resource, rm.ScopeMetrics = nil, rm.ScopeMetrics[:0] // nothing of an earlier collection stays
	torn := s.torn.Swap(true)                               // until Collect returns, which it may not
	err = s.reader.Collect(ctx, rm)
	collected = rm.Resource != nil // the SDK sets it only if it collects: not after Shutdown, nor if ctx is done
	s.torn.Store(torn && !collected)
	if collected {
		s.overflow.collected(rm)
	}
	return collected, err
}
