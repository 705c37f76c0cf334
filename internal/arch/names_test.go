package arch

import (
	"go/parser"
	"go/token"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// repeated lists the folders whose package may share its name with another one. They are rooms of
// bench that only its main imports, and have the name of the room of exporters that they measure.
var repeated = []string{"bench/internal/push", "bench/internal/scrape"}

// packageNames returns the names of the packages of all modules, by folder, without main, which
// nothing imports.
func packageNames(t *testing.T) map[string]string {
	t.Helper()
	names := make(map[string]string)
	sourceFiles(t, func(file string, content []byte) {
		if filepath.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") {
			return
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, content, parser.PackageClauseOnly)
		if err != nil {
			t.Error(err)
			return
		}
		folder, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			t.Fatal(err)
		}
		if name := parsed.Name.Name; name != "main" {
			names[filepath.ToSlash(folder)] = name
		}
	})
	return names
}

// A reader of report.New knows which report it is, and no import needs another name. Names of the
// standard library count too.
func TestPackageNamesAreUnique(t *testing.T) {
	names := packageNames(t)
	if len(names) < 20 {
		t.Errorf("only %d packages", len(names))
	}
	folders := make(map[string][]string)
	for _, p := range packages(t) {
		if base := path.Base(p.ImportPath); p.Standard && !strings.Contains("/"+p.ImportPath+"/", "/internal/") && !strings.HasPrefix(p.ImportPath, "vendor/") {
			folders[base] = append(folders[base], "the standard library")
		}
	}
	for _, folder := range slices.Sorted(maps.Keys(names)) {
		if !slices.Contains(repeated, folder) {
			folders[names[folder]] = append(folders[names[folder]], folder)
		}
	}
	for name, in := range folders {
		if in = slices.Compact(in); len(in) > 1 {
			t.Errorf("several packages are named %s: %s", name, strings.Join(in, ", "))
		}
	}
	for _, folder := range repeated {
		if names[folder] == "" {
			t.Errorf("there is no package in %s: take it off the list", folder)
		}
	}
}

// The name of a package is that of its folder, so an import shows the name of its package.
func TestPackagesAreNamedAsTheirFolders(t *testing.T) {
	for folder, name := range packageNames(t) {
		if path.Base(folder) != name {
			t.Errorf("the package in %s is named %s", folder, name)
		}
	}
}
