//go:build !unix

package viewers

import "time"

func cpuTime() (time.Duration, bool) { return 0, false }
