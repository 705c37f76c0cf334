package remote_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/internal/remote"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// A ledger that ignores its context must not hold up a job.
func TestOperationsAreBoundedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		var k *kit
		var a *remote.Account
		for _, tt := range []struct {
			name string
			want time.Duration
			ask  func() error
		}{
			{"reserve", 100 * time.Millisecond, func() error { _, _, err := a.Reserve(t.Context(), hold("a"), true); return err }},
			{"release", 100 * time.Millisecond, func() error { _, err := a.Release(t.Context(), hold("b"), nil, ignore); return err }},
			{"settle", 2 * time.Second, func() error { _, err := a.Settle(t.Context(), hold("c"), 1, ignore); return err }},
			{"open", 100 * time.Millisecond, func() error {
				_, err := k.Open(t.Context(), ignore, budget.Scope{Kind: budget.Job, ID: "job-2"})
				return err
			}},
			{"forget", 2 * time.Second, func() error { return k.Forget(t.Context(), budget.Job, "job-1") }},
		} {
			k = newKit()
			a = k.open(t)
			k.fake.set(func(context.Context, string) error { <-hang; return nil })
			defer func(k *kit) { _ = k.Close(t.Context()) }(k)
			start := time.Now()
			err := tt.ask()
			if took := time.Since(start); !errors.Is(err, budget.ErrUnavailable) || took != tt.want {
				t.Errorf("%s gave %v after %s, want ErrUnavailable after %s", tt.name, err, took, tt.want)
			}
		}
		close(hang)
		synctest.Wait()
	})
}

// What is left behind is bounded: beyond it nothing more is asked, and nobody waits.
func TestOperationsLeftBehindAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKit()
		hang := make(chan struct{})
		k.fake.set(func(context.Context, string) error { <-hang; return nil })
		var wg sync.WaitGroup
		const most = 256
		for range most + 10 {
			wg.Go(func() { _ = k.Forget(t.Context(), budget.Job, "job-1") })
		}
		wg.Wait()
		if n := len(k.fake.ops()); n != most {
			t.Errorf("%d operations were begun, want %d", n, most)
		}
		start := time.Now()
		if err := k.Forget(t.Context(), budget.Job, "job-1"); !errors.Is(err, budget.ErrUnavailable) || time.Since(start) != 0 {
			t.Errorf("one more gave %v after %s, want ErrUnavailable at once", err, time.Since(start))
		}
		close(hang)
		synctest.Wait()
		if err := k.Forget(t.Context(), budget.Job, "job-1"); err != nil {
			t.Errorf("once they have returned: %v", err)
		}
	})
}

func TestLedgerThatKeepsFailingIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKit()
		a := k.open(t)
		k.fake.set(away)
		reserve := func() error { _, _, err := a.Reserve(t.Context(), hold("a"), true); return err }
		k.fake.ops()
		for range 20 {
			if err := reserve(); !errors.Is(err, budget.ErrUnavailable) {
				t.Fatalf("%v, want ErrUnavailable", err)
			}
		}
		if n := len(k.fake.ops()); n != 5 {
			t.Errorf("it was asked %d times, want 5", n)
		}
		if n := k.count(remote.Reserve); n != 20 {
			t.Errorf("%d failures counted, want 20", n)
		}
		if err := reserve(); !remote.Unasked(err) {
			t.Errorf("%v, want an error that says that nobody was asked", err)
		}

		// After the pause one is let through, however many there are.
		time.Sleep(time.Second)
		answer := make(chan error)
		k.fake.set(func(ctx context.Context, _ string) error {
			select {
			case err := <-answer:
				return err
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		probe := make(chan error)
		go func() { probe <- reserve() }()
		synctest.Wait()
		for range 10 {
			if err := reserve(); !remote.Unasked(err) {
				t.Errorf("beside the probe: %v", err)
			}
		}
		answer <- errStore
		if err := <-probe; !errors.Is(err, errStore) {
			t.Errorf("the probe gave %v", err)
		}
		if err := reserve(); !remote.Unasked(err) {
			t.Errorf("after a probe that failed: %v", err)
		}
		if n := len(k.fake.ops()); n != 1 {
			t.Errorf("%d were let through, want 1", n)
		}

		time.Sleep(time.Second)
		k.fake.set(nil)
		for range 10 {
			if err := reserve(); err != nil {
				t.Errorf("after a probe that succeeded: %v", err)
			}
		}
	})
}

// A ledger that answers works, also if the answer is no; and a caller that gave up says nothing about it.
func TestRefusalsAndCanceledCallersDoNotCountAsFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKit()
		a := k.open(t)
		for _, answer := range []error{budget.ErrExceeded, budget.ErrLost, budget.ErrConflict, budget.ErrInvalid} {
			k.fake.set(func(context.Context, string) error { return fmt.Errorf("no: %w", answer) })
			for range 20 {
				if _, _, err := a.Reserve(t.Context(), hold("a"), true); !errors.Is(err, answer) {
					t.Fatalf("%v, want %v", err, answer)
				}
			}
		}
		if n := k.count(remote.Reserve); n != 60 {
			t.Errorf("%d failures counted, want those of three errors of four: a refusal is none", n)
		}
		k.fake.set(func(ctx context.Context, _ string) error { return ctx.Err() })
		canceled, cancel := context.WithCancel(t.Context())
		cancel()
		for range 20 {
			if _, _, err := a.Reserve(canceled, hold("a"), true); remote.Unasked(err) || !errors.Is(err, context.Canceled) {
				t.Fatalf("%v, want one of the ledger", err)
			}
		}
		if n := k.count(remote.Reserve); n != 60 {
			t.Errorf("%d failures counted, want still 60: that a caller gave up is none", n)
		}
	})
}

