package exporters

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// A source is a reader that several places share, whose collections can be
// given up. Each reader that a provider has takes its share of what every
// recording costs: the scrape and a push that has the same temporality and
// aggregation have one.
type source struct {
	reader sdkmetric.Reader
	delta  bool
	turn   chan struct{} // holds a value while a collection is under way
	torn   atomic.Bool   // a callback has panicked, see read
}

func newSource(r sdkmetric.Reader, delta bool) *source {
	return &source{reader: r, delta: delta, turn: make(chan struct{}, 1)}
}

// collect fills rm, and tells whether it did: also when a callback returned an
// error, but not when one panicked, or blocks until ctx is done. That one is
// left behind with its goroutine, and writes into rm when it goes on: rm is for
// nothing but a later collect then, which waits for it.
func (s *source) collect(ctx context.Context, rm *metricdata.ResourceMetrics) (collected bool, err error) {
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
	go func() { // ends with the callbacks
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

// read collects. What callbacks have observed before one that panicked is still
// with the SDK, which adds it to what they observe the next time: that
// collection is thrown away, unless it is of counts since the last one.
func (s *source) read(ctx context.Context, rm *metricdata.ResourceMetrics) (collected bool, err error) {
	torn := s.torn.Load()
	collected, err = s.readOnce(ctx, rm)
	if torn && collected && !s.delta {
		collected, err = s.readOnce(ctx, rm)
	}
	return collected, err
}

func (s *source) readOnce(ctx context.Context, rm *metricdata.ResourceMetrics) (collected bool, err error) {
	defer func() {
		if v := recover(); v != nil {
			collected, err = false, panicked("a callback", v)
		}
	}()
	rm.Resource, rm.ScopeMetrics = nil, rm.ScopeMetrics[:0] // what is collected is this time's, or nothing
	torn := s.torn.Swap(true)                               // until Collect returns, which it may not
	err = s.reader.Collect(ctx, rm)
	collected = rm.Resource != nil // which the SDK sets when it collects: not after Shutdown, nor when ctx was done before
	s.torn.Store(torn && !collected)
	return collected, err
}

// panicked tells of a panic without reading what its value points to.
func panicked(who string, v any) error {
	switch v := v.(type) {
	case string:
		return fmt.Errorf("%s panicked: %s", who, short(v))
	case error:
		return fmt.Errorf("%s panicked: %w", who, brief{v})
	default:
		return fmt.Errorf("%s panicked with a %T", who, v)
	}
}
