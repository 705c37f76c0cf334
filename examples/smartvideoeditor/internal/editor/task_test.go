package editor

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

func TestTasks(t *testing.T) {
	folder := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	first, same, other := write("first.mp4", "A"), write("Same Video's (copy) [2].mp4", "A"), write("other.mp4", "B")
	ids := func(copies int, out string, inputs ...string) []string {
		t.Helper()
		tasks, err := Tasks(t.Context(), inputs, copies, out)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, task := range tasks {
			ids = append(ids, task.ID)
		}
		return ids
	}

	before := ids(2, "out", first, other)
	if len(before) != 4 || before[0] == before[2] {
		t.Fatalf("ids are %q: each copy is a job", before)
	}
	if again := ids(1, "out", first); again[0] != before[0] {
		t.Errorf("%q became %q: the same video in the same folder is the same job, so that it is resumed", before[0], again[0])
	}
	if elsewhere := ids(1, "out2", first); elsewhere[0] == before[0] {
		t.Errorf("%q is a job of two folders: a fresh folder is a fresh start", before[0])
	}
	if twice := ids(1, "out", first, first); twice[0] == twice[1] {
		t.Errorf("a video that is given twice is one job %q", twice[0])
	}
	if changed := ids(1, "out", write("first.mp4", "changed")); changed[0] == before[0] {
		t.Errorf("%q is still the job of a video that was changed", before[0])
	}
	if copies := ids(1, "out", same, other); copies[0] == before[0] {
		t.Errorf("two files have one reel %q", copies[0])
	}
	for _, id := range ids(1, "out", same, filepath.Join(folder, "…🎬.mp4"), filepath.Join(folder, "-"), folder) {
		if !regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*-[0-9a-f]{10}-1$`).MatchString(id) {
			t.Errorf("id %q is not safe in a file name", id)
		}
	}
}

func TestTasksEndWithTheirContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "large.mp4")
	if err := os.WriteFile(path, []byte("large"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Tasks(ctx, []string{path}, 1, "out"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v: reading a large video must be interruptible", err)
	}
}
