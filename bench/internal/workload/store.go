package workload

import (
	"context"
	"fmt"
	"net/http"

	"go.opentelemetry.io/otel/trace"
)

// A Recorder holds a workload. It keeps nothing for a faster recording: what it holds is what its library does.
type Recorder interface {
	// Record records in a series of an instrument, by their numbers in the workload.
	Record(instrument, series int, value float64)
}

// A Store is a rival that holds a workload and can be scraped.
type Store interface {
	Recorder
	// Handler is its handler of /metrics, as its documentation has it.
	Handler() http.Handler
	// Close ends it.
	Close() error
}

// The rivals that hold a workload.
const (
	Ours         = "stagemeter"
	Upstream     = "OTel exporter"
	ClientGolang = "client_golang"
	Victoria     = "VictoriaMetrics"
)

// Names are the rivals, ours first.
var Names = []string{Ours, Upstream, ClientGolang, Victoria}

// Open makes the store of a rival and fills it. Where traced is true, all is recorded under a sampled span, so that it
// has exemplars; VictoriaMetrics has none.
func Open(name string, c Workload, traced bool) (Store, error) {
	ctx := Context(traced)
	var s Store
	var err error
	switch name {
	case Ours:
		s, err = newOurs(ctx, c)
	case Upstream:
		s, err = newUpstream(ctx, c)
	case ClientGolang:
		s, err = newClientGolang(c, traced)
	case Victoria:
		s = newVictoria(c)
	}
	if err != nil {
		return nil, fmt.Errorf("workload: %s: %w", name, err)
	}
	c.Fill(s)
	return s, nil
}

// Context is where all is recorded: under a sampled span, or under none.
func Context(traced bool) context.Context {
	if !traced {
		return context.Background()
	}
	return trace.ContextWithSpanContext(context.Background(), sampled)
}

// sampled is the span that exemplars point to.
var sampled = trace.NewSpanContext(trace.SpanContextConfig{
	TraceID:    trace.TraceID{0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6, 0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36},
	SpanID:     trace.SpanID{0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7},
	TraceFlags: trace.FlagsSampled,
})
