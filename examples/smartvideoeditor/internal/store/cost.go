package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/budget"
)

// Ledger returns the ledger in the database, for instrument.WithLedger. It has the paid calls of
// all jobs, also those under way.
func (s *Store) Ledger() budget.Ledger { return s.ledger }

// SaveCost stores what a job has cost so far, over all its runs, and returns it. That is what the
// ledger has booked for it: what its calls have cost, and what calls may have cost whose program
// died.
func (s *Store) SaveCost(ctx context.Context, id string) (instrument.USD, error) {
	var kept instrument.USD
	err := retry(ctx, func() error {
		return s.db.query(ctx, selectCost, func(scan func(...any) error) error { return scan((*int64)(&kept)) }, id)
	})
	if err == nil {
		kept, err = s.cost(ctx, id, kept)
	}
	if err != nil {
		return 0, fmt.Errorf("checkpoint: save the cost: %w", err)
	}
	return kept, nil
}

// cost returns what the ledger has booked for a job, and stores it if something else is stored. If
// the ledger does not know the job, it is given what is stored: a job whose account was lost has
// spent its money all the same.
func (s *Store) cost(ctx context.Context, id string, kept instrument.USD) (instrument.USD, error) {
	bal, err := s.ledger.Balance(ctx, budget.Job, id)
	switch {
	case errors.Is(err, budget.ErrLost):
		return kept, s.restore(ctx, id, kept)
	case err != nil || bal.Spent == kept:
		return kept, err
	}
	return bal.Spent, s.exec(ctx, "save the cost", saveCost, id, int64(bal.Spent))
}

func (s *Store) restore(ctx context.Context, id string, spent instrument.USD) error {
	if spent == 0 {
		return nil
	}
	account, _, err := s.ledger.Open(ctx, budget.Scope{Kind: budget.Job, ID: id, Limit: instrument.Unlimited})
	if err != nil {
		return err
	}
	_, err = account.Settle(ctx, budget.Hold{ID: "earlier runs", Job: id}, spent)
	return errors.Join(err, account.Close(ctx, false))
}
