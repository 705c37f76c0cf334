package arch

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
)

// root is the top of the repository, seen from this package.
const root = "../.."

// module is the path of the root module; those of examples and e2e begin with it too.
const module = "github.com/stagemeter/stagemeter"

// A pkg is a package as `go list` describes it. Imports are those of its non-test files.
type pkg struct {
	ImportPath string
	Name       string
	Doc        string
	Standard   bool
	Imports    []string
}

// ours reports whether the package is part of this repository.
func (p pkg) ours() bool {
	return p.ImportPath == module || strings.HasPrefix(p.ImportPath, module+"/")
}

// short returns the import path inside the repository: "instrument/ffmpeg".
func (p pkg) short() string { return strings.TrimPrefix(p.ImportPath, module+"/") }

// packages returns every package of the workspace and all that they import, by import path. It asks
// `go list` once per test run.
func packages(t *testing.T) map[string]pkg {
	t.Helper()
	all, err := listPackages()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var listPackages = sync.OnceValues(func() (map[string]pkg, error) {
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Name,Doc,Standard,Imports", "./...", "./bench/...", "./cmd/stagemeter/...", "./examples/...", "./examples/aicosts/...", "./e2e/...")
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, errors.New("go list: " + err.Error() + "\n" + stderr.String())
	}
	all := make(map[string]pkg)
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		switch err := dec.Decode(&p); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, err
		}
		all[p.ImportPath] = p
	}
})

// ownPackages returns the packages of this repository, sorted by import path.
func ownPackages(t *testing.T) []pkg {
	t.Helper()
	var own []pkg
	for _, p := range packages(t) {
		if p.ours() {
			own = append(own, p)
		}
	}
	slices.SortFunc(own, func(a, b pkg) int { return strings.Compare(a.ImportPath, b.ImportPath) })
	return own
}

// reached maps every non-standard package that from imports, directly or not, to the chain of imports
// that leads there. The chain includes both ends.
func reached(all map[string]pkg, from string) map[string][]string {
	chains := map[string][]string{from: {from}}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		for _, next := range all[queue[0]].Imports {
			if _, seen := chains[next]; seen || all[next].Standard || all[next].ImportPath == "" {
				continue
			}
			chains[next] = append(slices.Clone(chains[queue[0]]), next)
			queue = append(queue, next)
		}
	}
	delete(chains, from)
	return chains
}
