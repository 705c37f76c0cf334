package main

import (
	"bytes"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite testdata/golden")

// The golden files show all that can be made of a registry: kinds, closed and
// open attributes, opt-in, shared and own buckets.
func TestGolden(t *testing.T) {
	files, err := generate(os.DirFS("testdata/registry"))
	if err != nil {
		t.Fatal(err)
	}
	golden := map[string]bool{}
	for _, f := range files {
		path := filepath.Join("testdata/golden", f.name+".golden")
		golden[path] = true
		if *update {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, f.data, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Errorf("%v (go test -update writes it)", err)
			continue
		}
		if !bytes.Equal(f.data, want) {
			t.Errorf("%s differs (go test -update rewrites it):\n%s", path, firstDifference(f.data, want))
		}
	}
	err = filepath.WalkDir("testdata/golden", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !golden[path] {
			t.Errorf("%s is no longer generated", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Whoever edits the registry and forgets to generate is told here, not by a
// user whose dashboard is empty.
func TestGeneratedFilesAreClean(t *testing.T) {
	root := filepath.Join("..", "..")
	files, err := generate(os.DirFS(filepath.Join(root, registryDir)))
	if err != nil {
		t.Fatal(err)
	}
	stale, err := staleFiles(root, files)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range stale {
		t.Errorf("%s is stale, run make generate", name)
	}
}

// A table or a dashboard that is generated twice has to come out the same.
func TestGenerateIsDeterministic(t *testing.T) {
	first, err := generate(os.DirFS("testdata/registry"))
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		again, err := generate(os.DirFS("testdata/registry"))
		if err != nil {
			t.Fatal(err)
		}
		for i := range first {
			if first[i].name != again[i].name || !bytes.Equal(first[i].data, again[i].data) {
				t.Fatalf("%s differs from one run to the next", first[i].name)
			}
		}
	}
}

// firstDifference shows the first line in which two texts differ.
func firstDifference(have, want []byte) string {
	h, w := strings.Split(string(have), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(h), len(w)) {
		var a, b string
		if i < len(h) {
			a = h[i]
		}
		if i < len(w) {
			b = w[i]
		}
		if a != b {
			return "have " + a + "\nwant " + b
		}
	}
	return ""
}
