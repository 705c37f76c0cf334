package instrument_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// A pipeline that was made without details keeps them from the jobs on that start later.
func TestKeepHistory(t *testing.T) {
	p, _ := instrumenttest.New(t, instrument.WithStages("analysis"))
	run := func(id string) {
		_ = p.RunJob(t.Context(), id, func(ctx context.Context) error {
			return instrument.RunStage(ctx, "analysis", func(context.Context) error { return nil })
		})
	}
	if at := p.Snapshot(instrument.Query{}).Forgotten; !at.IsZero() {
		t.Errorf("no job has run, and one is forgotten at %v", at)
	}
	before := time.Now()
	run("a")
	p.KeepHistory(2)
	if at := p.Snapshot(instrument.Query{}).Forgotten; at.Before(before) {
		t.Errorf("what ended before is forgotten at %v", at)
	}
	for _, id := range []string{"b", "c", "d"} {
		run(id)
	}
	p.KeepHistory(3)
	run("e")
	p.KeepHistory(1)
	run("f")
	s := p.Snapshot(instrument.Query{})
	var ids []string
	for _, j := range s.Ended {
		ids = append(ids, j.ID)
		if len(j.Stages) != 1 {
			t.Errorf("%s has %d stages", j.ID, len(j.Stages))
		}
	}
	if !slices.Equal(ids, []string{"f", "e", "d"}) {
		t.Fatalf("%q are kept, want the last three", ids)
	}
	if at, oldest := s.Forgotten, s.Ended[2]; at.After(oldest.End) || at.Before(before) {
		t.Errorf("the newest that is forgotten ended at %v, the oldest that is kept at %v", at, oldest.End)
	}
}

// A snapshot has the figures of APIs since the beginning, and of stages and pools.
func TestSnapshotOfAPIsAndPools(t *testing.T) {
	p, _ := instrumenttest.New(t, instrument.WithStages("rendering", "analysis"), instrument.WithAPIs("unused"))
	_, err := p.ObservePool(instrument.PoolRedis, "cache", func() instrument.PoolStats { return instrument.PoolStats{Used: 1, Idle: 2} })
	if err != nil {
		t.Fatal(err)
	}
	ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(instrument.Dollar))
	_, stage := instrument.StartStage(ctx, "extra")
	stage.End(nil)
	_ = instrument.RunCall(ctx, "whisper", func(ctx context.Context) error {
		instrument.CallFromContext(ctx).SetCost(instrument.Cent)
		return nil
	})
	failure := errors.New("no")
	_, failed, _ := instrument.StartCall(ctx, "gpt")
	failed.SetUnpriced("model")
	failed.End(&failure)
	_, _, _ = instrument.StartCall(ctx, "gpt", instrument.WithMaxCost(2*instrument.Dollar))
	_, open, _ := instrument.StartCall(ctx, "whisper")
	job.End(nil)
	s := p.Snapshot(instrument.Query{})
	want := []instrument.APIState{
		{API: "whisper", InProgress: 1, Calls: 1, Cost: instrument.Cent, Priced: true},
		{API: "gpt", Calls: 1, Errors: 1, Refused: 1, Unpriced: 1},
	}
	if !slices.Equal(s.APIs, want) {
		t.Errorf("%+v, want %+v", s.APIs, want)
	}
	if !slices.Equal(s.Stages, []string{"rendering", "analysis", "extra"}) {
		t.Errorf("stages %q", s.Stages)
	}
	if !slices.Equal(s.Pools, []instrument.PoolState{{Kind: instrument.PoolRedis, Name: "cache", Used: 1, Idle: 2}}) {
		t.Errorf("pools %+v", s.Pools)
	}
	open.End(nil)
}

// Jobs that share an account have its name, since its figures are those of all of them.
func TestSnapshotNamesAccounts(t *testing.T) {
	p, _ := instrumenttest.New(t)
	order := []instrument.JobOption{instrument.WithBudget(dollar), instrument.WithAccount("order-1\x00")}
	ctx, first := p.StartJob(t.Context(), "job-1", order...)
	defer first.End(nil)
	_, second := p.StartJob(t.Context(), "job-2", order...)
	defer second.End(nil)
	_, third := p.StartJob(t.Context(), "", instrument.WithBudget(dollar))
	defer third.End(nil)
	instrument.Spend(ctx, "gpu", cent)
	s := p.Snapshot(instrument.Query{})
	shared, other := *s.Live[0].Budget, *s.Live[2].Budget
	if shared != *s.Live[1].Budget || shared.Spent != cent || shared.Account == "order-1\x00" || shared.Account == "" {
		t.Errorf("budgets %+v and %+v, want one account, shown as ids are", shared, *s.Live[1].Budget)
	}
	if other.Account != s.Live[2].ID {
		t.Errorf("account %q of job %q", other.Account, s.Live[2].ID)
	}
}
