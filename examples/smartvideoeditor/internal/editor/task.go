package editor

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// A Task is one video to edit.
type Task struct {
	// ID names the job. It follows from the name and content of the video, the folder of the reels,
	// and the number of earlier tasks of the same video. So the same command finds its jobs again
	// and continues them, while another folder, or a changed video, is another job.
	ID    string
	Input string // as the user gave it
	Path  string // absolute
	Hash  string // of the content, "" if it cannot be read
}

// layout is part of each ID: it changes when the stages' results do, so that no job goes on from
// results of a kind that it can't read.
const layout = "2"

// Tasks makes the tasks of the inputs, all of them once, then all of them again, copies times, with
// out as the folder of the reels. An input that cannot be read is a task as well: it fails in
// validation, which counts and reports it.
func Tasks(ctx context.Context, inputs []string, copies int, out string) ([]Task, error) {
	out, err := filepath.Abs(out)
	if err != nil {
		return nil, err
	}
	tasks := make([]Task, 0, len(inputs))
	for _, input := range inputs {
		path, err := filepath.Abs(input)
		if err != nil {
			return nil, err
		}
		hash, err := contentHash(ctx, path)
		if err != nil {
			return nil, err
		}
		what := cmp.Or(hash, path) // a video that was moved and kept its name is the same job
		identity := sha256.Sum256([]byte(strings.Join([]string{layout, what, out}, "\x00")))
		tasks = append(tasks, Task{
			ID:    slug(path) + "-" + hex.EncodeToString(identity[:5]),
			Input: input,
			Path:  path,
			Hash:  hash,
		})
	}
	all := make([]Task, 0, copies*len(tasks))
	count := make(map[string]int)
	for range copies {
		for _, task := range tasks {
			count[task.ID]++
			task.ID = fmt.Sprintf("%s-%d", task.ID, count[task.ID])
			all = append(all, task)
		}
	}
	return all, nil
}

// slug makes of a file's name a short word that is safe in any file name and on any terminal.
func slug(path string) string {
	name := strings.ToLower(strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)))
	var b strings.Builder
	for _, r := range name {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() == 24 {
			break
		}
	}
	if word := strings.Trim(b.String(), "-"); word != "" {
		return word
	}
	return "video"
}

// contentHash returns the SHA-256 of a file, or "" if path is not a file or cannot be read. The
// error is that of ctx.
func contentHash(ctx context.Context, path string) (string, error) {
	if stat, err := os.Stat(path); err != nil || !stat.Mode().IsRegular() {
		return "", nil
	}
	f, err := os.Open(path)
	if err != nil {
		return "", nil
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, readerFunc(func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return f.Read(p)
	})); err != nil {
		return "", ctx.Err()
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
