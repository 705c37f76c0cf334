package corpus

import "math/rand/v2"

// A source turns bytes into choices. When they are used up, every choice is the first: a program ends soon, and
// short inputs are simple programs.
type source struct {
	data []byte
	wild bool // the program has what can't be shown
}

// Random returns n random bytes, the same for the same seed.
func Random(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 0))
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	return data
}

// below returns a number from 0 to n-1; n is at most 256.
func (s *source) below(n int) int {
	if len(s.data) == 0 {
		return 0
	}
	b := s.data[0]
	s.data = s.data[1:]
	return int(b) % n
}

// rarely is true once in n.
func (s *source) rarely(n int) bool { return s.below(n) == n-1 }

// either returns what is strange, or wild as well.
func either[T any](s *source, strange, wild []T) []T {
	if s.wild {
		return wild
	}
	return strange
}

// pick chooses one.
func pick[T any](s *source, from []T) T { return from[s.below(len(from))] }
