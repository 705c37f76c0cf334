//go:build unix

package instrument

import (
	"os"
	"runtime"
	"syscall"
)

// maxRSS is the peak memory in bytes. getrusage(2) tells it in KiB, but in bytes on Apple's
// systems.
func maxRSS(s *os.ProcessState) int64 {
	r, ok := s.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return int64(r.Maxrss)
	}
	return int64(r.Maxrss) * 1024
}
