// Package files reads the files that options and variables name.
package files

import (
	"fmt"
	"io"
	"os"
)

// Most is how many bytes a file may have: certificates and a web config file have thousands.
const Most = 4 << 20

// Read returns the content of a file. One of more than [Most] bytes, such as a device that never
// ends, is an error.
func Read(path string) ([]byte, error) {
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
