package aihttp

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
	"github.com/stagemeter/stagemeter/instrument/internal/seam"
	"github.com/stagemeter/stagemeter/instrument/price"
	"github.com/stagemeter/stagemeter/semconv"
)

// Attributes of spans, as OpenTelemetry's semantic conventions 1.41 have them. Those of the cost are
// gen_ai.usage.cost, which Langfuse and OpenLIT read, and the three of the proposal for a convention
// (open-telemetry/semantic-conventions-genai, pull request 443). The metrics' attributes are in the
// registry; no other file names anything of gen_ai.
const (
	operationKey     = semconv.AttrGenAIOperationName
	providerKey      = semconv.AttrGenAIProviderName
	requestModelKey  = semconv.AttrGenAIRequestModel
	responseModelKey = semconv.AttrGenAIResponseModel
	streamKey        = attribute.Key("gen_ai.request.stream")
	responseIDKey    = attribute.Key("gen_ai.response.id")
	firstChunkKey    = attribute.Key("gen_ai.response.time_to_first_chunk")
	inputTokensKey   = attribute.Key("gen_ai.usage.input_tokens")
	outputTokensKey  = attribute.Key("gen_ai.usage.output_tokens")
	cacheReadKey     = attribute.Key("gen_ai.usage.cache_read.input_tokens")
	cacheWriteKey    = attribute.Key("gen_ai.usage.cache_creation.input_tokens")
	costKey          = attribute.Key("gen_ai.usage.cost")
	costAmountKey    = attribute.Key("gen_ai.usage.cost.amount")
	costCurrencyKey  = attribute.Key("gen_ai.usage.cost.currency")
	costSourceKey    = attribute.Key("gen_ai.usage.cost.source")
	serverAddressKey = attribute.Key("server.address")
	statusKey        = attribute.Key("http.response.status_code")
)

// telemetry is what one attempt shows of itself.
//
// An attempt that is a call of its own has that call's span. Inside a RunCall each attempt has a
// span of its own below the call's, so that what was retried is seen, and what it cost is on one
// span only.
type telemetry struct {
	lent        *seam.Pipeline
	ctx         context.Context // with the span
	span        trace.Span
	first, last time.Duration // since the attempt began: the first byte of a stream, and the end of its newest event
	chunks      int
	cost        usd
	priced      bool
	recording   bool   // the span is
	id          string // of the answer

	text    bool     // the answer is
	content *content // nil without WithContent
}

// begin starts the telemetry of an attempt, and returns the context in which it is sent.
func (x *exchange) begin(ctx context.Context) context.Context {
	t := &x.tel
	t.ctx = ctx
	if x.ep.poll { // which asks after a job, and has no model run
		return ctx
	}
	if t.lent = seam.PipelineOf(x.call); t.lent == nil {
		return ctx
	}
	if x.own {
		t.span = seam.SpanOf(x.call)
	} else {
		t.ctx, t.span = seam.StartSpan(ctx, x.call, x.ep.operation)
	}
	t.recording = t.span.IsRecording()
	if t.recording && x.t.content {
		t.content = new(content)
	}
	return t.ctx
}

// chunk takes how many events of a stream have come so far. It is called when a part of it came.
func (t *telemetry) chunk(now time.Duration, count int) {
	if t.first == 0 {
		t.first = max(now, 1)
	}
	if count > t.chunks {
		t.chunks, t.last = count, now
	}
}

// sawID takes the id of an answer, for its span.
func (x *exchange) sawID(id wire.Value) {
	if x.tel.recording && x.tel.id == "" {
		x.tel.id = id.Text()
	}
}

// show records the attempt, which has ended with err, and completes its span.
func (x *exchange) show(err error) {
	t := &x.tel
	if t.lent == nil {
		return
	}
	defer contain()
	x.askOnce()
	seam.SetModel(x.call, x.askedModel)
	got := x.model
	if got == "" {
		got = x.askedModel
	}
	x.record(got, err)
	if t.recording {
		x.describe()
	}
	if !x.own {
		seam.EndSpan(x.call, t.span, err)
	}
}

