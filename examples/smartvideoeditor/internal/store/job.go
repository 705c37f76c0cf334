package store

import (
	"context"
	"fmt"
	"strings"
)

// Load returns the checkpoint of a job. A job that never began has the zero Checkpoint, without an
// error.
func (s *Store) Load(ctx context.Context, id string) (c Checkpoint, err error) {
	err = retry(ctx, func() (err error) { c, err = s.load(ctx, id); return err })
	if err == nil && c.Status != "" {
		c.Cost, err = s.cost(ctx, id, c.Cost)
	}
	if err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint: load: %w", err)
	}
	return c, nil
}

func (s *Store) load(ctx context.Context, id string) (c Checkpoint, err error) {
	err = s.db.query(ctx, selectJob, func(scan func(...any) error) error {
		return scan(&c.Status, &c.Output, (*int64)(&c.Cost))
	}, id)
	if err == nil {
		err = s.db.query(ctx, selectStages, func(scan func(...any) error) error {
			var stage Stage
			var result string
			if err := scan(&stage.Name, (*int64)(&stage.Took), &result); err != nil {
				return err
			}
			stage.Result = []byte(result)
			c.Stages = append(c.Stages, stage)
			return nil
		}, id)
	}
	return c, err
}

// Begin notes that a job is worked on, for the first time or again. Its stages and its cost stay.
func (s *Store) Begin(ctx context.Context, id, input string) error {
	return s.exec(ctx, "begin", beginJob, id, text(input))
}

// SaveStage notes that a stage is finished, in the place of an earlier result of it.
func (s *Store) SaveStage(ctx context.Context, id string, stage Stage) error {
	return s.exec(ctx, "save the stage "+stage.Name, saveStage, id, stage.Name, int64(stage.Took), string(stage.Result))
}

// An Outcome is how a job ended.
type Outcome struct {
	Status    Status
	Output    string
	ErrorType string
	Error     string
}

// Finish notes how a job ended, and what it has cost.
func (s *Store) Finish(ctx context.Context, id string, o Outcome) error {
	if _, err := s.SaveCost(ctx, id); err != nil {
		return err
	}
	return s.exec(ctx, "finish", finishJob, id, string(o.Status), text(o.Output), o.ErrorType, text(o.Error))
}

// exec runs a statement that may run twice: if the connection breaks, nobody knows whether the
// first one has.
func (s *Store) exec(ctx context.Context, what, query string, args ...any) error {
	if err := retry(ctx, func() error { return s.db.exec(ctx, query, args...) }); err != nil {
		return fmt.Errorf("checkpoint: %s: %w", what, err)
	}
	return nil
}

// text makes a path or a message valid text for PostgreSQL: UTF-8 without zero bytes.
func text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
