//go:build !unix

package web

import "math"

// descriptors returns how many file descriptors the process may have. Other systems have no limit
// that a server could reach.
func descriptors() uint64 { return math.MaxInt32 }
