package exporters

import (
	"slices"
	"strings"
	"unicode"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// For one text that is not UTF-8 protobuf, and so OTLP, refuses the batch that
// it is in. What is known from the start is mended there, see [validTexts] and
// [validUTF8]; spans and points are when their batch was refused, since to look
// at each of them costs.

// notUTF8 tells that a batch was refused for such a text. The error is of
// package protobuf, which has no type for it.
func notUTF8(err error) bool { return err != nil && strings.Contains(err.Error(), "invalid UTF-8") }

// mend shows the bytes that are wrong as U+FFFD.
func mend(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

// maxText is how many bytes of somebody else's error are shown.
const maxText = 500

// short makes a text fit for a line of a log: a receiver may answer with a page.
func short(text string) string {
	cut := len(text) > maxText
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, mend(text[:min(len(text), maxText)]))
	if cut {
		text += "…"
	}
	return text
}

// A brief is an error with a short text.
type brief struct{ error }

func (e brief) Error() string { return short(e.error.Error()) }
func (e brief) Unwrap() error { return e.error }

// validTexts mends what views make of instruments. For one description
// Prometheus would refuse every scrape.
func validTexts(views []sdkmetric.View) []sdkmetric.View {
	all := make([]sdkmetric.View, 0, len(views))
	for _, v := range views {
		all = append(all, func(i sdkmetric.Instrument) (sdkmetric.Stream, bool) {
			s, ok := v(i)
			for _, text := range []*string{&s.Name, &s.Description, &s.Unit} {
				*text = mend(*text)
			}
			return s, ok
		})
	}
	return all
}

// validValue mends the texts in a value.
func validValue(v attribute.Value, mend func(string) string) attribute.Value {
	switch v.Type() {
	case attribute.STRING:
		return attribute.StringValue(mend(v.AsString()))
	case attribute.STRINGSLICE:
		texts := v.AsStringSlice()
		for i := range texts {
			texts[i] = mend(texts[i])
		}
		return attribute.StringSliceValue(texts)
	case attribute.SLICE:
		values := slices.Clone(v.AsSlice())
		for i := range values {
			values[i] = validValue(values[i], mend)
		}
		return attribute.SliceValue(values...)
	case attribute.MAP:
		return attribute.MapValue(validAttributes(v.AsMap(), mend)...)
	default:
		return v
	}
}

// validAttributes returns attributes with mended texts.
func validAttributes(attrs []attribute.KeyValue, mend func(string) string) []attribute.KeyValue {
	attrs = slices.Clone(attrs)
	for i, a := range attrs {
		attrs[i] = attribute.KeyValue{Key: attribute.Key(mend(string(a.Key))), Value: validValue(a.Value, mend)}
	}
	return attrs
}

// validSpan is a span with mended texts.
type validSpan struct{ sdktrace.ReadOnlySpan }

func (s validSpan) Name() string { return mend(s.ReadOnlySpan.Name()) }

func (s validSpan) Attributes() []attribute.KeyValue {
	return validAttributes(s.ReadOnlySpan.Attributes(), mend)
}

func (s validSpan) Status() sdktrace.Status {
	status := s.ReadOnlySpan.Status()
	status.Description = mend(status.Description)
	return status
}

func (s validSpan) Events() []sdktrace.Event {
	events := slices.Clone(s.ReadOnlySpan.Events())
	for i := range events {
		events[i].Name = mend(events[i].Name)
		events[i].Attributes = validAttributes(events[i].Attributes, mend)
	}
	return events
}

func (s validSpan) Links() []sdktrace.Link {
	links := slices.Clone(s.ReadOnlySpan.Links())
	for i := range links {
		links[i].Attributes = validAttributes(links[i].Attributes, mend)
	}
	return links
}
