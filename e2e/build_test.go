package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// root is the top of the repository, seen from this package.
const root = ".."

// built returns the path of a program in .cache/bin, after all programs there have been brought up to date.
func built(t *testing.T, program string) string {
	t.Helper()
	dir, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, program)
}

// withoutRace takes the race detector out of SQLite, as the Makefile does and for its reasons.
const withoutRace = "modernc.org/sqlite/lib=-race=false -dwarf=false"

// build builds, once per test run, the servers as their modules pin them, and into the folder race the examples and
// what `make stack` runs, with the race detector in them. What is up to date costs next to nothing.
var build = sync.OnceValues(func() (string, error) {
	dir, err := filepath.Abs(filepath.Join(root, ".cache", "bin"))
	if err != nil {
		return "", err
	}
	race := filepath.Join(dir, "race")
	for _, cmd := range []*exec.Cmd{
		exec.Command("scripts/servers.sh"),
		exec.Command("go", "build", "-race", "-gcflags="+withoutRace, "-buildvcs=false", "-o", race+"/", "./examples/...", "./e2e/stack"),
	} {
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%v: %w\n%s", cmd.Args, err, out)
		}
	}
	return dir, nil
})
