package wire_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
)

func TestEvents(t *testing.T) {
	for text, want := range map[string][]string{
		"data: a\n\ndata:b\n\n":                      {"a", "b"},
		"event: x\r\ndata: a\r\n\r\ndata: b\r\n\r\n": {"a", "b"},
		"data: a\r\rdata: b\r\r":                     {"a", "b"},
		": ping\n\ndata: a\ndata: b\n\n":             {"a\nb"},
		"data: a":                                    {"a"},
		"data: a\n":                                  {"a"},
		"data\ndatas: x\nid: 1\n\n":                  nil,
		"data: no\n\ndata: yes a\n\n":                {"no", "yes a"},
		"\n\n\n":                                     nil,
		"\ufeffdata: a\n\n\ufeffdata: b\n\n":         {"a"},
		"data: " + strings.Repeat("x", 2<<20) + "\n\ndata: b\n\n":                     {"b"},
		strings.Repeat("data: "+strings.Repeat("x", 1<<18)+"\n", 6) + "\ndata: b\n\n": {"b"},
	} {
		for _, n := range []int{1, 3, 512, 1 << 16} {
			var got []string
			e := wire.Events{Handle: func(data []byte) { got = append(got, string(data)) }}
			pieces(&e, text, n)
			e.Close()
			if !slices.Equal(got, want) {
				t.Errorf("%.60q in pieces of %d: %.60q, want %q", text, n, got, want)
			}
			if e.Skipped() != (len(text) > 1<<20) {
				t.Errorf("%.60q: skipped %t", text, e.Skipped())
			}
		}
	}
}

// An event that is too long to be held comes in pieces, whether one of its lines is long or all are.
func TestEventsInPieces(t *testing.T) {
	long := strings.Repeat("x", 2<<20)
	for text, want := range map[string]string{
		"data: a\n\ndata: " + long + "\r\n\r\ndata:b\n\n": "a|" + long + "|b|",
		"data:" + long + "\n\n":                           "" + long + "|",
		"data: {\ndata: " + long + "\ndata: }\n\ndata: b": "{" + long + "}|b|",
		"data: " + long:                    long + "|",
		"event: " + long + "\ndata: a\n\n": "a|",
		strings.Repeat("data: "+strings.Repeat("x", 1<<18)+"\n", 8) + "id: 1\n\ndata: b\n\n": long + "|b|",
	} {
		for _, n := range []int{3, 512, 1 << 16, 4 << 20} {
			var got strings.Builder
			e := wire.Events{
				Handle: func(data []byte) { got.Write(append(data, '|')) },
				Piece: func(data []byte) {
					if data == nil {
						data = []byte{'|'}
					}
					got.Write(data)
				},
			}
			pieces(&e, text, n)
			e.Close()
			if got := strings.ReplaceAll(got.String(), "\n", ""); got != want {
				t.Errorf("%.30q in pieces of %d: %d bytes, want %d", text, n, len(got), len(want))
			}
			if e.Skipped() != strings.HasPrefix(text, "event") {
				t.Errorf("%.30q: skipped %t", text, e.Skipped())
			}
		}
	}
}

func TestEventsThatAreWanted(t *testing.T) {
	const text = "data: no\n\n: ping\n\nevent: x\ndata: no\n\ndata: {\ndata: yes\ndata: }\n\ndata: no\n\ndata: or this\n\n\ndata: no\n\ndata: no\n\ndata: end\n\n"
	for _, text := range []string{text, strings.ReplaceAll(text, "\n", "\r\n"), strings.ReplaceAll(text, "\n", "\r")} {
		for n := 1; n <= len(text); n++ {
			for first := range 2 {
				var got []string
				e := wanting(first, func(data []byte) { got = append(got, string(data)) }, "end", "yes", "this")
				pieces(e, text, n)
				if e.Close(); !slices.Equal(got, []string{"{\nyes\n}", "or this", "end"}) || e.Count() != 8 {
					t.Errorf("in pieces of %d: %q, and %d events", n, got, e.Count())
				}
			}
		}
	}
}

// wanting returns Events that want some texts and the last event, and pass others.
func wanting(first int, handle func([]byte), last string, texts ...string) *wire.Events {
	ends := func(data []byte) bool { return string(data) == last }
	e := &wire.Events{Handle: handle}
	e.Wanted = func(line []byte) bool { return ends(line) || e.Has(line) }
	e.Pass(first, texts, ends)
	return e
}

// Events that are not wanted are not copied, however long they are.
func TestEventsThatAreNotWantedDoNotAllocate(t *testing.T) {
	e := wanting(0, func([]byte) { t.Error("an event that nobody wants") }, "end", "usage")
	text := []byte(strings.Repeat("data: "+strings.Repeat("x", 1000)+"\n\n", 30))
	if n := testing.AllocsPerRun(10, func() { _, _ = e.Write(text) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzEvents(f *testing.F) {
	f.Add("data: a\r\n\ndata: b\n\r\rdata: c", uint8(1))
	f.Add("data: a\n\ndata: c\r\n\r\ndata: c\n\ndata: b\r\n\r\ndata: c\n\n", uint8(200))
	f.Add("data: a\n\n: x\n\ndata: b\n\ndata: x\n\n\ndata: a\ndata: c", uint8(11))
	f.Fuzz(func(t *testing.T, text string, size uint8) {
		var all []string
		handle := func(data []byte) { all = append(all, string(data)) }
		read := func(e *wire.Events, n int) ([]string, int) {
			all = nil
			pieces(e, text, n)
			e.Close()
			return all, e.Count()
		}
		whole, count := read(&wire.Events{Handle: handle}, len(text)+1)
		if many, n := read(&wire.Events{Handle: handle}, int(size)+1); !slices.Equal(whole, many) || n != count {
			t.Errorf("%q: %q whole, %q in pieces", text, whole, many)
		}
		if strings.Contains(strings.ReplaceAll(text, "\r\n", ""), "\r") {
			return // see Events.Pass
		}
		whole = slices.DeleteFunc(whole, func(s string) bool { return !strings.Contains(s, "b") })
		if some, n := read(wanting(0, handle, "b", "b"), int(size)+1); !slices.Equal(whole, some) || n != count {
			t.Errorf("%q: %q of %d, want %q of %d", text, some, n, whole, count)
		}
	})
}

func FuzzNeedle(f *testing.F) {
	f.Add([]byte(`{"usage":{"prompt_tokens":1}}`), `_tokens"`)
	f.Fuzz(func(t *testing.T, p []byte, text string) {
		if text == "" {
			return
		}
		if got, want := wire.NewNeedle(text).Index(p), bytes.Index(p, []byte(text)); got != want {
			t.Errorf("%q in %q: %d, want %d", text, p, got, want)
		}
	})
}
