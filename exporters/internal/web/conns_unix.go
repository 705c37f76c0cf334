//go:build unix

package web

import (
	"math"
	"syscall"
)

// descriptors returns how many file descriptors the process may have.
func descriptors() uint64 {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return math.MaxInt32
	}
	return uint64(limit.Cur)
}
