package ffmpeg

import (
	"crypto/rand"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
)

// An output is a file that is written under a temporary name and renamed when it is complete. A nil
// output is none.
type output struct {
	path string
	temp string
	lock *os.File // temp, open and locked while it is in use; nil where there are no locks
}

// newOutput reserves a temporary name beside path.
func newOutput(path string) (*output, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, &os.PathError{Op: "WithOutput", Path: path, Err: fmt.Errorf("not a regular file: %v", info.Mode().Type())}
	}
	dir, prefix, ext := tempName(path)
	removeStale(dir, prefix, ext)
	for {
		// Not os.CreateTemp, since the mode should be that of any new file. Not path's own name,
		// which may contain characters that are special to ffmpeg.
		temp := filepath.Join(dir, prefix+rand.Text()[:12]+ext)
		f, err := os.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o666)
		if err != nil {
			return nil, err
		}
		switch err := tryLock(f); {
		case err == nil && isAt(f, temp):
			return &output{path: path, temp: temp, lock: f}, nil
		case err == nil, errors.Is(err, errLocked):
			// Before it was locked, another run of this output took the file for one that was left
			// over. That happens only at the start of a run, so there are at most as many tries as
			// other runs.
			_ = f.Close()
		default: // no locks here, so nobody takes it away either
			_ = f.Close()
			return &output{path: path, temp: temp}, nil
		}
	}
}

// errLocked means that the file is locked already.
var errLocked = errors.New("locked")

// isAt reports whether an open file still has its name.
func isAt(f *os.File, path string) bool {
	mine, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(mine, there)
}

// tempName returns the prefix and the extension of temporary names for path. The prefix is unique
// to path, so that files that a killed program left are recognized. The extension is path's: ffmpeg
// chooses the format by it.
func tempName(path string) (dir, prefix, ext string) {
	dir, base := filepath.Split(path)
	h := fnv.New64a()
	_, _ = h.Write([]byte(base))
	return dir, fmt.Sprintf(".stagemeter-%016x-", h.Sum64()), filepath.Ext(base)
}

// removeStale removes the temporary files for the same output that no program has locked. It
// ignores errors.
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

// args returns the last arguments of a run: the options and the name of the output.
func (o *output) args() []string {
	if o == nil {
		return nil
	}
	return []string{"-y", "-abort_on", "empty_output", File(o.temp)}
}

// names returns pairs for a strings.Replacer, which replace the temporary name by path in a log.
func (o *output) names() []string {
	if o == nil {
		return nil
	}
	return []string{File(o.temp), o.path, o.temp, o.path}
}

// publish renames the file to path, unless it is empty, and returns its size. It syncs the content
// first, so that after a power cut there is no file without content.
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

// discard removes the temporary file, if it still has that name, and releases the lock.
func (o *output) discard() {
	_ = o.lock.Close()
	_ = os.Remove(o.temp)
}
