// Package files reads the files that options and variables name.
package files

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// Most is how many bytes a file may have: certificates and a web config file have thousands.
const Most = 4 << 20

// Read returns the content of a file. One of more than [Most] bytes is an error, and so is anything
// but a regular file: a pipe that nobody writes to, or a device, may never end.
func Read(path string) ([]byte, error) {
	stat, err := os.Stat(path) // before it is opened: to open a pipe would wait for its writer
	if err != nil {
		return nil, err
	}
	if !stat.Mode().IsRegular() {
		return nil, &os.PathError{Op: "read", Path: path, Err: errors.New("not a regular file")}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	content, err := io.ReadAll(io.LimitReader(f, Most+1))
	if err == nil && len(content) > Most {
		err = &os.PathError{Op: "read", Path: path, Err: fmt.Errorf("more than %d bytes", Most)}
	}
	if err != nil {
		return nil, err
	}
	return content, nil
}
