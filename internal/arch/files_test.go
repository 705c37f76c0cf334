package arch

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// maxLines is the limit above which a file surely has more than one noun.
const maxLines = 400

// sourceFiles calls check with the path and content of every Go file and every go.mod of the repository.
//
// Reading them has a second use: the go command caches the result of a test until a file that the test
// has read changes. Without it, tests that only run the go command would be cached for ever.
func sourceFiles(t *testing.T, check func(path string, content []byte)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		name := d.Name()
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "testdata"):
			return fs.SkipDir
		case d.IsDir() || filepath.Ext(name) != ".go" && name != "go.mod":
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		check(path, content)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFilesHoldOneNoun(t *testing.T) {
	sourceFiles(t, func(path string, content []byte) {
		generated := strings.HasSuffix(path, "_gen.go")
		if lines := bytes.Count(content, []byte("\n")); filepath.Ext(path) == ".go" && !generated && lines > maxLines {
			t.Errorf("%s has %d lines, more than %d: split it by its nouns", path, lines, maxLines)
		}
	})
}

func TestPackagesSayWhatTheyAreFor(t *testing.T) {
	for _, p := range ownPackages(t) {
		if p.Doc == "" {
			t.Errorf("%s has no package comment", p.short())
		}
	}
}
