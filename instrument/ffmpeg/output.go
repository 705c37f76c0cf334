package ffmpeg

import (
	"crypto/rand"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
)

// An output is a file that is written under a temporary name and gets its own when it is whole. A nil output is none.
type output struct {
	path string
	temp string
	lock *os.File // temp, held open and locked for as long as it is in use; nil where there are no locks
}

// newOutput reserves a temporary name beside path.
func newOutput(path string) (*output, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, &os.PathError{Op: "WithOutput", Path: path, Err: fmt.Errorf("not a regular file: %v", info.Mode().Type())}
	}
	dir, prefix, ext := tempName(path)
	removeStale(dir, prefix, ext)
	for {
		// Not os.CreateTemp: the mode is that of any new file. Not the name itself: it may hold what is special to ffmpeg.
		temp := filepath.Join(dir, prefix+rand.Text()[:12]+ext)
		f, err := os.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o666)
		if err != nil {
			return nil, err
		}
		switch err := tryLock(f); {
		case err == nil && isAt(f, temp):
			return &output{path: path, temp: temp, lock: f}, nil
		case err == nil, errors.Is(err, errLocked):
			// Before the lock said otherwise, another run of this output took the file for one that was left over. It does
			// so only at its own start: there are no more tries than there are other runs.
			_ = f.Close()
		default: // no locks here, so nobody takes it away either
			_ = f.Close()
			return &output{path: path, temp: temp}, nil
		}
	}
}

// errLocked tells that another has the lock.
var errLocked = errors.New("locked")

// isAt tells whether an open file still has its name.
func isAt(f *os.File, path string) bool {
	mine, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(mine, there)
}

// tempName says how the temporary names for path begin and end. The beginning is path's own, so that what a killed
// program left is known; the end is path's extension, by which ffmpeg chooses the format.
func tempName(path string) (dir, prefix, ext string) {
	dir, base := filepath.Split(path)
	h := fnv.New64a()
	_, _ = h.Write([]byte(base))
	return dir, fmt.Sprintf(".stagemeter-%016x-", h.Sum64()), filepath.Ext(base)
}

// removeStale removes the temporary files for the same output that no living program holds. It does its best.
func removeStale(dir, prefix, ext string) {
	if dir == "" {
		dir = "."
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		name := e.Name()
		if !e.Type().IsRegular() || len(name) != len(prefix)+12+len(ext) || name[:len(prefix)] != prefix {
			continue
		}
		path := filepath.Join(dir, name)
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			continue
		}
		if tryLock(f) == nil {
			_ = os.Remove(path)
		}
		_ = f.Close()
	}
}

// args are the options and the name of the output, the last ones of a run.
func (o *output) args() []string {
	if o == nil {
		return nil
	}
	return []string{"-y", "-abort_on", "empty_output", File(o.temp)}
}

// names are the pairs that put the output's own name in the place of the temporary one in a log.
func (o *output) names() []string {
	if o == nil {
		return nil
	}
	return []string{File(o.temp), o.path, o.temp, o.path}
}

// publish gives the file its own name, unless it is empty, and says how large it is. Its bytes are on the disk before its
// name is, so that a power cut leaves no name of a file without content.
func (o *output) publish() (size int64, err error) {
	f, err := os.OpenFile(o.temp, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	info, err := f.Stat()
	if err == nil && info.Size() > 0 {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil || info.Size() == 0 {
		return 0, err
	}
	if err := os.Rename(o.temp, o.path); err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// discard removes the temporary file if it still has that name, and gives up the lock.
func (o *output) discard() {
	_ = o.lock.Close()
	_ = os.Remove(o.temp)
}
