//go:build linux || darwin

package arch

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A metric is a row in the registry and one command. The test adds rows of each kind to the registry of
// a copy of the repository, and generates. Everything builds and passes, with nothing written by hand.
func TestMetricIsOneRowAndOneCommand(t *testing.T) {
	tree := copyTree(t)
	rows := everyKind()
	appendTo(t, filepath.Join(tree, "semconv/registry/jobs.yaml"), rows[0])
	appendTo(t, filepath.Join(tree, "semconv/registry/attributes.yaml"), newAttribute)
	appendTo(t, filepath.Join(tree, "semconv/registry/every_kind.yaml"), "groups:\n"+strings.Join(rows[1:], ""))

	inTree(t, tree, "generate", "./...")
	inTree(t, tree, "vet", "./semconv/...", "./internal/...", "./instrument/...", "./exporters/...", "./monitoring/...")
	inTree(t, tree, "test", "-vet=off", "./semconv", "./internal/gen", "./internal/registry", "./internal/instruments",
		"./monitoring", "./monitoring/internal/dashboards")

	for file, what := range map[string]string{
		"docs/metrics.md":                        "video_processing_every_grown_int_plain_total",
		"docs/dashboards/overview.json":          "video_processing_every_grown_int_plain_total{",
		"semconv/names_gen.go":                   "EverySpreadDoubleClosedName",
		"semconv/attributes_gen.go":              "EveryValueSecond",
		"internal/registry/metrics_gen.go":       "semconv.EveryHeldDoubleOpenName",
		"internal/instruments/set_gen.go":        "NewEverySeenIntOpenObserved,",
		"internal/instruments/jobs_gen.go":       "EveryGrownIntPlain",
		"internal/instruments/every_kind_gen.go": "NewEveryGrownIntExported",
	} {
		content, err := os.ReadFile(filepath.Join(tree, file))
		if err != nil || !strings.Contains(string(content), what) {
			t.Errorf("%s does not have %q: %v", file, what, err)
		}
	}
}

// newAttribute is an attribute with a closed set of values, which has a Go type of its own.
const newAttribute = `
  - id: registry.every
    type: attribute_group
    brief: An attribute of the rows that a test adds.
    attributes:
      - id: every.value
        type:
          members:
            - {id: first, value: first, stability: development, brief: The first value.}
            - {id: second, value: second, stability: development, brief: The second value.}
        stability: development
        brief: A closed set of values.
        annotations: {stagemeter: {go_type: EveryValue}}
`

// everyKind returns a row for each instrument: with integers and floats, recorded and observed, by a
// pipeline and by package exporters, without attributes, with an open and with a closed set of values.
func everyKind() []string {
	attributes := map[string]string{
		"open":   "    attributes:\n      - {ref: stage, requirement_level: required}\n      - {ref: job_id, requirement_level: opt_in}\n",
		"closed": "    attributes:\n      - {ref: every.value, requirement_level: required}\n      - {ref: api, requirement_level: required}\n",
		"known":  "    attributes:\n      - {ref: every.value, requirement_level: required}\n",
		"job":    "    attributes:\n      - {ref: job_id, requirement_level: required}\n",
	}
	var rows []string
	for _, instrument := range []string{"counter", "updowncounter", "gauge", "histogram"} {
		for _, value := range []string{"int", "double"} {
			for _, attrs := range []string{"plain", "open", "closed", "known", "job"} {
				for _, observed := range []bool{false, true} {
					if observed && instrument == "histogram" {
						continue // there is none
					}
					rows = append(rows, row(instrument, value, attrs, observed, "Job.End")+attributes[attrs])
				}
			}
		}
	}
	return append(rows, row("counter", "int", "exported", false, "exporters.Start")+attributes["open"])
}

func row(instrument, value, attrs string, observed bool, recordedBy string) string {
	// promlint refuses a name that contains a kind of instrument.
	kind := map[string]string{"counter": "grown", "updowncounter": "held", "gauge": "seen", "histogram": "spread"}[instrument]
	name := fmt.Sprintf("every_%s_%s_%s", kind, value, attrs)
	if observed {
		name += "_observed"
	}
	prometheus, buckets := "video_processing_"+name, ""
	switch instrument {
	case "counter":
		prometheus += "_total"
	case "histogram":
		buckets = "\n        buckets: duration"
	}
	return fmt.Sprintf(`
  - id: metric.video.processing.%[1]s
    type: metric
    metric_name: video.processing.%[1]s
    instrument: %[2]s
    unit: "{thing}"
    stability: development
    brief: Number of things in %[1]s.
    annotations:
      stagemeter:
        prometheus: %[3]s
        value: %[4]s
        async: %[5]v%[6]s
        recorded_by: [%[7]s]
`, name, instrument, prometheus, value, observed, buckets, recordedBy)
}

// copyTree copies the root module. Of the other modules of the workspace it copies only go.mod and
// go.sum: the same workspace selects the same versions, so their builds are reused.
//
// The copy is always at the same path, because the go command caches builds by the path of the source.
// Other runs of this test wait.
func copyTree(t *testing.T) string {
	t.Helper()
	cache, err := filepath.Abs(filepath.Join(root, ".cache"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		t.Fatal(err)
	}
	tree := filepath.Join(cache, "row")
	lock, err := os.Create(tree + ".lock")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lock.Close() })
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(tree); err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(tree, name), 0o755)
		case !d.Type().IsRegular() || otherModule(name) && d.Name() != "go.mod" && d.Name() != "go.sum":
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(tree, name), content, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// otherModule reports whether a file is part of a module below the root module.
func otherModule(name string) bool {
	for dir := filepath.Dir(name); dir != "."; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(root, dir, "go.mod")); err == nil {
			return true
		}
	}
	return false
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(content, text...), 0o644); err != nil {
		t.Fatal(err)
	}
}

// inTree runs the go command in a copy of the repository, in the workspace of that copy.
func inTree(t *testing.T, tree string, args ...string) {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = tree
	cmd.Env = append(os.Environ(), "PWD="+tree, "GOWORK="+filepath.Join(tree, "go.work"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}
