package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// newRoot returns a repository that holds the registry of testdata and no
// generated file.
func newRoot(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	if err := os.CopyFS(filepath.Join(root, registryDir), os.DirFS("testdata/registry")); err != nil {
		t.Fatal(err)
	}
	return root
}

func TestRunWritesWhatIsStale(t *testing.T) {
	root := newRoot(t)
	var out bytes.Buffer
	if err := run([]string{"-root", root}, &out); err != nil {
		t.Fatal(err)
	}
	want := "wrote semconv/attributes_gen.go\n" +
		"wrote semconv/names_gen.go\n" +
		"wrote internal/registry/metrics_gen.go\n" +
		"wrote internal/instruments/buckets_gen.go\n" +
		"wrote internal/instruments/constructors_gen_test.go\n" +
		"wrote internal/instruments/set_gen.go\n" +
		"wrote internal/instruments/frames_gen.go\n" +
		"wrote internal/instruments/memory_gen.go\n" +
		"wrote docs/metrics.md\n"
	if out.String() != want {
		t.Errorf("first run said:\n%swant:\n%s", out.String(), want)
	}

	out.Reset()
	if err := run([]string{"-root", root}, &out); err != nil {
		t.Fatal(err)
	}
	if out.String() != "" {
		t.Errorf("second run wrote again:\n%s", out.String())
	}
	if err := run([]string{"-root", root, "-check"}, io.Discard); err != nil {
		t.Errorf("check after a run: %v", err)
	}
}

func TestCheckNamesWhatIsStale(t *testing.T) {
	tests := []struct {
		reason string
		change func(root string) error
		want   string
	}{
		{
			reason: "a generated file was edited by hand",
			change: func(root string) error {
				return os.WriteFile(filepath.Join(root, "internal/instruments/frames_gen.go"), []byte("package instruments\n"), 0o644)
			},
			want: "internal/instruments/frames_gen.go",
		},
		{
			reason: "a generated file was deleted",
			change: func(root string) error { return os.Remove(filepath.Join(root, "docs/metrics.md")) },
			want:   "docs/metrics.md",
		},
		{
			reason: "a brief was edited",
			change: func(root string) error {
				return edit(filepath.Join(root, registryDir, "memory.yaml"), "frames in memory", "frames held")
			},
			want: "semconv/names_gen.go, internal/registry/metrics_gen.go, internal/instruments/memory_gen.go, docs/metrics.md",
		},
		{
			reason: "a file of the registry is gone, and its Go file is left over",
			change: func(root string) error { return os.Remove(filepath.Join(root, registryDir, "memory.yaml")) },
			want: "semconv/attributes_gen.go, semconv/names_gen.go, internal/registry/metrics_gen.go, " +
				"internal/instruments/constructors_gen_test.go, internal/instruments/set_gen.go, docs/metrics.md, " +
				"internal/instruments/memory_gen.go",
		},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			root := newRoot(t)
			if err := run([]string{"-root", root}, io.Discard); err != nil {
				t.Fatal(err)
			}
			if err := tt.change(root); err != nil {
				t.Fatal(err)
			}
			err := run([]string{"-root", root, "-check"}, io.Discard)
			if want := "stale, run make generate: " + tt.want; err == nil || err.Error() != want {
				t.Errorf("check says %v, want %s", err, want)
			}
			if err := run([]string{"-root", root}, io.Discard); err != nil {
				t.Fatal(err)
			}
			if err := run([]string{"-root", root, "-check"}, io.Discard); err != nil {
				t.Errorf("a run does not cure it: %v", err)
			}
		})
	}
}

func TestRunRefuses(t *testing.T) {
	tests := []struct {
		reason string
		args   []string
		want   string
	}{
		{"an argument would be ignored", []string{"jobs.yaml"}, `unexpected argument "jobs.yaml"`},
		{"a folder without a registry", []string{"-root", t.TempDir()}, "the registry holds no groups"},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			if err := run(tt.args, io.Discard); err == nil || err.Error() != tt.want {
				t.Errorf("run says %v, want %s", err, tt.want)
			}
		})
	}
}

// edit replaces the first old in a file, which has to be there.
func edit(path, old, new string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !strings.Contains(string(data), old) {
		return os.ErrNotExist
	}
	return os.WriteFile(path, []byte(strings.Replace(string(data), old, new, 1)), 0o644)
}
