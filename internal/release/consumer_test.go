package release

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// consumer is the program of a user who has just read README.md. It prints its own page.
const consumer = `package main

import (
	"context"
	"io"
	"log"
	"net/http"
	"os"

	"github.com/stagemeter/stagemeter/exporters"
	"github.com/stagemeter/stagemeter/instrument"
)

func main() {
	ctx := context.Background()
	tel, err := exporters.Start(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer tel.Shutdown(ctx)
	p, err := instrument.New(instrument.WithMeterProvider(tel.MeterProvider()))
	if err != nil {
		log.Fatal(err)
	}
	instrument.SetDefault(p)

	ctx, stage := instrument.StartStage(ctx, "render")
	instrument.Spend(ctx, "whisper", instrument.Cent)
	stage.End(nil)

	resp, err := http.Get("http://" + tel.Addr().String() + "/metrics")
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(os.Stdout, resp.Body); err != nil {
		log.Fatal(err)
	}
}
`

// A user's module, outside of this workspace, requires the modules as a release would tag them; its program builds, runs,
// and has its metrics on its page. All packages of the modules build there, and what the docs run by its version runs.
func TestConsumer(t *testing.T) {
	modules := userModules(t)
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
		"go.mod": "module example.com/consumer\n\ngo 1.26.0\n\n" + requires, "go.sum": string(goSum), "main.go": consumer,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	fallback := strings.TrimSpace(output(t, nil, "", "go", "env", "GOPROXY"))
	env := []string{
		"GOWORK=off", "GOFLAGS=-mod=mod", "GOPRIVATE=", "GONOPROXY=none", "GONOSUMDB=", "GOSUMDB=off",
		"GOPROXY=file://" + filepath.ToSlash(p.dir) + ",file://" + filepath.ToSlash(filepath.Join(cache, "cache", "download")) + "," + fallback,
	}
	output(t, env, dir, "go", "build", "-ldflags=-s -w", "-o", "consumer", ".")
	page := output(t, append(env, "OTEL_EXPORTER_PROMETHEUS_HOST=127.0.0.1", "OTEL_EXPORTER_PROMETHEUS_PORT=0"), dir, "./consumer")
	for _, want := range []string{
		`video_processing_duration_seconds_count{stage="render"} 1`,
		`video_processing_cost_usd_total{api="whisper"} 0.01`,
	} {
		if !strings.Contains(page, "\n"+want+"\n") {
			t.Errorf("the page has no line\n%s\n%s", want, page)
		}
	}
	for _, m := range modules {
		packages := output(t, env, dir, "go", "list", "-f", `{{if ne .Name "main"}}{{.ImportPath}}{{end}}`, m.Module.Path+"/...")
		output(t, env, dir, "go", append([]string{"build"}, strings.Fields(packages)...)...)
	}
	rules := filepath.Join(dir, "rules")
	output(t, append(env, "GOFLAGS="), dir, "go", "run", rootModule+"/monitoring@"+version, "-out", rules)
	if _, err := os.Stat(filepath.Join(rules, "alerts.yml")); err != nil {
		t.Error(err)
	}
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
