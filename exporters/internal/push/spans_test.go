package push

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A scripted exporter answers each request for spans as told, and notes when it came.
type scripted struct {
	began  time.Time
	at     []time.Duration
	answer func(request int) error
	got    int // spans that were taken
}

func (e *scripted) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	e.at = append(e.at, time.Since(e.began))
	if err := e.answer(len(e.at)); err != nil {
		return err
	}
	e.got += len(spans)
	return nil
}
func (*scripted) Shutdown(context.Context) error { return nil }

// Spans wait as long as the receiver asks for, in their batch and in the queue, and then arrive.
func TestSpansWhileTheReceiverAsksToWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &scripted{began: time.Now(), answer: func(n int) error {
			if n == 1 {
				return later(100 * time.Second)
			}
			return nil
		}}
		q, end := queue(t, "10", e)
		end(1)
		synctest.Wait()
		end(12) // ten wait
		if got, want := q.Spans(), (Spans{Room: 10, Waiting: 10, Sending: 1, Dropped: 2, QueueFull: 2}); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		before := time.Now()
		if err := q.ForceFlush(ctx); err == nil || !strings.Contains(err.Error(), "asks to wait 1m40s more") || time.Since(before) != 0 {
			t.Errorf("ForceFlush after %v: %v", time.Since(before), err)
		}
		time.Sleep(101 * time.Second)
		synctest.Wait()
		if got, want := q.Spans(), (Spans{Room: 10, Sent: 11, Dropped: 2, QueueFull: 2}); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
		if len(e.at) != 12 || e.at[1] != 100*time.Second {
			t.Errorf("requests at %v", e.at)
		}
		if h := q.failures.Health(); h.Failures != 1 || h.FailuresInARow != 0 || h.Successes != 11 {
			t.Errorf("%+v", h)
		}
		if err := q.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A receiver that asks to wait each time does not hold a batch for ever.
func TestSpansThatAlwaysHaveToWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &scripted{began: time.Now(), answer: func(int) error { return later(100 * time.Second) }}
		q, end := queue(t, "10", e)
		end(2)
		time.Sleep(599 * time.Second)
		synctest.Wait()
		want := []time.Duration{0, 100 * time.Second, 200 * time.Second, 300 * time.Second, 400 * time.Second, 500 * time.Second}
		if got := q.Spans(); !slices.Equal(e.at, want) || got.Dropped != 2 || got.QueueFull != 0 {
			t.Errorf("requests at %v, %+v", e.at, got)
		}
		_ = q.Shutdown(t.Context())
	})
}

// Shutdown waits if there is time; otherwise it makes one request, whatever is left.
func TestShutdownOfSpansWhileTheReceiverAsksToWait(t *testing.T) {
	for _, tt := range []struct {
		deadline time.Duration
		accepts  bool
		want     Spans
		requests int
	}{
		{200 * time.Second, true, Spans{Room: 10, Sent: 5}, 6},
		{5 * time.Second, true, Spans{Room: 10, Sent: 5}, 6},
		{5 * time.Second, false, Spans{Room: 10, Dropped: 5}, 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			accepts := false
			e := &scripted{began: time.Now(), answer: func(int) error {
				if !accepts {
					return later(100 * time.Second)
				}
				return nil
			}}
			q, end := queue(t, "10", e)
			end(1)
			synctest.Wait()
			end(4)
			synctest.Wait()
			accepts = tt.accepts
			ctx, cancel := context.WithTimeout(t.Context(), tt.deadline)
			defer cancel()
			if err := q.Shutdown(ctx); err != nil {
				t.Error(err)
			}
			if got := q.Spans(); got != tt.want || len(e.at) != tt.requests {
				t.Errorf("%+v: %+v in %d requests", tt, got, len(e.at))
			}
		})
	}
}

// Errors that no answer of the receiver explains lose the batch, and no later one.
func TestSpansOfAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &scripted{began: time.Now(), answer: func(n int) error {
			if n == 1 {
				return errors.New("down")
			}
			return nil
		}}
		q, end := queue(t, "10", e)
		end(3)
		synctest.Wait()
		if got, want := q.Spans(), (Spans{Room: 10, Sent: 2, Dropped: 1}); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
		_ = q.Shutdown(t.Context())
	})
}

// A receiver that takes one request and then asks to wait, again and again, gets all spans.
func TestSpansArriveBetweenWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &scripted{began: time.Now(), answer: func(n int) error {
			if n%2 == 0 {
				return nil
			}
			return later(time.Minute)
		}}
		q, _ := queue(t, "10", e)
		q.sender.items = 1
		q.sender.most = 1
		exporter := countedExporter{SpanExporter: e, failures: q.failures, queue: q, sender: q.sender, timeout: time.Second}
		if lost := exporter.export(t.Context(), slices.Repeat([]sdktrace.ReadOnlySpan{ended(t)}, 8)); lost != 0 || e.got != 8 {
			t.Errorf("%d of 8 spans arrived, %d were lost, requests at %v", e.got, lost, e.at)
		}
		_ = q.Shutdown(t.Context())
	})
}

// If all spans of a batch are too large, Health says that exports fail.
func TestAllSpansTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &scripted{began: time.Now(), answer: func(int) error {
			return status.Error(codes.ResourceExhausted, "grpc: received message larger than max")
		}}
		q, _ := queue(t, "10", e)
		exporter := countedExporter{SpanExporter: e, failures: q.failures, queue: q, sender: q.sender, timeout: time.Second}
		if lost := exporter.export(t.Context(), slices.Repeat([]sdktrace.ReadOnlySpan{ended(t)}, 8)); lost != 8 {
			t.Errorf("%d lost, want 8", lost)
		}
		if h := q.failures.Health(); h.Failures != 8 || h.FailuresInARow != 1 {
			t.Errorf("%+v", h)
		}
		_ = q.Shutdown(t.Context())
	})
}
