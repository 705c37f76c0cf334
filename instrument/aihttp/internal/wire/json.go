package wire

import "bytes"

const (
	maxDepth = 128      // of containers in each other
	maxKey   = 64       // bytes of a key that may be one of a tree
	maxValue = 64 << 10 // bytes of a value that is kept
)

// JSON keeps the values at the paths of a tree while a JSON text is written to it. Of values at one
// path, the last one that is complete holds; one of more than 64 KiB is not kept. It takes several
// texts one after the other. What is not JSON does no harm: from there on nothing is kept.
type JSON struct {
	// Item is called at the end of each object that [Tree.Items] names; nil is not. The values in it
	// are forgotten after that.
	Item func()

	tree   *Tree
	values [][]byte
	counts []int64
	big    bool

	depth  int
	arrays [maxDepth / 64]uint64 // a bit for each container that is an array
	at     [maxDepth]int16       // the node of each container
	next   int                   // the node of the value that comes
	key    []byte                // the key that is being read; nil if it is of no interest
	wantKey, inKey,
	inString, escaped, inScalar,
	begun, broken bool

	slot  int // of the value that is being kept, or -1
	from  int // the depth at which it began
	keep  []byte
	spare []byte
}

// NewJSON returns a JSON for a tree.
func NewJSON(t *Tree) *JSON {
	if j := t.spare.Get(); j != nil {
		return j
	}
	return &JSON{tree: t, values: make([][]byte, t.paths), counts: make([]int64, t.paths), slot: -1}
}

// Value returns the text of the value at the n-th path, or nil. It holds until the next Write.
func (j *JSON) Value(n int) Value { return Value(j.values[n]) }

// Count returns how many values there were at the n-th path.
func (j *JSON) Count(n int) int64 { return j.counts[n] }

// TooBig reports whether a value was not kept since it is too long.
func (j *JSON) TooBig() bool { return j.big }

// Done reports whether a whole text has been written, and nothing of another.
func (j *JSON) Done() bool { return j.begun && j.depth == 0 && !j.inString && !j.inScalar && !j.broken }

// Write takes the next piece of a text. It returns len(p) and nil.
func (j *JSON) Write(p []byte) (int, error) {
	n := len(p)
	for i := 0; i < len(p) && !j.broken; {
		switch {
		case j.inString:
			i += j.text(p[i:])
		case j.inScalar:
			i += j.scalar(p[i:])
		default:
			j.structure(p[i])
			i++
		}
	}
	return n, nil
}

// text takes the rest of a string, or all there is of it, and returns how much that is.
func (j *JSON) text(p []byte) int {
	n := 0
	for n < len(p) {
		if j.escaped {
			j.escaped = false
			n++
			continue
		}
		rest := p[n:]
		end := bytes.IndexByte(rest, '"')
		if end < 0 {
			end = len(rest)
		}
		if esc := bytes.IndexByte(rest[:end], '\\'); esc >= 0 {
			j.escaped = true
			n += esc + 1
			continue
		}
		if n += end; n < len(p) {
			n++
			j.inString = false
			break
		}
	}
	j.take(p[:n])
	if !j.inString {
		j.stringEnds()
	}
	return n
}

func (j *JSON) stringEnds() {
	if !j.inKey {
		j.valueEnds()
		return
	}
	j.inKey = false
	j.next = dead
	if j.key != nil && j.depth > 0 {
		if at := int(j.at[j.depth-1]); at != dead {
			j.next = j.tree.kidBytes(at, j.key[:len(j.key)-1])
		}
	}
}

// take keeps a piece of what is being read.
func (j *JSON) take(p []byte) {
	if j.inKey {
		if j.key != nil {
			if j.key = append(j.key, p...); len(j.key) > maxKey {
				j.key = nil
			}
		}
		return
	}
	if j.slot < 0 {
		return
	}
	if len(j.keep)+len(p) > maxValue {
		j.slot, j.big = -1, true
		return
	}
	j.keep = append(j.keep, p...)
}

// scalar takes a number or a word.
func (j *JSON) scalar(p []byte) int {
	n := 0
	for n < len(p) {
		switch c := p[n]; c {
		case ',', ']', '}', ' ', '\t', '\r', '\n', '"', '[', '{', ':':
			j.take(p[:n])
			j.inScalar = false
			j.valueEnds()
			return n
		}
		n++
	}
	j.take(p)
	return n
}

