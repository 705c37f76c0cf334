package push

import (
	"slices"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/stagemeter/stagemeter/exporters/internal/report"
)

// One text that is not UTF-8 makes protobuf, and so OTLP, refuse the whole batch. Names of
// instruments and the resource are made valid at the start. To check every span and data point
// would cost time, so those are made valid only after their batch was refused.

// notUTF8 reports whether a batch was refused for such a text. Package protobuf has no type for the
// error.
func notUTF8(err error) bool { return err != nil && strings.Contains(err.Error(), "invalid UTF-8") }

// ValidAttributes returns a copy of attrs in which valid has replaced every text: keys, strings,
// and strings in lists and maps.
func ValidAttributes(attrs []attribute.KeyValue, valid func(string) string) []attribute.KeyValue {
	attrs = slices.Clone(attrs)
	for i, a := range attrs {
		attrs[i] = attribute.KeyValue{Key: attribute.Key(valid(string(a.Key))), Value: validValue(a.Value, valid)}
	}
	return attrs
}

func validValue(v attribute.Value, valid func(string) string) attribute.Value {
	switch v.Type() {
	case attribute.STRING:
		return attribute.StringValue(valid(v.AsString()))
	case attribute.STRINGSLICE:
		texts := v.AsStringSlice()
		for i := range texts {
			texts[i] = valid(texts[i])
		}
		return attribute.StringSliceValue(texts)
	case attribute.SLICE:
		values := slices.Clone(v.AsSlice())
		for i := range values {
			values[i] = validValue(values[i], valid)
		}
		return attribute.SliceValue(values...)
	case attribute.MAP:
		return attribute.MapValue(ValidAttributes(v.AsMap(), valid)...)
	default:
		return v
	}
}

// A validSpan is a span whose texts are valid UTF-8.
type validSpan struct{ sdktrace.ReadOnlySpan }

func (s validSpan) Name() string { return report.ValidUTF8(s.ReadOnlySpan.Name()) }

func (s validSpan) Attributes() []attribute.KeyValue {
	return ValidAttributes(s.ReadOnlySpan.Attributes(), report.ValidUTF8)
}

func (s validSpan) Status() sdktrace.Status {
	status := s.ReadOnlySpan.Status()
	status.Description = report.ValidUTF8(status.Description)
	return status
}

func (s validSpan) Events() []sdktrace.Event {
	events := slices.Clone(s.ReadOnlySpan.Events())
	for i := range events {
		events[i].Name = report.ValidUTF8(events[i].Name)
		events[i].Attributes = ValidAttributes(events[i].Attributes, report.ValidUTF8)
	}
	return events
}

func (s validSpan) Links() []sdktrace.Link {
	links := slices.Clone(s.ReadOnlySpan.Links())
	for i := range links {
		links[i].Attributes = ValidAttributes(links[i].Attributes, report.ValidUTF8)
	}
	return links
}
