package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestVetIsComplete fails when a new version of Go brings an analyzer that lint does not run.
func TestVetIsComplete(t *testing.T) {
	out, err := exec.Command("go", "tool", "vet", "help").CombinedOutput()
	if err != nil {
		t.Fatalf("go tool vet help: %v\n%s", err, out)
	}
	_, list, _ := strings.Cut(string(out), "Registered analyzers:")
	list, _, _ = strings.Cut(list, "By default")
	var want, got []string
	for _, match := range regexp.MustCompile(`(?m)^ +(\w+) `).FindAllStringSubmatch(list, -1) {
		want = append(want, match[1])
	}
	for _, a := range vet {
		got = append(got, a.Name)
	}
	slices.Sort(want)
	slices.Sort(got)
	if len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("lint runs\n%q, go vet\n%q", got, want)
	}
}

// TestLintFindsMistakes lints a module made of the files in testdata, and compares the findings with the comments there.
func TestLintFindsMistakes(t *testing.T) {
	dir := t.TempDir()
	mod := strings.Replace(read(t, "../go.mod"), repository+"/tools", repository+"/broken", 1)
	write(t, filepath.Join(dir, "go.mod"), mod)
	write(t, filepath.Join(dir, "go.sum"), read(t, "../go.sum"))
	var want, got []string
	for _, name := range []string{"broken", "leftout"} {
		text := read(t, filepath.Join("testdata", name+".txt"))
		write(t, filepath.Join(dir, name+".go"), text)
		for i, line := range strings.Split(text, "\n") {
			_, checks, _ := strings.Cut(line, "// want ")
			for _, check := range strings.Fields(checks) {
				want = append(want, fmt.Sprintf("%s.go:%d %s", name, i+1, check))
			}
		}
	}

	lint := filepath.Join(dir, "lint")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", lint, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	cmd := exec.Command(lint, "./...")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Error("the exit status is 0")
	}
	for _, match := range regexp.MustCompile(`(?m)(\w+\.go):(\d+):.* \((\w+)\)$`).FindAllStringSubmatch(string(out), -1) {
		got = append(got, fmt.Sprintf("%s:%s %s", match[1], match[2], match[3]))
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("found\n\t%s\nwant\n\t%s\n%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"), out)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
