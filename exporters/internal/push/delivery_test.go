package push

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
)

// A narrow receiver takes requests of up to limit bytes.
type narrow struct {
	limit    int
	refusal  error
	sizes    []int
	got      []int // how often each item arrived
	requests int
	hook     func(from, to int) error // first, if set
}

// batch returns items of these sizes, in requests of 10 bytes more.
func (r *narrow) batch(sizes []int) *batch {
	r.sizes, r.got = sizes, make([]int, len(sizes))
	size := func(from, to int) int {
		n := 10
		for _, s := range sizes[from:to] {
			n += s
		}
		return n
	}
	return &batch{
		n: len(sizes), size: size, name: func(i int) string { return fmt.Sprint("item", i) },
		send: func(_ context.Context, from, to int) error {
			r.requests++
			if r.hook != nil {
				if err := r.hook(from, to); err != nil {
					return err
				}
			}
			if r.limit > 0 && size(from, to) > r.limit {
				return r.refusal
			}
			for i := from; i < to; i++ {
				r.got[i]++
			}
			return nil
		},
	}
}

// Each item that a receiver takes alone arrives, once. Others are dropped.
func TestNarrowReceiver(t *testing.T) {
	sized := func(n, size int, giants map[int]int) []int {
		sizes := make([]int, n)
		for i := range sizes {
			sizes[i] = size
			if g, ok := giants[i]; ok {
				sizes[i] = g
			}
		}
		return sizes
	}
	large := status.Error(codes.ResourceExhausted, "grpc: received message larger than max")
	gone := fmt.Errorf("Post: %w", io.EOF)
	for _, tt := range []struct {
		reason   string
		sizes    []int
		limit    int
		refusal  error
		dropped  int
		requests int // at most
	}{
		{"all fit", sized(2048, 100, nil), 1 << 20, large, 0, 2},
		{"half fits", sized(2048, 100, nil), 150_000, large, 0, 5},
		{"few fit", sized(2048, 100, nil), 1000, large, 0, 2048/4 + 20},
		{"one at a time", sized(64, 100, nil), 150, large, 0, 64 + 10},
		{"a giant", sized(2048, 100, map[int]int{700: 1 << 20}), 300_000, large, 1, 20},
		{"a giant first", sized(2048, 100, map[int]int{0: 1 << 20}), 300_000, large, 1, 20},
		{"a giant last", sized(2048, 100, map[int]int{2047: 1 << 20}), 300_000, large, 1, 20},
		{"giants", sized(100, 100, map[int]int{3: 9000, 4: 8000, 50: 8000, 99: 20_000}), 5000, large, 4, 30},
		{"only giants", sized(1000, 5000, nil), 4000, large, 1000, 20},
		{"a giant alone", []int{5 << 20}, 4 << 20, large, 1, 1},
		{"nothing fits", sized(2048, 100, nil), 1, large, 2048, 20},
		{"closed: half fits", sized(2048, 100, nil), 150_000, gone, 0, 20},
		{"closed: a giant first", sized(2048, 100, map[int]int{0: 1 << 20}), 300_000, gone, 1, 40},
		{"closed: a giant last", sized(2048, 100, map[int]int{2047: 1 << 20}), 300_000, gone, 1, 40},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &narrow{limit: tt.limit, refusal: tt.refusal}
				dropped := 0
				d := newDelivery(newSender(time.Minute, 1<<20), r.batch(tt.sizes), len(tt.sizes)/3, func(o outcome) bool {
					if o.verdict == tooLarge {
						dropped += o.lost
						if !strings.Contains(o.err.Error(), o.name) || !strings.HasPrefix(o.name, "item") {
							t.Errorf("%v", o.err)
						}
					} else if o.verdict != delivered {
						t.Errorf("%+v", o)
					}
					return true
				})
				if !d.run(t.Context()) {
					t.Error("not all was tried")
				}
				for i, n := range r.got {
					if fits := tt.sizes[i]+10 <= tt.limit; n > 1 || fits != (n == 1) {
						t.Fatalf("item %d of %d bytes arrived %d times", i, tt.sizes[i], n)
					}
				}
				if dropped != tt.dropped || r.requests > tt.requests {
					t.Errorf("%d dropped in %d requests, want %d in at most %d", dropped, r.requests, tt.dropped, tt.requests)
				}
			})
		})
	}
}

// Requests have at most 4 MiB, and as many items as allowed.
func TestRequestsAreCutByBytes(t *testing.T) {
	sizes := make([]int, 9000)
	for i := range sizes {
		sizes[i] = 1000 + i%1000
	}
	r := &narrow{limit: 4 << 20, refusal: errors.New("too large")}
	d := newDelivery(newSender(time.Minute, maxItems), r.batch(sizes), 0, func(o outcome) bool {
		if o.verdict != delivered || o.items > maxItems {
			t.Errorf("%+v", o)
		}
		return true
	})
	d.run(t.Context())
	if r.requests > 6 {
		t.Errorf("%d requests", r.requests)
	}
}

