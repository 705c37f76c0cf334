package wire

import (
	"strings"

	"github.com/stagemeter/stagemeter/instrument/internal/spare"
)

// A Tree is a set of paths to values of a JSON text, such as "response.usage". A segment "*" stands
// for every element of an array. It is safe for concurrent use.
type Tree struct {
	nodes []node
	paths int
	spare spare.List[JSON]
}

type node struct {
	name string
	kids []int
	slot int // index of the path that ends here, or -1
	item bool
}

const dead = -1 // of no path

// NewTree returns the tree of paths. The value of the n-th path is [JSON.Value](n).
func NewTree(paths ...string) *Tree {
	t := &Tree{nodes: []node{{slot: -1}}, paths: len(paths)}
	for slot, path := range paths {
		at := 0
		for name := range strings.SplitSeq(path, ".") {
			next := t.kid(at, name)
			if next == dead {
				next = len(t.nodes)
				t.nodes = append(t.nodes, node{name: name, slot: -1})
				t.nodes[at].kids = append(t.nodes[at].kids, next)
			}
			at = next
		}
		t.nodes[at].slot = slot
	}
	return t
}

// Items says that [JSON.Item] is called for each object at a path, such as "output.*", that another
// path goes through. It returns the tree.
func (t *Tree) Items(path string) *Tree {
	at := 0
	for name := range strings.SplitSeq(path, ".") {
		at = t.kid(at, name)
	}
	t.nodes[at].item = true
	return t
}

func (t *Tree) kid(at int, name string) int {
	for _, k := range t.nodes[at].kids {
		if t.nodes[k].name == name {
			return k
		}
	}
	return dead
}

func (t *Tree) kidBytes(at int, name []byte) int {
	for _, k := range t.nodes[at].kids {
		if t.nodes[k].name == string(name) {
			return k
		}
	}
	return dead
}
