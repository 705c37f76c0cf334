package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// docs/metrics.md says which functions record a metric: each of them exists.
func TestRecordedByExists(t *testing.T) {
	groups, err := load(os.DirFS(filepath.Join("..", "..", registryDir)))
	if err != nil {
		t.Fatal(err)
	}
	api := map[string]bool{}
	for name := range exported(t, "instrument") {
		api[name] = true
	}
	for name := range exported(t, "exporters") {
		api["exporters."+name] = true
	}
	for name := range exported(t, "instrument/aihttp") {
		api["aihttp."+name] = true
	}
	for _, g := range groups {
		for _, name := range g.Annotations.Stagemeter.RecordedBy {
			if !api[name] {
				t.Errorf("%s: %s: recorded_by names %s, which does not exist", g.file, g.ID, name)
			}
		}
	}
}

// exported returns the exported functions, as Spend, and methods, as Job.End,
// of a package of the root module.
func exported(t *testing.T, pkg string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	dir := filepath.Join("..", "..", pkg)
	paths, err := fs.Glob(os.DirFS(dir), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, path), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range f.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || !fn.Name.IsExported() {
				continue
			}
			names[receiver(fn)+fn.Name.Name] = true
		}
	}
	return names
}

// receiver returns the type of a method with a dot, or nothing for a function.
func receiver(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return ""
	}
	typ := fn.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	if id, ok := typ.(*ast.Ident); ok {
		return id.Name + "."
	}
	return "?." // a generic type: none records a metric
}
