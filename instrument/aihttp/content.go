package aihttp

import (
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
)

// Attributes of spans, with [WithContent] only. OpenTelemetry's gen_ai.input.messages and
// gen_ai.output.messages have a form of their own, which the texts on the wire do not have.
const (
	questionKey = attribute.Key("video.processing.request.body")
	answerKey   = attribute.Key("video.processing.response.body")
)

// maxContent bounds what [WithContent] records of a request, and of an answer, in bytes.
const maxContent = 8 << 10

// content is the begin of what was asked and answered.
type content struct{ question, answer []byte }

func keep(to *[]byte, p []byte) { *to = append(*to, p[:min(len(p), maxContent-len(*to))]...) }

// asks takes a piece of the request.
func (t *telemetry) asks(p []byte) {
	if t.content != nil {
		keep(&t.content.question, p)
	}
}

// asksAnew takes that the request is sent from its begin.
func (t *telemetry) asksAnew() {
	if t.content != nil {
		t.content.question = nil
	}
}

// answers takes a piece of the answer.
func (t *telemetry) answers(p []byte) {
	if t.content != nil && t.text {
		keep(&t.content.answer, p)
	}
}

// contentAttrs returns what was kept, as a span's attributes.
func (x *exchange) contentAttrs() (attrs []attribute.KeyValue) {
	c := x.tel.content
	if c == nil {
		return nil
	}
	if len(c.question) > 0 {
		attrs = append(attrs, questionKey.String(cutText(string(c.question), maxContent)))
	}
	if len(c.answer) > 0 {
		attrs = append(attrs, answerKey.String(cutText(string(c.answer), maxContent)))
	}
	return attrs
}

// cutText returns at most limit bytes of a text, as valid UTF-8: OTLP refuses a batch with any other.
func cutText(s string, limit int) string {
	if len(s) >= limit { // it may have been cut already, within a character
		s = s[:limit]
		for i := 1; i <= min(utf8.UTFMax, len(s)); i++ {
			if tail := s[len(s)-i:]; utf8.RuneStart(tail[0]) {
				if !utf8.FullRuneInString(tail) {
					s = s[:len(s)-i]
				}
				break
			}
		}
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) > limit { // a bad byte has become three
		s = strings.ToValidUTF8(s[:limit], "")
	}
	return s
}
