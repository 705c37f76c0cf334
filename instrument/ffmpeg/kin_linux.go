package ffmpeg

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
)

// kin returns the descendants of a process that have left its group, as those of a shell's timeout
// have. The handles cannot come to mean another process. It ignores errors.
func kin(leader int) []*os.Process {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil
	}
	children := map[int][]procStat{}
	for _, path := range stats {
		if s, ok := readStat(path); ok {
			children[s.parent] = append(children[s.parent], s)
		}
	}
	var found []*os.Process
	for next := []int{leader}; len(next) > 0; {
		for _, s := range children[next[0]] {
			next = append(next, s.pid)
			if s.group == leader {
				continue
			}
			p, err := os.FindProcess(s.pid)
			if err != nil {
				continue
			}
			if now, ok := readStat("/proc/" + strconv.Itoa(s.pid) + "/stat"); !ok || now.started != s.started {
				_ = p.Release()
				continue
			}
			found = append(found, p)
		}
		delete(children, next[0])
		next = next[1:]
	}
	return found
}

type procStat struct {
	pid, parent, group int
	started            string
}

// readStat reads a /proc/PID/stat: the name is in brackets and may contain anything.
func readStat(path string) (s procStat, ok bool) {
	b, err := os.ReadFile(path)
	if err != nil {
		return s, false
	}
	pid, _, _ := bytes.Cut(b, []byte(" "))
	rest := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(rest) < 20 {
		return s, false
	}
	s.started = string(rest[19])
	for _, f := range []struct {
		dst  *int
		text []byte
	}{{&s.pid, pid}, {&s.parent, rest[1]}, {&s.group, rest[2]}} {
		if *f.dst, err = strconv.Atoi(string(f.text)); err != nil {
			return s, false
		}
	}
	return s, true
}
