package instrumenttest

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/semconv"
)

// Spans returns every span that has ended, in the order of their ends.
func (r *Recorder) Spans() tracetest.SpanStubs {
	return tracetest.SpanStubsFromReadOnlySpans(r.spans.Ended())
}

// Span returns the span that has ended with this name and these attributes. The test ends if there
// is none or more than one.
func (r *Recorder) Span(name string, attrs ...attribute.KeyValue) tracetest.SpanStub {
	r.t.Helper()
	var found tracetest.SpanStubs
	for _, s := range r.Spans() {
		set := attribute.NewSet(slices.Clone(s.Attributes)...)
		if s.Name == name && has(&set, attrs) {
			found = append(found, s)
		}
	}
	if len(found) != 1 {
		want := attribute.NewSet(slices.Clone(attrs)...)
		r.t.Fatalf("instrumenttest: %d ended spans are called %q and have {%s}, want one of\n%s",
			len(found), name, want.Encoded(attribute.DefaultEncoder()), r.SpanTree())
	}
	return found[0]
}

// SpanTree draws all spans, one a line, children indented by two spaces below their parent:
//
//	enqueue job (producer)
//	job error=http_503
//	  stage analysis
//	  stage transcription error=http_503
//	    call whisper (client) error=http_503
//
// A line has the name of the span; its kind, unless that is internal; error=TYPE, from the
// attribute error.type, if the status is Error, or error.type=TYPE if an error was only recorded;
// and "not ended" if it has not ended. Siblings are in the order of their starts. Siblings that
// overlapped in time start in a random order, so they are in the order of their text.
func (r *Recorder) SpanTree() string {
	var spans tracetest.SpanStubs
	known := make(map[trace.SpanID]bool)
	for _, s := range r.spans.Started() {
		known[s.SpanContext().SpanID()] = true
		spans = append(spans, tracetest.SpanStubFromReadOnlySpan(s))
	}
	children := make(map[trace.SpanID][]*node)
	for i := range spans {
		var parent trace.SpanID // of a root: none
		if p := spans[i].Parent.SpanID(); known[p] {
			parent = p
		}
		children[parent] = append(children[parent], &node{span: &spans[i]})
	}
	var b strings.Builder
	for _, n := range grow(children, trace.SpanID{}, "") {
		b.WriteString(n.text)
	}
	return b.String()
}

// AssertSpanTree compares [Recorder.SpanTree] with want, without common indentation and blank
// lines. If they differ, the test fails and shows the lines.
func (r *Recorder) AssertSpanTree(want string) {
	r.t.Helper()
	if d := diff(dedent(want), r.SpanTree()); d != "" {
		r.t.Errorf("instrumenttest: span tree (-want +got):\n%s", d)
	}
}

// node is a span with the text of itself and of all spans below it.
type node struct {
	span *tracetest.SpanStub
	text string
}

func grow(children map[trace.SpanID][]*node, parent trace.SpanID, indent string) []*node {
	nodes := children[parent]
	for _, n := range nodes {
		n.text = indent + line(n.span) + "\n"
		for _, below := range grow(children, n.span.SpanContext.SpanID(), indent+"  ") {
			n.text += below.text
		}
	}
	slices.SortStableFunc(nodes, func(a, b *node) int { return a.span.StartTime.Compare(b.span.StartTime) })
	for from := 0; from < len(nodes); {
		to, end := from+1, endOf(nodes[from])
		for to < len(nodes) && nodes[to].span.StartTime.Before(end) {
			if e := endOf(nodes[to]); e.After(end) {
				end = e
			}
			to++
		}
		slices.SortStableFunc(nodes[from:to], func(a, b *node) int { return cmp.Compare(a.text, b.text) })
		from = to
	}
	return nodes
}

func endOf(n *node) time.Time {
	if n.span.EndTime.IsZero() {
		return time.Unix(1<<40, 0) // not yet
	}
	return n.span.EndTime
}

func line(s *tracetest.SpanStub) string {
	text := s.Name
	if s.SpanKind != trace.SpanKindInternal {
		text += " (" + s.SpanKind.String() + ")"
	}
	errorType := ""
	for _, a := range s.Attributes {
		if a.Key == semconv.AttrErrorType {
			errorType = a.Value.String()
		}
	}
	switch {
	case s.Status.Code == codes.Error:
		text += " error=" + errorType
	case errorType != "":
		text += " error.type=" + errorType
	}
	if s.EndTime.IsZero() {
		text += " not ended"
	}
	return text
}