// A sender remembers the limit of a receiver for an hour.
func TestLimitIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &narrow{limit: 300_000, refusal: status.Error(codes.ResourceExhausted, "message larger than max")}
		sizes := make([]int, 1000)
		for i := range sizes {
			sizes[i] = 1000
		}
		s := newSender(time.Minute, maxItems)
		send := func() int {
			r.requests = 0
			newDelivery(s, r.batch(sizes), 0, func(outcome) bool { return true }).run(t.Context())
			return r.requests
		}
		first, second := send(), send()
		time.Sleep(learned + time.Second)
		if again := send(); first != 7 || second != 5 || again != 7 {
			t.Errorf("%d, %d and %d requests, want 7, 5 without those that are too large, and 7", first, second, again)
		}
	})
}

// A receiver that accepts connections and closes them is down: few requests find that out.
func TestClosedConnectionsAreAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &narrow{hook: func(int, int) error { return io.EOF }}
		var last outcome
		reports := 0
		d := newDelivery(newSender(time.Minute, maxItems), r.batch(make([]int, 5000)), 0, func(o outcome) bool {
			last = o
			reports++
			return false
		})
		if d.run(t.Context()) || last.verdict != closed || reports != 1 || r.requests != 4 || d.next() != maxItems {
			t.Errorf("%d requests, %d reports, %+v, next %d", r.requests, reports, last, d.next())
		}
	})
}

// A receiver that needs time for each item gets fewer of them at once, until they arrive.
func TestSlowItems(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeExporter{temporality: metricdata.CumulativeTemporality}
		total := map[string]int64{}
		e.export = func(ctx context.Context, rm *metricdata.ResourceMetrics) error {
			n := newPoints(rm).len()
			if !sleep(ctx, time.Duration(n)*50*time.Millisecond) { // 2048 take 102 s, a request has 60
				return status.FromContextError(ctx.Err()).Err()
			}
			sums(rm, metricdata.CumulativeTemporality, total)
			return nil
		}
		p, provider, _ := start(t, e)
		for i := range 1999 {
			add(t, provider, "a", i)
			add(t, provider, "b", i)
		}
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		if len(total) != 2*1999 {
			t.Errorf("%d series arrived, want %d", len(total), 2*1999)
		}
		_ = p.Shutdown(t.Context())
	})
}

// A receiver that is slow gets everything of a collection, however many requests it takes.
func TestSlowReceiverGetsAll(t *testing.T) {
	onEach(t, func(t *testing.T, temporality metricdata.Temporality) {
		e := &fakeExporter{temporality: temporality}
		total := map[string]int64{}
		e.export = func(ctx context.Context, rm *metricdata.ResourceMetrics) error {
			if !sleep(ctx, 50*time.Second) { // a push may take a minute without an answer
				return ctx.Err()
			}
			sums(rm, temporality, total)
			return nil
		}
		p, provider, f := start(t, e)
		for i := range 1999 {
			for _, name := range []string{"a", "b", "c", "d", "e"} {
				add(t, provider, name, i)
			}
		}
		time.Sleep(6 * time.Minute)
		synctest.Wait()
		if len(total) != 5*1999 || f.Health().Failures != 0 || f.Health().Successes != 1 {
			t.Errorf("%d series arrived, %+v", len(total), f.Health())
		}
		_ = p.Shutdown(t.Context())
	})
}

// A request that fails each time keeps no other back.
func TestOneRequestThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeExporter{temporality: metricdata.CumulativeTemporality}
		total := map[string]int64{}
		e.export = func(ctx context.Context, rm *metricdata.ResourceMetrics) error {
			if has(rm, "b") {
				<-ctx.Done()
				return ctx.Err()
			}
			sums(rm, metricdata.CumulativeTemporality, total)
			return nil
		}
		p, provider, _ := start(t, e)
		for i := range 300 {
			add(t, provider, "a", i)
			add(t, provider, "b", i%5)
			add(t, provider, "c", i)
		}
		time.Sleep(6 * time.Hour)
		synctest.Wait()
		if len(total) != 2*300 {
			t.Errorf("%d series arrived, want %d", len(total), 2*300)
		}
		_ = p.Shutdown(t.Context())
	})
}

