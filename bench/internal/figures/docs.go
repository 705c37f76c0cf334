package figures

import (
	"bytes"
	"fmt"
	"os"
)

// The lines of a document between which the tables stand.
const (
	begin = "<!-- made by `make bench`: begin -->\n"
	end   = "<!-- made by `make bench`: end -->\n"
)

// Splice replaces what a document has between its two markers.
func Splice(path string, made []byte) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok := bytes.Cut(old, []byte(begin))
	_, after, ok2 := bytes.Cut(rest, []byte(end))
	if !ok || !ok2 {
		return fmt.Errorf("%s: the lines %q and %q are needed, in this order", path, begin, end)
	}
	return os.WriteFile(path, bytes.Join([][]byte{before, []byte(begin), made, []byte(end), after}, nil), 0o644)
}
