package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/stagemeter/stagemeter/instrument"
)

// StageTimes returns how long stages took in earlier runs of the program, as [Store.SaveStageTimes]
// stored them, for instrument.WithStageTimes. It returns nil if nothing is stored, and an error if
// the record cannot be read.
func (s *Store) StageTimes(ctx context.Context) ([]instrument.StageTimes, error) {
	kept := ""
	err := retry(ctx, func() error {
		return s.db.query(ctx, selectUsual, func(scan func(...any) error) error { return scan(&kept) })
	})
	if err != nil || kept == "" {
		return nil, wrapped(err)
	}
	var times []instrument.StageTimes
	if err := json.Unmarshal([]byte(kept), &times); err != nil {
		return nil, wrapped(err)
	}
	return times, nil
}

// SaveStageTimes stores how long stages took, and replaces the record before. Without times it
// changes nothing, so that a program that has run no stage keeps the record of earlier ones.
func (s *Store) SaveStageTimes(ctx context.Context, times []instrument.StageTimes) error {
	if len(times) == 0 {
		return nil
	}
	text, err := json.Marshal(times)
	if err != nil {
		return wrapped(err)
	}
	return wrapped(retry(ctx, func() error { return s.db.exec(ctx, saveUsual, string(text)) }))
}

func wrapped(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("times of earlier stages: %w", err)
}
