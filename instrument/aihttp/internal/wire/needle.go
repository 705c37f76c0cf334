package wire

import (
	"bytes"
	"strings"
)

// A Needle is a text that is looked for in many others. The zero Needle is nowhere.
type Needle struct {
	text string
	at   int // of its rarest byte
}

// common has the bytes of JSON and of English text, the most common first.
const common = "\"e taoins:,rhld_cumfpgwy{}0123456789bv.-[]/"

// NewNeedle returns a Needle for a text that is not empty.
func NewNeedle(text string) Needle {
	n := Needle{text: text}
	best := -1
	for i := range len(text) {
		rank := strings.IndexByte(common, text[i])
		if rank < 0 {
			rank = len(common)
		}
		if rank > best {
			n.at, best = i, rank
		}
	}
	return n
}

// Index returns where the text is in p for the first time, or -1.
func (n Needle) Index(p []byte) int {
	if n.text == "" {
		return -1
	}
	for at := n.at; at < len(p); at++ {
		i := bytes.IndexByte(p[at:], n.text[n.at])
		if i < 0 {
			return -1
		}
		at += i
		from := at - n.at
		if to := from + len(n.text); to <= len(p) && string(p[from:to]) == n.text {
			return from
		}
	}
	return -1
}
