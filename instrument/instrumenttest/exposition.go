package instrumenttest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Exposition returns what Prometheus scrapes, in its text format: the metrics with these Prometheus
// or OpenTelemetry names, or all. A metric that has no series has no lines. The test ends if an
// instrument of the program's own cannot be shown: for example, two become one series, or an
// attribute is not UTF-8.
func (r *Recorder) Exposition(names ...string) string {
	r.t.Helper()
	for i, name := range names {
		m, err := lookup(name)
		if err != nil {
			r.t.Fatalf("instrumenttest: Exposition: %v", err)
		}
		if i == 0 {
			names = slices.Clone(names)
		}
		names[i] = m.Prometheus
	}
	families, err := textFamilies(r.collect())
	if err != nil {
		r.t.Fatalf("instrumenttest: Exposition: %v", err)
	}
	var b strings.Builder
	for _, f := range families {
		if len(names) == 0 || slices.Contains(names, f.name) {
			f.writeTo(&b)
		}
	}
	return b.String()
}

// Golden compares [Recorder.Exposition] with the file of this name in testdata. If they differ, the
// test fails and shows the lines. With UPDATE_GOLDEN=1 in the environment Golden writes the file
// instead:
//
//	UPDATE_GOLDEN=1 go test ./...
func (r *Recorder) Golden(file string, names ...string) {
	r.t.Helper()
	got := r.Exposition(names...)
	path := filepath.Join("testdata", file)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			r.t.Fatalf("instrumenttest: Golden: %v", err)
		}
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			r.t.Fatalf("instrumenttest: Golden: %v", err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		r.t.Fatalf("instrumenttest: Golden: %v; UPDATE_GOLDEN=1 writes it", err)
	}
	if d := diff(string(want), got); d != "" {
		r.t.Errorf("instrumenttest: %s (-want +got), UPDATE_GOLDEN=1 writes it anew:\n%s", path, d)
	}
}