// The ledger is the user's code.
func TestLedgerThatPanicsOrEndsItsGoroutine(t *testing.T) {
	k := newKit()
	a := k.open(t)
	for want, how := range map[string]func(context.Context, string) error{
		"it panicked: boom":      func(context.Context, string) error { panic("boom") },
		"it ended its goroutine": func(context.Context, string) error { runtime.Goexit(); return nil },
	} {
		k.fake.set(how)
		if _, _, err := a.Reserve(t.Context(), hold("a"), true); !errors.Is(err, budget.ErrUnavailable) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want ErrUnavailable with %q", err, want)
		}
	}
	k.fake.set(nil)
	if _, _, err := a.Reserve(t.Context(), hold("a"), true); err != nil {
		t.Error(err)
	}
}

// An account that could not be opened is opened by the first operation that finds the ledger.
func TestAccountIsOpenedLater(t *testing.T) {
	k := newKit()
	k.fake.set(away)
	var opened []budget.Balance
	a, err := k.Open(t.Context(), func(bal budget.Balance) { opened = append(opened, bal) }, budget.Scope{Kind: budget.Job, ID: "job-1", Limit: 5 * money.Cent})
	if !remote.Away(err) || a == nil {
		t.Fatalf("%v, %v, want an account that is away", a, err)
	}
	k.fake.set(nil)
	if _, _, err := a.Reserve(t.Context(), hold("a"), true); !errors.Is(err, budget.ErrExceeded) {
		t.Errorf("%v, want a refusal", err)
	}
	if len(opened) != 1 || opened[0].Limit != 5*money.Cent {
		t.Errorf("the balances of opening it: %+v", opened)
	}
	if err := a.Close(t.Context(), true); err != nil {
		t.Error(err)
	}
	if got, want := k.fake.ops(), []string{"open", "open", "reserve a", "close for good"}; !slices.Equal(got, want) {
		t.Errorf("asked %q, want %q", got, want)
	}
}

// Of a call that is not made, or cost nothing, nothing stays reserved, however late the answer.
func TestReservationThatCameTooLateIsReleased(t *testing.T) {
	for _, kept := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			k := newKit()
			a := k.open(t)
			k.fake.set(func(_ context.Context, op string) error {
				if strings.HasPrefix(op, "reserve") {
					time.Sleep(3 * time.Second)
				}
				return nil
			})
			_, late, err := a.Reserve(t.Context(), hold("a"), kept)
			if (late != nil) != kept || !errors.Is(err, budget.ErrUnavailable) {
				t.Fatalf("kept %v: %v, %v", kept, late, err)
			}
			if kept {
				if _, err := a.Release(t.Context(), hold("a"), late, ignore); err != nil {
					t.Error(err)
				}
			}
			time.Sleep(4 * time.Second)
			synctest.Wait()
			if got, want := k.fake.ops(), []string{"open", "reserve a", "release a"}; !slices.Equal(got, want) {
				t.Errorf("kept %v: asked %q, want %q", kept, got, want)
			}
			if bal := k.balance(t); bal.Held != 0 || bal.Spent != 0 {
				t.Errorf("kept %v: %+v, want nothing held", kept, bal)
			}
		})
	}
}

// What surely was not reserved need not be released: in a long outage that would crowd out what was spent.
func TestReservationThatSurelyFailedIsNotReleased(t *testing.T) {
	for name, cut := range map[string]func(context.Context, string) error{
		"the account was not opened": away,
		"the account is lost":        func(context.Context, string) error { return budget.ErrLost },
		"the call is refused":        func(context.Context, string) error { return budget.ErrExceeded },
	} {
		k := newKit()
		k.fake.set(cut)
		a, _ := k.Open(t.Context(), ignore, budget.Scope{Kind: budget.Job, ID: "job-1", Limit: money.Dollar})
		for range 10 {
			if _, _, err := a.Reserve(t.Context(), hold("a"), false); err == nil || k.Pending() != 0 {
				t.Errorf("%s: %v with %d pending, want none", name, err, k.Pending())
			}
		}
	}
}

// An account that is opened after its job has ended is closed at once.
func TestAccountThatIsOpenedTooLateIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKit()
		k.fake.set(func(_ context.Context, op string) error {
			if op == "open" {
				time.Sleep(3 * time.Second)
			}
			return nil
		})
		a, err := k.Open(t.Context(), ignore, budget.Scope{Kind: budget.Job, ID: "job-1", Limit: money.Dollar})
		if !errors.Is(err, budget.ErrUnavailable) {
			t.Fatal(err)
		}
		if err := a.Close(t.Context(), false); err != nil {
			t.Error(err)
		}
		time.Sleep(4 * time.Second)
		synctest.Wait()
		if got, want := k.fake.ops(), []string{"open", "close"}; !slices.Equal(got, want) {
			t.Errorf("asked %q, want %q", got, want)
		}
	})
}
