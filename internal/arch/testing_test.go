package arch

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// testKits lists the packages for tests of users. Only they may import testing outside of test files.
var testKits = []string{"instrument/instrumenttest", "instrument/budget/budgettest"}

// No program contains package testing, whose flags and clock are for tests. Helpers of tests are in test
// files, where no program can use them.
func TestOnlyTestsImportTesting(t *testing.T) {
	kits := make(map[string]bool)
	sourceFiles(t, func(file string, content []byte) {
		if filepath.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") {
			return
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, content, parser.ImportsOnly)
		if err != nil {
			t.Error(err)
			return
		}
		name, err := filepath.Rel(root, file)
		if err != nil {
			t.Fatal(err)
		}
		name = filepath.ToSlash(name)
		folder := filepath.ToSlash(filepath.Dir(name))
		for _, spec := range parsed.Imports {
			switch path := strings.Trim(spec.Path.Value, `"`); {
			case path != "testing" && !strings.HasPrefix(path, "testing/"):
			case slices.Contains(testKits, folder):
				kits[folder] = true
			default:
				t.Errorf("%s imports %s and is not a test file", name, path)
			}
		}
	})
	if len(kits) == 0 {
		t.Error("no test kit imports testing: nothing was read")
	}
}
