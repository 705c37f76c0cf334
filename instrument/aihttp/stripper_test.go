package aihttp

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// What is taken out of a stream does not go by the pieces in which it comes, and nothing else is.
func FuzzStripper(f *testing.F) {
	f.Add("data: {\"choices\":[],\"usage\":{\"prompt_tokens\":4}}\n\ndata: [DONE]\n\n")
	f.Add("data: {\"choices\":[1],\"usage\":{\"prompt_tokens\":4}}\r\n\r\n: x\r\n")
	f.Add("data: {\"choices\": [ ],\"usage\":{\"prompt_tokens\":4}}")
	f.Fuzz(func(t *testing.T, text string) {
		read := func(r io.Reader) string {
			var seen bytes.Buffer
			out, err := io.ReadAll(&stripper{src: r, sees: func(p []byte) { seen.Write(p) }})
			if err != nil || seen.String() != text {
				t.Errorf("%v, %q was seen", err, seen.String())
			}
			return string(out)
		}
		whole := read(strings.NewReader(text))
		if one := read(iotest.OneByteReader(strings.NewReader(text))); one != whole {
			t.Errorf("%q, byte by byte %q", whole, one)
		}
		if !strings.Contains(text, `_tokens"`) && whole != text {
			t.Errorf("%q became %q", text, whole)
		}
	})
}
