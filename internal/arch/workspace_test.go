package arch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A unitOfCode is a package as the go command compiles it: as it is, with its tests, once more for
// the tests of a package that imports it back, or the package of external tests.
type unitOfCode struct {
	ImportPath, ForTest, Dir string
	GoFiles, Imports         []string
	ImportMap                map[string]string
}

// path returns the import path without the name of the test that the package is compiled for.
func (u unitOfCode) path() string {
	path, _, _ := strings.Cut(u.ImportPath, " ")
	return path
}

// once reports whether the package is not one of somebody's that is compiled once more.
func (u unitOfCode) once() bool {
	return u.ForTest == "" || strings.TrimSuffix(u.path(), "_test") == u.ForTest
}

// checkWorkspace checks the types of each package of the workspace and of its tests, each after those
// that it imports, and calls check with it. Our own packages are read from source: to compile them
// and their tests anew after each change takes minutes.
func checkWorkspace(t *testing.T, check func(path string, fset *token.FileSet, files []*ast.File, info *types.Info)) {
	t.Helper()
	units, tested := unitsOfCode(t)
	own := make(map[string]*types.Package)
	var foreign []*ast.ImportSpec
	seen := make(map[string]bool)
	for _, u := range units {
		own[u.ImportPath] = nil
	}
	for _, u := range units {
		for _, path := range u.Imports {
			if _, ours := own[path]; !ours && !seen[path] && path != "unsafe" && path != "C" {
				seen[path] = true
				foreign = append(foreign, &ast.ImportSpec{Path: &ast.BasicLit{Value: path}})
			}
		}
	}
	fset := token.NewFileSet()
	deps := importer.ForCompiler(fset, "gc", exportData(t, foreign))
	for _, u := range units {
		var files []*ast.File
		for _, name := range u.GoFiles {
			file, err := parser.ParseFile(fset, filepath.Join(u.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, file)
		}
		info := newTypeInfo()
		conf := types.Config{Importer: importFunc(func(path string) (*types.Package, error) {
			if mapped, ok := u.ImportMap[path]; ok {
				path = mapped
			}
			if pkg := own[path]; pkg != nil {
				return pkg, nil
			}
			return deps.Import(path)
		})}
		pkg, err := conf.Check(u.path(), fset, files, info)
		if err != nil {
			t.Fatal(err)
		}
		own[u.ImportPath] = pkg
		if u.once() && (u.ForTest != "" || !tested[u.path()]) {
			check(u.path(), fset, files, info)
		}
	}
}

type importFunc func(path string) (*types.Package, error)

func (f importFunc) Import(path string) (*types.Package, error) { return f(path) }

// unitsOfCode returns the packages of the workspace, each after those that it imports, and the paths
// of those that come again with their tests in them.
func unitsOfCode(t *testing.T) (units []unitOfCode, tested map[string]bool) {
	t.Helper()
	list := exec.Command("go", "list", "-test", "-deps", "-json=ImportPath,ForTest,Dir,GoFiles,Imports,ImportMap",
		"./...", "./bench/...", "./cmd/stagemeter/...", "./examples/...", "./examples/aicosts/...", "./e2e/...")
	list.Dir, list.Stderr = root, os.Stderr
	out, err := list.Output()
	if err != nil {
		t.Fatalf("%v: %v", list.Args, err)
	}
	tested = make(map[string]bool)
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var u unitOfCode
		if err := dec.Decode(&u); err == io.EOF {
			return units, tested
		} else if err != nil {
			t.Fatal(fmt.Errorf("go list: %w", err))
		}
		if !(pkg{ImportPath: u.path()}).ours() || strings.HasSuffix(u.path(), ".test") {
			continue
		}
		units = append(units, u)
		if u.path() == u.ForTest {
			tested[u.ForTest] = true
		}
	}
}
