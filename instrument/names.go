package instrument

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"github.com/stagemeter/stagemeter/internal/secrets"
)

const (
	// other stands for every name past the limit.
	other = "other"
	// unknown stands for a name that is empty.
	unknown = "unknown"
	// maxNameLen and maxIDLen bound the attribute values that a caller chooses, in bytes: names are
	// words, ids may be paths.
	maxNameLen, maxIDLen = 64, 256
)

// names hands out one handle per name, so that a recording finds its prebuilt attributes by one map
// access. It bounds how many there are: past the limit an undeclared name shares the handle of
// "other".
//
// The map is copied on write and read without a lock: names are few, and appear early in a
// program's life.
type names[H any] struct {
	what   string // for the one report
	build  func(name string) *H
	bad    func() // called for each name that had to be changed
	byName atomic.Pointer[map[string]*H]
	full   atomic.Bool

	mu         sync.Mutex
	undeclared int
	limit      int
}

func newNames[H any](what string, limit int, declared []string, build func(string) *H, bad func()) *names[H] {
	n := &names[H]{what: what, limit: limit, build: build, bad: bad}
	m := make(map[string]*H)
	for _, name := range declared { // clean by WithStages and WithAPIs
		if m[name] == nil {
			m[name] = build(name)
		}
	}
	n.byName.Store(&m)
	return n
}

// get returns the handle for name. It does not allocate for a name that it has seen.
func (n *names[H]) get(name string) *H {
	if h := (*n.byName.Load())[name]; h != nil {
		return h
	}
	return n.add(name)
}

func (n *names[H]) add(raw string) *H {
	name, ok := cleanName(raw)
	if !ok {
		n.bad()
	}
	if h := (*n.byName.Load())[name]; h != nil {
		return h
	}
	if n.full.Load() {
		name = other
		if h := (*n.byName.Load())[name]; h != nil {
			return h
		}
	}
	h, filled := n.insert(name)
	if filled { // reported without the lock: the handler is the user's code, and may record an error itself
		handle(fmt.Errorf("instrument: more than %d undeclared %s: %q and all new ones are recorded as %q; "+
			"a name is a word from your code, never an id, a path or an error's text", n.limit, n.what, name, other))
	}
	return h
}

// insert makes the handle of a name, and reports whether this name was the first beyond the limit.
func (n *names[H]) insert(name string) (h *H, filled bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	old := *n.byName.Load()
	if h := old[name]; h != nil {
		return h, false
	}
	if n.undeclared == n.limit && name != other {
		name, filled = other, n.full.CompareAndSwap(false, true)
		if h := old[name]; h != nil {
			return h, filled
		}
	}
	if name != other {
		n.undeclared++
	}
	m := make(map[string]*H, len(old)+1)
	for k, v := range old {
		m[k] = v
	}
	h = n.build(name)
	m[name] = h
	n.byName.Store(&m)
	return h, filled
}

// all returns every handle so far, by name.
func (n *names[H]) all() map[string]*H { return *n.byName.Load() }

// cleanName makes an attribute value of a name, and reports whether it was unchanged.
func cleanName(name string) (string, bool) {
	c := clean(name, maxNameLen)
	if c == "" {
		return unknown, false
	}
	return c, c == name
}

// showValue makes an attribute value of the value of a label, and reports whether it was unchanged.
// Unlike names, such values may be chosen by users: no two that differ become one.
func showValue(value string) (string, bool) {
	s := show(value, maxNameLen)
	if s == "" {
		return unknown, false
	}
	return s, s == value
}

// show cleans a text, and hides passwords and keys of a URL. One that has to be changed ends with a
// checksum, and so does one that already looks like that. So no two texts have one form, whoever
// chooses them.
func show(text string, limit int) string {
	visible := secrets.HideInName(text)
	shown := clean(visible, limit)
	if shown == "" || shown == text && !looksChanged(text) {
		return shown
	}
	h := sha256.New()
	_, _ = io.WriteString(h, text) // never fails
	return clean(visible, limit-changedLen) + "~" + hex.EncodeToString(h.Sum(nil)[:sumLen])
}

const (
	sumLen     = 16           // nobody finds two texts whose checksums begin with the same so many bytes
	changedLen = 1 + 2*sumLen // what a changed text ends with: a tilde and its checksum
)

// looksChanged reports whether a text ends as one that show has changed.
func looksChanged(text string) bool {
	at := len(text) - changedLen
	return at >= 0 && text[at] == '~' && strings.Trim(text[at+1:], "0123456789abcdefABCDEF") == ""
}

// clean makes a text fit for telemetry: valid UTF-8 (otherwise OTLP refuses a whole batch), only of
// runes that a reader can see, and at most limit bytes.
func clean(s string, limit int) string {
	if len(s) <= limit && isPlain(s) {
		return s
	}
	if len(s) > 4*limit { // look at no more of a huge text than can matter
		s = s[:4*limit]
	}
	s = strings.TrimSpace(strings.Map(visible, strings.ToValidUTF8(s, string(utf8.RuneError))))
	if len(s) > limit {
		cut := limit
		for !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = strings.TrimSpace(s[:cut])
	}
	return s
}

// visible returns r, a space for another kind of space, or U+FFFD for a rune that a reader does not
// see: controls, formats such as zero-width, bidirectional and tag characters, variation selectors,
// fillers, and what is unassigned or private.
func visible(r rune) rune {
	switch {
	case ' ' <= r && r <= '~':
		return r
	case unicode.Is(unicode.Zs, r):
		return ' '
	case !unicode.IsPrint(r), unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector, blank):
		return utf8.RuneError
	}
	return r
}

// blank are the runes that Unicode calls letters, marks and symbols, and that have no ink: the empty
// pattern of Braille, the full blanks of hieroglyphs, a filler of Khitan, a note without a head.
var blank = &unicode.RangeTable{
	R16: []unicode.Range16{{Lo: 0x2800, Hi: 0x2800, Stride: 1}},
	R32: []unicode.Range32{{Lo: 0x13441, Hi: 0x13442, Stride: 1}, {Lo: 0x16FE4, Hi: 0x16FE4, Stride: 1}, {Lo: 0x1D159, Hi: 0x1D159, Stride: 1}},
}

// isPlain reports whether a text is printable ASCII without space at its ends, which needs no
// cleaning.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return s == "" || s[0] != ' ' && s[len(s)-1] != ' '
}
