package release

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/internal/testserver"
)

// readme returns the first program of README.md, which is the smallest that there is, and the lines of its
// page that README.md shows.
func readme(t *testing.T) (program string, page []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$").FindAllStringSubmatch(string(text), 2)
	if len(blocks) < 2 || blocks[0][1] != "go" || !strings.HasPrefix(blocks[0][2], "package main\n") {
		t.Fatal("README.md does not begin with a program and what comes of it")
	}
	for line := range strings.Lines(blocks[1][2]) {
		page = append(page, strings.TrimSpace(line))
	}
	return blocks[0][2], page
}

// A user's module, outside of this workspace, requires the modules as a release would tag them. README.md's first program
// builds there, runs, and has on its page what README.md shows. All packages of the modules build there, and what the docs run by its version runs.
func TestConsumer(t *testing.T) {
	modules := userModules(t)
	program, want := readme(t)
	// Versions are unpacked into the module cache, which never looks at one again: each run has its own, and takes it away.
	version := fmt.Sprintf("v0.1.0-test.%d", time.Now().UnixNano())
	cache := strings.TrimSpace(output(t, nil, "", "go", "env", "GOMODCACHE"))
	p := proxy{t.TempDir()}
	requires := ""
	for folder, m := range modules {
		if err := p.add(filepath.Join(root, folder), m.Module.Path, version); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { evict(cache, m.Module.Path, version) })
		requires += "require " + m.Module.Path + " " + version + "\n"
	}
	goSum, err := os.ReadFile(filepath.Join(root, "go.sum")) // instead of the checksum database, which has no module of this run
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.com/consumer\n\ngo 1.26.0\n\n" + requires, "go.sum": string(goSum), "main.go": program,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	fallback := strings.TrimSpace(output(t, nil, "", "go", "env", "GOPROXY"))
	env := []string{
		"GOWORK=off", "GOFLAGS=-mod=mod" + compilerFlags(), "GOPRIVATE=", "GONOPROXY=none", "GONOSUMDB=", "GOSUMDB=off",
		"GOPROXY=file://" + filepath.ToSlash(p.dir) + ",file://" + filepath.ToSlash(filepath.Join(cache, "cache", "download")) + "," + fallback,
	}
	output(t, env, dir, "go", "build", "-ldflags=-s -w", "-o", "consumer", ".")
	waitForPage(t, filepath.Join(dir, "consumer"), want)
	for _, m := range modules {
		packages := output(t, env, dir, "go", "list", "-f", `{{if ne .Name "main"}}{{.ImportPath}}{{end}}`, m.Module.Path+"/...")
		output(t, env, dir, "go", append([]string{"build"}, strings.Fields(packages)...)...)
	}
	rules := filepath.Join(dir, "rules")
	output(t, append(env, "GOFLAGS="+compilerFlags()), dir, "go", "run", rootModule+"/monitoring@"+version, "-out", rules)
	if _, err := os.Stat(filepath.Join(rules, "alerts.yml")); err != nil {
		t.Error(err)
	}
	if got := output(t, append(env, "GOFLAGS="), dir, "go", "run", rootModule+"/cmd/stagemeter@"+version, "version"); !strings.HasPrefix(got, "stagemeter "+version+" ") {
		t.Errorf("the command says that it is %q", got)
	}
}

// compilerFlags returns the flags of GOFLAGS for the compilation of every package, such as those of .ci/run. With other
// flags all that other tests have compiled would be compiled again.
func compilerFlags() (flags string) {
	for _, flag := range strings.Fields(os.Getenv("GOFLAGS")) {
		if strings.HasPrefix(flag, "-gcflags=all=") {
			flags += " " + flag
		}
	}
	return flags
}

// waitForPage runs a program that serves metrics until its page has these lines.
func waitForPage(t *testing.T, program string, lines []string) {
	t.Helper()
	addr := testserver.FreeAddr(t)
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), "OTEL_EXPORTER_PROMETHEUS_HOST=127.0.0.1", "OTEL_EXPORTER_PROMETHEUS_PORT="+port)
	testserver.Start(t, "the program of README.md", cmd).WaitReady(t, func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/metrics", nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		page := string(body)
		for _, line := range lines {
			if err == nil && !strings.Contains(page, "\n"+line+"\n") {
				err = fmt.Errorf("no line %s on the page:\n%s", line, page)
			}
		}
		return err
	})
}

// output runs a command in dir, with env over the test's own environment, and returns what it prints.
func output(t *testing.T, env []string, dir, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if strings.Contains(stderr.String(), "GOPROXY=off") {
			t.Fatalf("a module that the library requires is not in the module cache, and GOPROXY=off forbids to fetch it; "+
				"`go mod download` in the root fetches all:\n%s", stderr.String())
		}
		t.Fatalf("%s: %v\n%s%s", strings.Join(cmd.Args, " "), err, stdout.String(), stderr.String())
	}
	return stdout.String()
}

// evict takes a version out of the module cache, whose files are read-only.
func evict(cache, module, version string) {
	unpacked := filepath.Join(cache, filepath.FromSlash(module)+"@"+version)
	_ = filepath.WalkDir(unpacked, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			err = os.Chmod(path, 0o777)
		}
		return err
	})
	_ = os.RemoveAll(unpacked)
	downloads := filepath.Join(cache, "cache", "download", filepath.FromSlash(module), "@v")
	files, _ := filepath.Glob(filepath.Join(downloads, version+".*"))
	for _, file := range files {
		_ = os.Remove(file)
	}
	if others, _ := filepath.Glob(filepath.Join(downloads, "*.info")); len(others) == 0 {
		_ = os.Remove(filepath.Join(downloads, "list"))
	}
}
