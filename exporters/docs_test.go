package exporters

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/exporters/internal/settings"
)

// packageDoc returns the documentation of this package.
func packageDoc(t *testing.T) *doc.Package {
	t.Helper()
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range sources {
		f, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	pkg, err := doc.NewFromFiles(fset, files, "example.com/exporters")
	if err != nil {
		t.Fatal(err)
	}
	return pkg
}

// options returns the options of this package.
func options(pkg *doc.Package) map[string]bool {
	names := map[string]bool{}
	for _, typ := range pkg.Types {
		for _, f := range typ.Funcs {
			if strings.HasPrefix(f.Name, "With") {
				names[f.Name] = true
			}
		}
	}
	return names
}

// variablesRead returns the environment variables that the code reads.
func variablesRead() map[string]bool {
	read := map[string]bool{"OTEL_SERVICE_NAME": true} // the SDK reads it into the resource
	for _, env := range []map[string]string{
		nil,
		{"OTEL_SDK_DISABLED": "true"},
		{"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_EXPORTER_OTLP_ENDPOINT": "https://collector"},
	} {
		_, _ = settings.Resolve(settings.Config{}, func(name string) string {
			read[name] = true
			return env[name]
		})
	}
	return read
}

// table returns the options and the variables in the table of the package comment. A variable with
// a * also exists for each signal.
func table(comment string) (opts, variables map[string]bool) {
	opts, variables = map[string]bool{}, map[string]bool{}
	variable := regexp.MustCompile(`(OTEL_[A-Z_]+)( +\*)?`)
	option := regexp.MustCompile(`\bWith[A-Za-z]+`)
	for line := range strings.Lines(comment) {
		if !strings.HasPrefix(line, "\t") || strings.Contains(line, "(") {
			continue // text, or code
		}
		for _, name := range option.FindAllString(line, -1) {
			opts[name] = true
		}
		for _, m := range variable.FindAllStringSubmatch(line, -1) {
			variables[m[1]] = true
			if suffix, ok := strings.CutPrefix(m[1], "OTEL_EXPORTER_OTLP_"); ok && m[2] != "" {
				variables["OTEL_EXPORTER_OTLP_METRICS_"+suffix] = true
				variables["OTEL_EXPORTER_OTLP_TRACES_"+suffix] = true
			}
		}
	}
	return opts, variables
}

// The table in the package comment has every option that exists and every variable that is read,
// and no others.
func TestSettingsAreDocumented(t *testing.T) {
	pkg := packageDoc(t)
	opts, variables := table(pkg.Doc)
	for _, tt := range []struct {
		what           string
		table, reality map[string]bool
	}{{"option", opts, options(pkg)}, {"variable", variables, variablesRead()}} {
		if len(tt.reality) < 10 {
			t.Fatalf("found only %d of kind %s", len(tt.reality), tt.what)
		}
		for _, name := range slices.Sorted(maps.Keys(tt.reality)) {
			if !tt.table[name] {
				t.Errorf("the table in the package comment lacks the %s %s", tt.what, name)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(tt.table)) {
			if !tt.reality[name] {
				t.Errorf("the table in the package comment has the %s %s, which does not exist", tt.what, name)
			}
		}
	}
}

// docs/configuration.md repeats no table, points to the package comment, and names only options and
// variables that exist.
func TestGuideFollowsTheTable(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "docs", "configuration.md"))
	if err != nil {
		t.Fatal(err)
	}
	guide := string(text)
	opts, variables := table(packageDoc(t).Doc)
	for _, name := range regexp.MustCompile(`\b(With[A-Z][A-Za-z]+|OTEL_[A-Z_]+[A-Z])\b`).FindAllString(guide, -1) {
		if !opts[name] && !variables[name] && name != "OTEL_SPAN" { // the SDK's OTEL_SPAN_*
			t.Errorf("%s does not exist", name)
		}
	}
	if regexp.MustCompile(`(?m)^\|.*\b(With[A-Z]|OTEL_)`).MatchString(guide) {
		t.Error("there is a second table of options or variables")
	}
	if !strings.Contains(guide, "pkg.go.dev/github.com/stagemeter/stagemeter/exporters") {
		t.Error("there is no link to the table")
	}
}