// record records the metrics of an attempt.
func (x *exchange) record(got string, err error) {
	t, store := &x.tel, storeOf(x.tel.lent)
	if t.priced && t.cost > 0 && x.reserved > 0 {
		t.lent.Set.APIEstimateRatio.Record(t.ctx, x.reserved.Float64()/t.cost.Float64(), store.api(x.ep.provider).ratio...)
	}
	if x.t.noGenAI {
		return
	}
	set, s := t.lent.Set, store.get(x.ep.provider, x.ep.operation, x.askedModel, got)
	duration := s.all
	if err != nil {
		if word := seam.ErrorType(x.call, err); word != "" {
			duration = store.failed(s, word)
		}
	}
	if !x.began.IsZero() { // as it is by hand
		set.GenAIClientOperationDuration.Record(t.ctx, time.Since(x.began).Seconds(), duration...)
	}
	if t.first > 0 {
		set.GenAIClientOperationTimeToFirstChunk.Record(t.ctx, t.first.Seconds(), s.all...)
	}
	if t.chunks > 1 {
		each := (t.last - t.first).Seconds() / float64(t.chunks-1)
		set.GenAIClientOperationTimePerOutputChunk.Record(t.ctx, each, s.all...)
	}
	if in, out := x.usage.InputTokens(), x.usage.OutputTokens(); x.hasUsage && in+out > 0 {
		set.GenAIClientTokenUsage.Record(t.ctx, in, s.input...)
		set.GenAIClientTokenUsage.Record(t.ctx, out, s.output...)
	}
}

// describe names the span and gives it what is known of the attempt.
func (x *exchange) describe() {
	t := &x.tel
	name := x.ep.operation
	attrs := make([]attribute.KeyValue, 0, 20)
	attrs = append(attrs, operationKey.String(x.ep.operation), providerKey.String(x.ep.provider))
	if x.url != nil { // it is not by hand
		attrs = append(attrs, serverAddressKey.String(shown(x.url.Hostname())))
	}
	if model := shown(x.askedModel); model != "" {
		name += " " + model
		attrs = append(attrs, requestModelKey.String(model))
	}
	if model := shown(x.model); model != "" {
		if x.askedModel == "" {
			name += " " + model
		}
		attrs = append(attrs, responseModelKey.String(model))
	}
	if id := shown(t.id); id != "" {
		attrs = append(attrs, responseIDKey.String(id))
	}
	if x.resp != nil {
		attrs = append(attrs, statusKey.Int(x.resp.StatusCode))
	}
	if x.events != nil {
		attrs = append(attrs, streamKey.Bool(true))
	}
	if t.first > 0 {
		attrs = append(attrs, firstChunkKey.Float64(t.first.Seconds()))
	}
	if u := &x.usage; x.hasUsage && u.InputTokens()+u.OutputTokens() > 0 {
		attrs = append(attrs, inputTokensKey.Int64(u.InputTokens()), outputTokensKey.Int64(u.OutputTokens()))
		read := u.Of(price.CacheRead) + u.Of(price.CacheReadAudio) + u.Of(price.CacheReadImage) + u.Of(price.CacheReadVideo)
		if read > 0 {
			attrs = append(attrs, cacheReadKey.Int64(read))
		}
		if written := u.Of(price.CacheWrite5m) + u.Of(price.CacheWrite1h); written > 0 {
			attrs = append(attrs, cacheWriteKey.Int64(written))
		}
	}
	if t.priced {
		attrs = x.appendCost(attrs, t.cost)
	}
	attrs = append(attrs, x.contentAttrs()...)
	t.span.SetName(name)
	t.span.SetAttributes(attrs...)
}

// appendCost appends what a span has of a cost.
func (x *exchange) appendCost(attrs []attribute.KeyValue, cost usd) []attribute.KeyValue {
	source := "local"
	if x.isReported {
		source = "provider"
	}
	amount := cost.Float64()
	return append(attrs, costKey.Float64(amount), costAmountKey.Float64(amount), costCurrencyKey.String("USD"), costSourceKey.String(source))
}

// showCost shows what a job has cost on the span of the call that created it and has waited for it.
func (x *exchange) showCost(call *instrument.Call, e *entry, cost usd) {
	if span := seam.SpanOf(call); span.IsRecording() {
		span.SetAttributes(x.appendCost(nil, cost)...)
	}
	if lent := seam.PipelineOf(call); lent != nil && e.reserved > 0 && cost > 0 {
		lent.Set.APIEstimateRatio.Record(e.ctx, e.reserved.Float64()/cost.Float64(), storeOf(lent).api(e.api).ratio...)
	}
}

// maxShown bounds a name that a request or an answer gives, in bytes.
const maxShown = 256

// shown makes a name fit for a span.
func shown(s string) string { return cutText(s, maxShown) }

// series are the attributes of all attempts of one kind.
type series struct {
	attrs              []attribute.KeyValue
	all, input, output []metric.RecordOption
}

func newSeries(k seriesKey) *series {
	s := &series{attrs: []attribute.KeyValue{
		operationKey.String(k.operation), providerKey.String(k.provider), requestModelKey.String(k.asked), responseModelKey.String(k.got),
	}}
	s.all = s.with()
	s.input, s.output = s.with(semconv.TokenTypeInput.Attr()), s.with(semconv.TokenTypeOutput.Attr())
	return s
}

func (s *series) with(more ...attribute.KeyValue) []metric.RecordOption {
	attrs := append(s.attrs[:len(s.attrs):len(s.attrs)], more...)
	return []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(attrs...))}
}
