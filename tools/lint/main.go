// Command lint runs go vet's and staticcheck's analyzers over packages in one pass.
//
//	lint ./... ./examples/...
//
// Both tools load the packages and everything that these import. That takes most of their time, so one program that
// loads once takes half as long as both, and its results are cached as staticcheck's are. Flags, staticcheck.conf and
// //lint:ignore work as they do for staticcheck.
//
// Of a dependency outside this repository and the standard library, lint reads only what is deprecated. Staticcheck
// also derives facts from its code, such as which of its functions have no side effects; that costs minutes of
// processor time on a new machine.
package main

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/inspect"
	"honnef.co/go/tools/analysis/facts/deprecated"
	"honnef.co/go/tools/analysis/lint"
	"honnef.co/go/tools/lintcmd"
	"honnef.co/go/tools/simple"
	"honnef.co/go/tools/staticcheck"
	"honnef.co/go/tools/stylecheck"
	"honnef.co/go/tools/unused"
)

// repository begins the path of each of our packages.
const repository = "github.com/stagemeter/stagemeter"

func main() {
	cmd := lintcmd.NewCommand("lint")
	cmd.ParseFlags(os.Args[1:])

	checks := slices.Concat(simple.Analyzers, staticcheck.Analyzers, stylecheck.Analyzers, []*lint.Analyzer{unused.Analyzer})
	var all []*analysis.Analyzer
	for _, check := range checks {
		all = append(all, check.Analyzer)
	}
	for _, a := range vet {
		completePass(a)
	}
	for _, a := range withRequired(append(all, vet...)) {
		if a == inspect.Analyzer || a.Name == "buildir" || len(a.FactTypes) > 0 && a != deprecated.Analyzer {
			skipForeign(a)
		}
	}
	cmd.AddAnalyzers(checks...)
	cmd.AddBareAnalyzers(vet...)
	cmd.Run()
}

// withRequired returns the analyzers and those that they build on, each once.
func withRequired(analyzers []*analysis.Analyzer) (all []*analysis.Analyzer) {
	seen := make(map[*analysis.Analyzer]bool)
	var add func([]*analysis.Analyzer)
	add = func(some []*analysis.Analyzer) {
		for _, a := range some {
			if !seen[a] {
				seen[a] = true
				all = append(all, a)
				add(a.Requires)
			}
		}
	}
	add(analyzers)
	return all
}

// skipForeign makes an analyzer return an empty result for a foreign package.
func skipForeign(a *analysis.Analyzer) {
	run := a.Run
	a.Run = func(pass *analysis.Pass) (any, error) {
		if !foreign(pass.Pkg.Path()) {
			return run(pass)
		}
		switch t := a.ResultType; {
		case t == nil:
			return nil, nil
		case t.Kind() == reflect.Pointer:
			return reflect.New(t.Elem()).Interface(), nil
		case t.Kind() == reflect.Map:
			return reflect.MakeMap(t).Interface(), nil
		default:
			return reflect.Zero(t).Interface(), nil
		}
	}
}

// foreign reports whether a package is neither ours nor in the standard library, where no path begins with a domain.
func foreign(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return strings.Contains(first, ".") && path != repository && !strings.HasPrefix(path, repository+"/")
}

// completePass gives an analyzer of go vet what staticcheck's driver leaves out: a way to read files, and the files
// that the build left out, in which it checks the build constraints.
func completePass(a *analysis.Analyzer) {
	run := a.Run
	a.Run = func(pass *analysis.Pass) (any, error) {
		if pass.ReadFile == nil {
			pass.ReadFile = os.ReadFile
		}
		if len(pass.Files) > 0 && pass.IgnoredFiles == nil && (a.Name == "buildtag" || a.Name == "directive") {
			known := make(map[string]bool)
			for _, file := range pass.Files {
				known[pass.Fset.File(file.Pos()).Name()] = true
			}
			files, err := filepath.Glob(filepath.Join(filepath.Dir(pass.Fset.File(pass.Files[0].Pos()).Name()), "*.go"))
			if err != nil {
				return nil, err
			}
			pass.IgnoredFiles = slices.DeleteFunc(files, func(name string) bool { return known[name] })
		}
		return run(pass)
	}
}
