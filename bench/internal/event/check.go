package event

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/stagemeter/stagemeter/bench/internal/page"
)

// observed is what came out of a rival: while its first event ran, after three of them, and the spans.
type observed struct {
	during, after page.Page
	spans         []string
}

// check runs three events with each rival, reads what came out, and holds it against ours: the same series, with the
// same values, while the event runs and after it, and the same spans.
func (sc scenario) check() error {
	spans := tracetest.NewSpanRecorder()
	rs, err := sc.rivals(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)))
	defer rs.close()
	if err != nil {
		return err
	}
	ours := make(map[string]observed) // by name
	for _, r := range rs.all {
		spans.Reset()
		got, err := sc.observe(r)
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		for _, s := range spans.Ended() {
			got.spans = append(got.spans, describe(s))
		}
		counterpart := sc.counterpart(r.name)
		if r.name == counterpart {
			ours[r.name] = got
		}
		if err := ours[counterpart].equal(got, r); err != nil {
			return fmt.Errorf("%s and %s: %w", counterpart, r.name, err)
		}
	}
	return nil
}

func (sc scenario) observe(r rival) (o observed, err error) {
	for i := range 3 {
		_, runErr := r.run(r.ctx, ids[0][i], func(context.Context) (int, error) {
			if i == 0 && r.handler != nil {
				o.during, err = r.scrape()
			}
			return 0, nil
		})
		if err := errors.Join(err, runErr); err != nil {
			return o, err
		}
	}
	if r.handler == nil {
		return o, nil
	}
	o.after, err = r.scrape()
	o.during, o.after = sc.recorded(o.during), sc.recorded(o.after)
	return o, err
}

// recorded keeps what the scenario records. A series at 0 is left out, since some rivals have it from the start and
// others from its first value on.
func (sc scenario) recorded(p page.Page) page.Page {
	all := p.Only(sc.metrics...)
	kept := page.Page{Samples: make(map[string]float64)}
	for k, v := range all.Samples {
		if v != 0 || all.Samples[bound.ReplaceAllLiteralString(k, `le="+Inf"`)] != 0 { // an empty bucket of a histogram that is not
			kept.Samples[k] = v
		}
	}
	return kept
}

// bound is the label of a bucket.
var bound = regexp.MustCompile(`le="[^"]*"`)

func (o observed) equal(got observed, r rival) error {
	if !slices.Equal(o.spans, got.spans) || len(o.spans) == 0 {
		if r.name != spanAlone { // it has no attributes that are only known at the end
			return fmt.Errorf("the spans differ:\n\t%s\n\t%s", strings.Join(o.spans, "\n\t"), strings.Join(got.spans, "\n\t"))
		}
	}
	if r.handler == nil {
		return nil
	}
	if len(o.during.Samples) > 0 || len(got.during.Samples) > 0 {
		if err := page.Equal(o.during, got.during, true); err != nil {
			return fmt.Errorf("while it runs: %w", err)
		}
	}
	return page.Equal(o.after, got.after, true)
}

// describe is what of a span has to be the same.
func describe(s sdktrace.ReadOnlySpan) string {
	attrs := make([]string, 0, len(s.Attributes()))
	for _, kv := range s.Attributes() {
		attrs = append(attrs, string(kv.Key)+"="+kv.Value.String())
	}
	slices.Sort(attrs)
	return fmt.Sprintf("%s (%s) %s, %s", s.Name(), s.SpanKind(), strings.Join(attrs, " "), s.Status().Code)
}
