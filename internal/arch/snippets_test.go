package arch

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// prelude declares what the pages take for granted: imports, and the types and functions of a
// reader's program.
const prelude = `package page

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/exporters"
	"github.com/stagemeter/stagemeter/exporters/livepage"
	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/aihttp"
	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/budget/sqlledger"
	"github.com/stagemeter/stagemeter/instrument/ffmpeg"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/instrument/money"
	"github.com/stagemeter/stagemeter/instrument/price"
	"github.com/stagemeter/stagemeter/semconv"
)

type (
	Segment    struct{}
	Transcript struct{ Duration time.Duration }
	service    struct{}
)

var (
	p          *instrument.Pipeline
	tel        *exporters.Telemetry
	id, video  string
	tenant     string
	order      string
	ledger     budget.Ledger
	db         *sql.DB
	audio      []byte
	length     time.Duration
	client     service
	segments   []Segment
	board      http.Handler

	meterProvider  metric.MeterProvider
	tracerProvider trace.TracerProvider
)

func (service) Transcribe(context.Context, []byte) (Transcript, error)
func validate(context.Context, string) (time.Duration, error)
func render(context.Context, string) error
func detect(context.Context, string) ([]Segment, error)
func detectSegments(context.Context) ([]Segment, error)
func work(context.Context) error
func priceOf(Transcript) instrument.USD
func transcribe(context.Context) (Transcript, error)
`

// All Go code on the pages compiles, with the declarations of prelude, and adds amounts by package money. A snippet may leave a
// variable or an import unused. The code of docs/migrating-from-python.md is in examples/migrating,
// whose tests compare them.
func TestSnippetsCompile(t *testing.T) {
	fset := token.NewFileSet()
	head, err := parser.ParseFile(fset, "prelude", prelude, 0)
	if err != nil {
		t.Fatal(err)
	}
	deps := importer.ForCompiler(fset, "gc", exportData(t, head.Imports))
	snippet := regexp.MustCompile("(?ms)^```go\n(.*?)^```$")
	shown := 0
	for _, page := range pages(t) {
		text, err := os.ReadFile(filepath.Join(root, page))
		if err != nil {
			t.Fatal(err)
		}
		blocks := snippet.FindAllStringSubmatch(string(text), -1)
		shown += len(blocks)
		code := prelude
		for _, block := range blocks {
			part := strings.ReplaceAll(block[1], "…", "return nil")
			switch {
			case strings.HasPrefix(part, "package "): // a whole program
				if err := compile(fset, deps, part); err != nil {
					t.Errorf("%s: %v", page, err)
				}
				continue
			case !strings.HasPrefix(part, "func "): // in a function; a block, so that it may declare an err of its own
				part = "func _(ctx context.Context) (err error) {\n{\n" + part + "}\nreturn nil\n}\n"
			}
			code += part
		}
		if err := compile(fset, deps, code); err != nil {
			t.Errorf("%s: %v", page, err)
		}
	}
	if shown < 10 {
		t.Errorf("the pages show only %d snippets", shown)
	}
	if err := compile(fset, deps, prelude+"func _() { p.NoSuchMethod() }"); err == nil {
		t.Error("a snippet that calls what does not exist compiles")
	}
	if err := compile(fset, deps, prelude+"func _(a, b money.USD) { _ = a + b }"); err == nil {
		t.Error("a snippet may add amounts by +")
	}
}

// pages returns the pages of the repository, by their paths from its root.
func pages(t *testing.T) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "node_modules"):
			return fs.SkipDir
		case filepath.Ext(path) != ".md":
			return nil
		}
		name, err := filepath.Rel(root, path)
		found = append(found, filepath.ToSlash(name))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// compile checks a file's types. The errors give the text of their lines.
func compile(fset *token.FileSet, deps types.Importer, code string) error {
	file, err := parser.ParseFile(fset, "snippet", code, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	var all error
	conf := types.Config{Importer: deps, Error: func(err error) {
		if typed := (types.Error{}); !errors.As(err, &typed) || !typed.Soft {
			line := strings.Split(code, "\n")[fset.Position(typed.Pos).Line-1]
			all = errors.Join(all, fmt.Errorf("%s: %q", typed.Msg, strings.TrimSpace(line)))
		}
	}}
	info := newTypeInfo()
	_, _ = conf.Check("page", fset, []*ast.File{file}, info) // every error came to Error
	for _, problem := range make(amountFinder).arithmetic(fset, "page", []*ast.File{file}, info) {
		all = errors.Join(all, errors.New(problem))
	}
	return all
}

// exportData returns the compiler's export data of the imported packages, and of all that they import.
func exportData(t *testing.T, imports []*ast.ImportSpec) importer.Lookup {
	t.Helper()
	args := []string{"list", "-export", "-deps", "-json=ImportPath,Export"}
	for _, spec := range imports {
		args = append(args, strings.Trim(spec.Path.Value, `"`))
	}
	list := exec.Command("go", args...)
	list.Dir, list.Stderr = root, os.Stderr
	out, err := list.Output()
	if err != nil {
		t.Fatalf("%v: %v", list.Args, err)
	}
	files := make(map[string]string)
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var pkg struct{ ImportPath, Export string }
		if err := dec.Decode(&pkg); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		files[pkg.ImportPath] = pkg.Export
	}
	return func(path string) (io.ReadCloser, error) {
		if files[path] == "" {
			return nil, fmt.Errorf("no package %s", path)
		}
		return os.Open(files[path])
	}
}
