package summary

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// WriteJSON writes the jobs to a file as a JSON array, in their order.
func WriteJSON(path string, jobs []Job) error {
	list := make([]Job, len(jobs)) // an empty array, never null; the same for each job's stages
	for i, job := range jobs {
		job.Stages = append([]Stage{}, job.Stages...)
		list[i] = job
	}
	data, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return fmt.Errorf("summary: %w", err)
	}
	return WriteFile(path, append(data, '\n'))
}

// WriteFile writes a file completely or not at all: a reader never sees a partial file. It follows
// a link, and writes directly to anything that is not a file, such as /dev/stdout.
func WriteFile(path string, data []byte) (err error) {
	if at, err := filepath.EvalSymlinks(path); err == nil {
		path = at
	}
	if stat, err := os.Stat(path); err == nil && !stat.Mode().IsRegular() {
		return os.WriteFile(path, data, 0)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(data)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
