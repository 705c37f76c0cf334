package instrument

import (
	"bytes"
	"os"
	"strconv"
	"time"
)

// ticks is the number of clock ticks of /proc per second, the same on every architecture of Go.
const ticks = 100

// cpuTime returns the CPU time that a process has used: fields 14 and 15 of proc_pid_stat(5). The
// name before them, in parentheses, may contain any character.
func cpuTime(pid int) (time.Duration, bool) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, false
	}
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 13 {
		return 0, false
	}
	user, err := strconv.ParseInt(string(fields[11]), 10, 64)
	system, err2 := strconv.ParseInt(string(fields[12]), 10, 64)
	if err != nil || err2 != nil {
		return 0, false
	}
	return time.Duration(user+system) * (time.Second / ticks), true
}
