package aihttp

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/stagemeter/stagemeter/instrument/internal/seam"
	"github.com/stagemeter/stagemeter/semconv"
)

// maxRetryAfter bounds what one answer can add to the time that was asked to wait.
const maxRetryAfter = 24 * time.Hour

// statusOverloaded is what Anthropic answers when it is overloaded.
const statusOverloaded = 529

// limitKinds are the kinds of rate limits, with the headers that tell what is left: OpenAI's, which
// others have, too, and Anthropic's.
var limitKinds = [...]struct {
	kind    semconv.LimitKind
	headers [2]string
}{
	{semconv.LimitKindRequests, [2]string{"X-Ratelimit-Remaining-Requests", "Anthropic-Ratelimit-Requests-Remaining"}},
	{semconv.LimitKindTokens, [2]string{"X-Ratelimit-Remaining-Tokens", "Anthropic-Ratelimit-Tokens-Remaining"}},
	{semconv.LimitKindInputTokens, [2]string{"", "Anthropic-Ratelimit-Input-Tokens-Remaining"}},
	{semconv.LimitKindOutputTokens, [2]string{"", "Anthropic-Ratelimit-Output-Tokens-Remaining"}},
}

// api holds what is known of one provider.
type api struct {
	calls, attempts []metric.AddOption // throttled, as calls of their own or in a call around them
	retry           []metric.AddOption
	ratio           []metric.RecordOption
	kinds           [len(limitKinds)]metric.ObserveOption
	remaining       [len(limitKinds)]atomic.Int64 // one more than what is left; 0 is unknown
}

// api returns what is known of a provider. It does not allocate for one that it has seen.
func (s *store) api(name string) *api {
	s.mu.RLock()
	a := s.apis[name]
	s.mu.RUnlock()
	if a != nil {
		return a
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if name = cleanModel(name); s.apis[name] == nil && len(s.apis) >= s.lent.Limit {
		name = otherName
	}
	if s.apis[name] == nil {
		s.apis[name] = s.newAPI(name)
	}
	return s.apis[name]
}

// newAPI also adds 0 to the provider's counters, so that increase() sees their first values.
func (s *store) newAPI(name string) *api {
	set, ctx := s.lent.Set, context.Background()
	a := &api{
		calls:    []metric.AddOption{set.APIThrottled.With(name, semconv.CountedAsCall)},
		attempts: []metric.AddOption{set.APIThrottled.With(name, semconv.CountedAsAttempt)},
		retry:    []metric.AddOption{set.APIRetryAfter.With(name)},
		ratio:    []metric.RecordOption{set.APIEstimateRatio.With(name)},
	}
	for i, k := range limitKinds {
		a.kinds[i] = metric.WithAttributeSet(attribute.NewSet(semconv.AttrAPI.String(name), k.kind.Attr()))
	}
	set.APIThrottled.Add(ctx, 0, a.calls...)
	set.APIThrottled.Add(ctx, 0, a.attempts...)
	set.APIRetryAfter.Add(ctx, 0, a.retry...)
	return a
}

// headroom takes what the head of an answer says of the provider's limits.
func (x *exchange) headroom(resp *http.Response) {
	lent, ctx := x.tel.lent, x.tel.ctx
	if x.ep.poll { // which is no call
		ctx = x.request.Context()
		lent = seam.PipelineIn(ctx)
	}
	if lent == nil {
		return
	}
	a := storeOf(lent).api(x.ep.provider)
	for i, k := range limitKinds {
		for _, name := range k.headers {
			if v := resp.Header[name]; len(v) > 0 {
				if n, err := strconv.ParseInt(v[0], 10, 64); err == nil && n >= 0 && n < math.MaxInt64 {
					a.remaining[i].Store(n + 1)
				}
			}
		}
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests:
		counted := a.attempts
		if x.own {
			counted = a.calls
		}
		lent.Set.APIThrottled.Add(ctx, 1, counted...)
	case http.StatusServiceUnavailable, statusOverloaded:
	default:
		return
	}
	if wait := retryAfter(resp.Header, time.Now()); wait > 0 {
		lent.Set.APIRetryAfter.Add(ctx, wait.Seconds(), a.retry...)
	}
}

// retryAfter returns how long an answer asks to wait, by the milliseconds that OpenAI and Azure
// give, or by the seconds or the date of HTTP's own header. It returns 0 if the answer does not say.
func retryAfter(h http.Header, now time.Time) time.Duration {
	var wait float64
	if ms, err := strconv.ParseFloat(h.Get("Retry-After-Ms"), 64); err == nil {
		wait = ms / 1000
	} else if s, err := strconv.ParseFloat(h.Get("Retry-After"), 64); err == nil {
		wait = s
	} else if at, err := http.ParseTime(h.Get("Retry-After")); err == nil {
		wait = at.Sub(now).Seconds()
	}
	if !(wait > 0) { // NaN, too
		return 0
	}
	return time.Duration(min(wait, maxRetryAfter.Seconds()) * float64(time.Second))
}
