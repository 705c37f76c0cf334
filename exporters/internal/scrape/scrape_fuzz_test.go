package scrape

import (
	"testing"

	"github.com/stagemeter/stagemeter/internal/corpus"
)

// FuzzExposition is TestScrapesEqualUpstreams for programs that the fuzzer makes.
func FuzzExposition(f *testing.F) {
	quiet()
	f.Add([]byte(nil)) // measures nothing
	for seed := range uint64(12) {
		f.Add(corpus.Random(seed, 32<<(seed%4)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4<<10 {
			return // no more than others, and slow
		}
		checkProgram(t, corpus.New(data))
	})
}
