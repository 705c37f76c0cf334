package wire

import "sync"

const (
	maxNames   = 512
	maxNameLen = 128 // bytes
)

// Names keeps one string for each text that comes again and again, such as the name of a model. It
// is bounded, and safe for concurrent use. Its zero value is ready.
type Names struct {
	mu    sync.RWMutex
	known map[string]string // by the value as it is written
}

// Text returns what [Value.Text] returns. It does not allocate for a text that it has seen.
func (n *Names) Text(v Value) string {
	if len(v) < 2 || v[0] != '"' {
		return ""
	}
	return n.get(v, Value.Text)
}

// Written returns the value as it is written. It does not allocate for one that it has seen.
func (n *Names) Written(v Value) string {
	return n.get(v, func(v Value) string { return string(v) })
}

func (n *Names) get(v Value, read func(Value) string) string {
	n.mu.RLock()
	s, ok := n.known[string(v)]
	n.mu.RUnlock()
	if ok {
		return s
	}
	s = read(v)
	if len(v) > maxNameLen {
		return s
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.known == nil || len(n.known) >= maxNames { // those that still come are back soon
		n.known = make(map[string]string)
	}
	n.known[string(v)] = s
	return s
}
