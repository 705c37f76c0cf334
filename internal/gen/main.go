// Command gen writes the Go code and the reference page that follow from the
// registry of metrics.
//
// Usage, from the root of the repository:
//
//	go run ./internal/gen          # write what is stale
//	go run ./internal/gen -check   # write nothing, fail if something is stale
//
// It writes the names, attributes and values of package semconv, the descriptions
// of internal/registry, the constructors and the set of internal/instruments, and
// docs/metrics.md.
//
// The registry, semconv/registry/*.yaml, has the shape of OpenTelemetry
// Weaver's registries (schema version 1). What Weaver does not know, such as
// bucket boundaries and Prometheus names, stands under
// annotations.stagemeter.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Where things are, from the root of the repository.
const (
	registryDir     = "semconv/registry"
	semconvDir      = "semconv"
	registryGoDir   = "internal/registry"
	instrumentsDir  = "internal/instruments"
	generatedSuffix = "_gen.go"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "gen:", err)
		}
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("gen", flag.ContinueOnError)
	root := flags.String("root", ".", "root `folder` of the repository")
	check := flags.Bool("check", false, "write nothing and fail if a generated file is stale")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}

	files, err := generate(os.DirFS(filepath.Join(*root, registryDir)))
	if err != nil {
		return err
	}
	stale, err := staleFiles(*root, files)
	if err != nil {
		return err
	}
	if *check {
		if len(stale) > 0 {
			return fmt.Errorf("stale, run make generate: %s", strings.Join(stale, ", "))
		}
		return nil
	}
	for _, name := range stale {
		path := filepath.Join(*root, name)
		data, ok := contents(files, name)
		if !ok {
			if err := os.Remove(path); err != nil {
				return err
			}
			fmt.Fprintln(out, "removed", name)
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			return err
		}
		fmt.Fprintln(out, "wrote", name)
	}
	return nil
}

// file is one generated file; its name is relative to the root.
type file struct {
	name string
	data []byte
}

// generate returns all files that follow from the registry in fsys.
func generate(fsys fs.FS) ([]file, error) {
	groups, err := load(fsys)
	if err != nil {
		return nil, err
	}
	reg, err := resolve(groups)
	if err != nil {
		return nil, err
	}
	files, err := goFiles(reg)
	if err != nil {
		return nil, err
	}
	page, err := markdown(reg)
	if err != nil {
		return nil, err
	}
	return append(files, page), nil
}

// staleFiles returns the names of the files that under root are missing, have
// other contents, or are left over from a registry file that is gone.
func staleFiles(root string, files []file) ([]string, error) {
	var stale []string
	for _, f := range files {
		have, err := os.ReadFile(filepath.Join(root, f.name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			stale = append(stale, f.name)
		case err != nil:
			return nil, err
		case !bytes.Equal(have, f.data):
			stale = append(stale, f.name)
		}
	}
	for _, dir := range []string{semconvDir, registryGoDir, instrumentsDir} {
		for _, pattern := range []string{"/*_gen.go", "/*_gen_test.go"} {
			present, err := fs.Glob(os.DirFS(root), dir+pattern)
			if err != nil {
				return nil, err
			}
			for _, name := range present {
				if _, ok := contents(files, name); !ok {
					stale = append(stale, name)
				}
			}
		}
	}
	return stale, nil
}

// contents returns what the file with a name should hold, and whether there
// should be one.
func contents(files []file, name string) ([]byte, bool) {
	for _, f := range files {
		if f.name == name {
			return f.data, true
		}
	}
	return nil, false
}
