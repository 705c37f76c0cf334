package show

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// A newcomer reads an example to its end, and sees one line that meters.
func TestExamplesAreShort(t *testing.T) {
	files, err := filepath.Glob("../../*/main.go")
	if err != nil || len(files) != 4 {
		t.Fatalf("the examples are %v (%v), want 4", files, err)
	}
	for _, file := range files {
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(code, []byte("\n")); n > 80 {
			t.Errorf("%s has %d lines, want at most 80", file, n)
		}
		if n := bytes.Count(code, []byte("aihttp.NewTransport(")); n != 1 {
			t.Errorf("%s makes %d transports, want 1", file, n)
		}
	}
}
