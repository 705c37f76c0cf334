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

// built is the path of a program in .cache/bin, after everything there has been brought up to date.
func built(t *testing.T, program string) string {
	t.Helper()
	dir, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, program)
}

// build builds, once per test run, the servers as their modules pin them, and the examples with the race
// detector in them. Go itself sees what is up to date.
var build = sync.OnceValues(func() (string, error) {
	dir, err := filepath.Abs(filepath.Join(root, ".cache", "bin"))
	if err != nil {
		return "", err
	}
	race := filepath.Join(dir, "race")
	for _, cmd := range []*exec.Cmd{
		exec.Command("scripts/servers.sh"),
		exec.Command("go", "build", "-C", "examples", "-race", "-buildvcs=false", "-o", race+"/", "./..."),
	} {
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%v: %w\n%s", cmd.Args, err, out)
		}
	}
	return dir, nil
})
