package instrument

import (
	"sync"

	"go.opentelemetry.io/otel/attribute"

	"github.com/stagemeter/stagemeter/semconv"
)

// apiWords bounds the series of a counter that has an API and one more word: an error type, or why
// a call is unpriced.
type apiWords struct {
	key   attribute.Key
	limit int

	mu    sync.RWMutex
	full  bool
	words int // that were not declared
	pairs int // that were not declared
	known map[string]struct{}
	opts  map[apiWord]addOptions
}

type apiWord struct{ api, word string }

func newAPIWords(key attribute.Key, limit int) *apiWords {
	return &apiWords{key: key, limit: limit, known: make(map[string]struct{}), opts: make(map[apiWord]addOptions)}
}

// options returns the attributes of a clean word of an API. Past the limits the word becomes
// "other"; filled reports whether this word was the first.
func (w *apiWords) options(api, word string) (o addOptions, filled bool) {
	asked := apiWord{api, word}
	w.mu.RLock()
	o = w.opts[asked]
	w.mu.RUnlock()
	if o != nil {
		return o, false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	pair := asked
	_, known := w.known[word]
	switch {
	case w.pairs >= 10*w.limit, !known && w.words >= w.limit: // every API with every word would be too many
		pair.word = other
	case !known:
		w.words++
		w.known[word] = struct{}{}
	}
	if o = w.opts[pair]; o == nil {
		if pair.word != other {
			w.pairs++
		}
		o = w.add(pair)
	}
	filled = pair != asked && !w.full
	w.full = w.full || filled
	return o, filled
}

// declare makes a pair that the limits do not concern.
func (w *apiWords) declare(api, word string) addOptions {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.known[word] = struct{}{}
	return w.add(apiWord{api, word})
}

func (w *apiWords) add(pair apiWord) addOptions {
	o := addOptions{withAttrs(semconv.AttrAPI.String(pair.api), w.key.String(pair.word))}
	w.opts[pair] = o
	return o
}
