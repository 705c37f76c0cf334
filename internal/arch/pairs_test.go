package arch

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// maxPairs limits the pairs of files of a package that name each other both ways: a reader of one of
// them has to read the other too.
const maxPairs = 8

func TestFilesNameEachOtherOneWay(t *testing.T) {
	for _, pkg := range []string{"instrument", "exporters"} {
		pairs := mutual(namedFiles(t, filepath.Join(root, pkg)))
		if len(pairs) > maxPairs {
			t.Errorf("%s: %d pairs of files name each other both ways, at most %d may:\n\t%s", pkg, len(pairs), maxPairs, strings.Join(pairs, "\n\t"))
		}
	}
}

func TestMutualFindsPairs(t *testing.T) {
	got := mutual(map[[2]string][]string{
		{"a.go", "b.go"}: {"B"}, {"b.go", "a.go"}: {"A"},
		{"a.go", "c.go"}: {"C"}, {"d.go", "a.go"}: {"A"},
	})
	if want := []string{"a.go (B) and b.go (A)"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// namedFiles maps each pair of a package's files to the types, functions, variables, methods and
// fields of the second that the first names, except tests and files of other systems.
func namedFiles(t *testing.T, dir string) map[[2]string][]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	var files []*ast.File
	var imports []*ast.ImportSpec
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "_other.go") {
			continue
		}
		file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files, imports = append(files, file), append(imports, file.Imports...)
	}
	info := &types.Info{Uses: make(map[*ast.Ident]types.Object)}
	conf := types.Config{Importer: importer.ForCompiler(fset, "gc", exportData(t, imports))}
	pkg, err := conf.Check(dir, fset, files, info)
	if err != nil {
		t.Fatal(err)
	}
	file := func(pos token.Pos) string { return filepath.Base(fset.Position(pos).Filename) }
	found := make(map[[2]string]map[string]bool)
	for id, used := range info.Uses {
		v, isVar := used.(*types.Var)
		_, isFunc := used.(*types.Func) // a method, where it is not in the package's scope
		if used.Pkg() != pkg || used.Parent() != pkg.Scope() && !isFunc && !(isVar && v.IsField()) {
			continue
		}
		key := [2]string{file(id.Pos()), file(used.Pos())}
		if key[0] == key[1] {
			continue
		}
		if found[key] == nil {
			found[key] = make(map[string]bool)
		}
		found[key][used.Name()] = true
	}
	named := make(map[[2]string][]string)
	for key, names := range found {
		named[key] = slices.Sorted(maps.Keys(names))
	}
	return named
}

// mutual returns the pairs that name each other both ways.
func mutual(named map[[2]string][]string) []string {
	var pairs []string
	for key, names := range named {
		if back := named[[2]string{key[1], key[0]}]; back != nil && cmp.Less(key[0], key[1]) {
			pairs = append(pairs, fmt.Sprintf("%s (%s) and %s (%s)", key[0], strings.Join(names, " "), key[1], strings.Join(back, " ")))
		}
	}
	slices.Sort(pairs)
	return pairs
}
