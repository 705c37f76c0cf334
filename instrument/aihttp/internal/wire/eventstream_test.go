package wire_test

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
)

// message is a message of application/vnd.amazon.eventstream, whose checksums nobody reads.
func message(headers, payload string) string {
	b := binary.BigEndian.AppendUint32(nil, uint32(16+len(headers)+len(payload)))
	b = binary.BigEndian.AppendUint32(b, uint32(len(headers)))
	return string(b) + "crc." + headers + payload + "crc."
}

func header(name string, kind byte, value string) string {
	s := string(rune(len(name))) + name + string(rune(kind))
	if kind == 6 || kind == 7 {
		s += string(binary.BigEndian.AppendUint16(nil, uint16(len(value))))
	}
	return s + value
}

func TestFrames(t *testing.T) {
	metadata := header(":event-type", 7, "metadata")
	others := header("a", 0, "") + header("b", 1, "") + header("c", 2, "1") + header("d", 3, "12") + header("e", 4, "1234") + header("f", 5, "12345678") +
		header("g", 6, "x") + header("h", 8, "12345678") + header("i", 9, "1234567890123456")
	for _, tt := range []struct {
		reason, text string
		want         []string
		skipped      bool
	}{
		{"a message", message(metadata, `{"a":1}`), []string{`metadata {"a":1}`}, false},
		{"two, and the second has nothing in it", message(metadata, "x") + message("", ""), []string{"metadata x", " "}, false},
		{"headers of every kind before", message(others+metadata, "x"), []string{"metadata x"}, false},
		{"a kind of header that is not known", message(header("a", 99, "")+metadata, "x"), []string{" x"}, false},
		{"a header that ends too late", message(":\x07\x00", "x"), []string{" x"}, false},
		{"an exception", message(header(":exception-type", 7, "throttling"), "x"), []string{" x"}, false},
		{"a message that breaks off", message(metadata, "x") + message(metadata, "yyyy")[:30], []string{"metadata x"}, false},
		{"one that is too long", message(metadata, strings.Repeat("x", 1<<20)) + message(metadata, "y"), []string{"metadata y"}, true},
		{"headers that are longer than the message", "\x00\x00\x00\x14\x00\x00\x00\x10crc." + strings.Repeat("x", 99), nil, true},
		{"no message at all", "HTTP/1.1 200 OK\r\n\r\n", nil, true},
		{"a length of 0", strings.Repeat("\x00", 40), nil, true},
	} {
		for _, n := range []int{1, 3, 512, 1 << 22} {
			if n == 1 && len(tt.text) > 1<<16 {
				continue
			}
			var got []string
			f := wire.Frames{Handle: func(kind, payload []byte) { got = append(got, string(kind)+" "+string(payload)) }}
			pieces(&f, tt.text, n)
			f.Close()
			if !slices.Equal(got, tt.want) || f.Skipped() != tt.skipped {
				t.Errorf("%s, in pieces of %d: %.60q, skipped %t; want %q", tt.reason, n, got, f.Skipped(), tt.want)
			}
		}
	}
}

func FuzzFrames(f *testing.F) {
	f.Add([]byte(message(header(":event-type", 7, "metadata"), "{}")), 3)
	f.Add([]byte("HTTP/1.1 200 OK"), 1)
	f.Fuzz(func(t *testing.T, text []byte, n int) {
		if n < 1 || len(text)/n > 1<<12 {
			return
		}
		read := func(n int) (got []string) {
			e := wire.Frames{Handle: func(kind, payload []byte) { got = append(got, string(kind)+string(payload)) }}
			pieces(&e, string(text), n)
			return got
		}
		if whole, parts := read(len(text)+1), read(n); !slices.Equal(whole, parts) {
			t.Errorf("%q in one piece, %q in pieces of %d", whole, parts, n)
		}
	})
}
