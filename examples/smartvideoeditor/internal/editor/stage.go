package editor

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/stagemeter/stagemeter/instrument"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/store"
)

// A result of a stage. It is stored as JSON.
type result interface {
	// summary describes it for people.
	summary() string
	// lost returns why the result is no longer usable, such as a missing file, or nil if it is
	// usable.
	lost() error
}

// stage runs one stage, unless an earlier run of the job has finished it. A stage is finished when
// its result is stored: after a crash before that it is repeated, after a crash later it is not.
func stage[T result](ctx context.Context, r *run, name string, fn func(context.Context) (T, error)) (T, error) {
	var kept T
	if found, err := find(r.checkpoint, name, &kept); err == nil && found && kept.lost() == nil {
		r.screen.Finished(name, 0, "finished before: "+kept.summary())
		return kept, nil
	}
	var took time.Duration
	out, err := instrument.RunStageValue(ctx, name, func(ctx context.Context) (T, error) {
		start := time.Now()
		out, err := fn(ctx)
		if err != nil {
			return out, err
		}
		took = time.Since(start)
		return out, r.keep(ctx, name, took, out)
	})
	if err != nil {
		var none T // a failed stage has no result
		return none, fmt.Errorf("%s: %w", name, err)
	}
	r.screen.Finished(name, took, out.summary())
	return out, nil
}

// keep stores the result of a stage or of a part of one, even if the job has just been canceled: the
// work is done.
func (r *run) keep(ctx context.Context, name string, took time.Duration, out any) error {
	data, err := json.Marshal(out)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTimeout)
	defer cancel()
	done := store.Stage{Name: name, Took: took, Result: data}
	if err := r.Checkpoints.SaveStage(ctx, r.task.ID, done); err != nil {
		return err
	}
	r.checkpoint.Put(done)
	return nil
}

// find reads the stored result of a stage into into, and reports whether there is one.
func find(c store.Checkpoint, name string, into any) (bool, error) {
	saved, ok := c.Stage(name)
	if !ok {
		return false, nil
	}
	if err := json.Unmarshal(saved.Result, into); err != nil {
		return false, fmt.Errorf("the kept result of %s: %w", name, err)
	}
	return true, nil
}

// recall reads the stored result of a stage, if there is one.
func recall(c store.Checkpoint, name string, into any) error {
	_, err := find(c, name, into)
	return err
}

// count returns a number of things in words.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
