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
			if n == 1 && len(text) > 1<<16 {
				continue
			}
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
	var got []string
	e := wire.Events{
		Handle: func(data []byte) { got = append(got, string(data)) },
		Wanted: func(line []byte) bool { return bytes.Contains(line, []byte("yes")) },
	}
	pieces(&e, "data: no\n\ndata: {\ndata: yes\ndata: }\n\ndata: no\n\n", 5)
	if e.Close(); !slices.Equal(got, []string{"{\nyes\n}"}) {
		t.Errorf("%q", got)
	}
}

func FuzzEvents(f *testing.F) {
	f.Add("data: a\r\n\ndata: b\n\r\rdata: c", uint8(1))
	f.Fuzz(func(t *testing.T, text string, size uint8) {
		read := func(n int) (all []string) {
			e := wire.Events{Handle: func(data []byte) { all = append(all, string(data)) }}
			pieces(&e, text, n)
			e.Close()
			return all
		}
		if one, many := read(len(text)+1), read(int(size)+1); !slices.Equal(one, many) {
			t.Errorf("%q: %q whole, %q in pieces", text, one, many)
		}
	})
}