func (j *JSON) structure(c byte) {
	switch c {
	case ' ', '\t', '\r', '\n':
		if j.slot >= 0 {
			j.take1(c)
		}
	case '{', '[':
		j.valueBegins(c)
		if j.depth == maxDepth {
			j.broken = true
			return
		}
		j.at[j.depth] = int16(j.next)
		bit := uint64(1) << (j.depth % 64)
		j.arrays[j.depth/64] &^= bit
		if c == '[' {
			j.arrays[j.depth/64] |= bit
		}
		j.depth++
		j.wantKey = c == '{'
		j.element()
	case '}', ']':
		if j.depth == 0 || j.isArray() != (c == ']') {
			j.broken = true
			return
		}
		j.take1(c)
		j.depth--
		j.valueEnds()
		if c == '}' {
			j.itemEnds()
		}
	case ',':
		j.take1(c)
		j.wantKey = j.depth > 0 && !j.isArray()
		j.element()
	case ':':
		j.take1(c)
		j.wantKey = false
	case '"':
		if j.wantKey {
			if j.slot >= 0 {
				j.take1(c)
				j.inString, j.inKey = true, false
				j.wantKey = false
				return
			}
			j.inKey, j.inString, j.wantKey = true, true, false
			if j.key = j.spare[:0]; j.key == nil {
				j.spare = make([]byte, 0, maxKey)
				j.key = j.spare
			}
			return
		}
		j.valueBegins(c)
		j.inString = true
	default:
		if j.wantKey {
			j.broken = true
			return
		}
		j.valueBegins(c)
		j.inScalar = true
	}
}

func (j *JSON) take1(c byte) {
	if j.slot >= 0 {
		j.take([]byte{c})
	}
}

func (j *JSON) isArray() bool {
	d := j.depth - 1
	return j.arrays[d/64]&(1<<(d%64)) != 0
}

// element finds the node of the next element of an array.
func (j *JSON) element() {
	j.next = dead
	if j.depth == 0 {
		j.next = 0
		return
	}
	if at := int(j.at[j.depth-1]); at != dead && j.isArray() {
		j.next = j.tree.kid(at, "*")
	}
}

// valueBegins starts to keep the value if a path ends at it.
func (j *JSON) valueBegins(c byte) {
	j.begun = true
	if j.slot < 0 && j.next != dead {
		if slot := j.tree.nodes[j.next].slot; slot >= 0 {
			j.slot, j.from, j.keep = slot, j.depth, j.keep[:0]
		}
	}
	j.take1(c)
}

func (j *JSON) valueEnds() {
	if j.slot >= 0 && j.depth == j.from {
		j.values[j.slot], j.keep = j.keep, j.values[j.slot]
		j.counts[j.slot]++
		j.slot = -1
	}
	if j.depth == 0 {
		j.next = 0
	}
}

func (j *JSON) itemEnds() {
	at := j.at[j.depth]
	if j.Item == nil || at == dead || !j.tree.nodes[at].item {
		return
	}
	j.Item()
	j.forget(int(at))
}

// forget forgets the values below a node.
func (j *JSON) forget(at int) {
	for _, kid := range j.tree.nodes[at].kids {
		if slot := j.tree.nodes[kid].slot; slot >= 0 && j.values[slot] != nil {
			j.values[slot] = j.values[slot][:0]
		}
		j.forget(kid)
	}
}

// Reset forgets all that was written, and the values.
func (j *JSON) Reset() {
	for i, v := range j.values {
		if v != nil {
			j.values[i] = v[:0]
		}
	}
	clear(j.counts)
	*j = JSON{Item: j.Item, tree: j.tree, values: j.values, counts: j.counts, slot: -1, keep: j.keep, spare: j.spare}
}

// maxPooled is the most memory of values that is kept for another text.
const maxPooled = 16 << 10

// Free gives the JSON back. Nothing of it holds after that. A nil JSON has nothing to give.
func (j *JSON) Free() {
	if j == nil {
		return
	}
	j.Item = nil
	size := cap(j.keep)
	for _, v := range j.values {
		size += cap(v)
	}
	if size > maxPooled {
		return
	}
	j.Reset()
	j.tree.spare.Put(j)
}