// The last push begins with the request that Shutdown has canceled: its time may not suffice for all.
func TestLastPushBeginsWithWhatWasCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var order []string
		e := &fakeExporter{temporality: metricdata.CumulativeTemporality}
		e.export = func(ctx context.Context, rm *metricdata.ResourceMetrics) error {
			order = append(order, rm.ScopeMetrics[0].Metrics[0].Name)
			if !sleep(ctx, 40*time.Second) {
				return ctx.Err()
			}
			return nil
		}
		p, provider, f := start(t, e)
		for _, name := range []string{"a", "b", "c"} {
			for i := range 1999 {
				add(t, provider, name, i)
			}
		}
		time.Sleep(time.Minute) // during the second request
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
		defer cancel()
		err := p.Shutdown(ctx)
		if got := strings.Join(order, ""); got != "abbc" || err == nil || f.Health().Failures != 1 {
			t.Errorf("requests that begin with %s, want abbc; %v, %+v", got, err, f.Health())
		}
	})
}

// A metric that is too large is logged once, and the rest is a success.
func TestTooLargeIsSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		book := &exportertest.LogBook{}
		e := &fakeExporter{temporality: metricdata.CumulativeTemporality}
		total := map[string]int64{}
		e.export = func(_ context.Context, rm *metricdata.ResourceMetrics) error {
			if has(rm, "giant") {
				return status.Error(codes.ResourceExhausted, "grpc: received message larger than max (9 vs. 4)")
			}
			sums(rm, metricdata.CumulativeTemporality, total)
			return nil
		}
		quiet := config.Logger
		config.Logger = book.Logger()
		p, provider, f := start(t, e)
		config.Logger = quiet
		for _, name := range []string{"a", "giant", "z"} {
			exportertest.Count(provider, name, 1)
		}
		for range 3 {
			if err := p.Flush(t.Context()); err == nil || !strings.Contains(err.Error(), `"giant" is too large for the receiver`) {
				t.Errorf("Flush: %v", err)
			}
		}
		h := f.Health()
		if total["a"] != 1 || total["z"] != 1 || h.Failures != 3 || h.FailuresInARow != 0 || h.Successes != 3 || !strings.Contains(h.LastError, "giant") {
			t.Errorf("%v, %+v", total, h)
		}
		if book.Lines("too large", "name=giant") != 1 || book.Lines("OTLP") != 1 {
			t.Errorf("want one line:\n%s", book)
		}
		_ = p.Shutdown(t.Context())
	})
}

// A receiver that finds everything too large takes nothing: Health and the log say so until
// something arrives.
func TestAllTooLarge(t *testing.T) {
	large := status.Error(codes.Unknown, "unexpected HTTP status code received from server: 413")
	synctest.Test(t, func(t *testing.T) {
		book := &exportertest.LogBook{}
		e := &fakeExporter{temporality: metricdata.CumulativeTemporality}
		answer := large
		e.export = func(context.Context, *metricdata.ResourceMetrics) error { return answer }
		quiet := config.Logger
		config.Logger = book.Logger()
		p, provider, f := start(t, e)
		config.Logger = quiet
		exportertest.Count(provider, "a", 1)
		exportertest.Count(provider, "b", 1)
		for range 3 {
			if err := p.Flush(t.Context()); err == nil {
				t.Error("Flush: no error")
			}
		}
		if h := f.Health(); h.Failures != 6 || h.FailuresInARow != 3 || h.Successes != 0 || book.Lines("finds all data too large") != 1 {
			t.Errorf("%+v\n%s", h, book)
		}
		answer = nil
		if err := p.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		if h := f.Health(); h.FailuresInARow != 0 || h.Successes != 1 || book.Lines("works again") != 1 {
			t.Errorf("%+v\n%s", h, book)
		}
		_ = p.Shutdown(t.Context())
	})
}

// With delta temporality, Flush returns the error for a point that is too large, also if a later
// request had to wait.
func TestTooLargeAndThenAskedToWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asks := true
		e := &fakeExporter{temporality: metricdata.DeltaTemporality}
		e.export = func(_ context.Context, rm *metricdata.ResourceMetrics) error {
			switch {
			case has(rm, "giant"):
				return status.Error(codes.ResourceExhausted, "grpc: received message larger than max (9 vs. 4)")
			case asks:
				asks = false
				return later(20 * time.Minute) // longer than a request may take
			}
			return nil
		}
		p, provider, _ := start(t, e)
		for _, name := range []string{"a", "giant", "z"} {
			exportertest.Count(provider, name, 1)
		}
		p.next = 1 // the giant
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := p.Flush(ctx); asks || err == nil || !strings.Contains(err.Error(), `"giant" is too large`) || strings.Contains(err.Error(), "asks to wait") {
			t.Errorf("Flush: %v", err)
		}
		_ = p.Shutdown(t.Context())
	})
}
