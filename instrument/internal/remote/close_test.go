package remote_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/internal/remote"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// A close that failed is tried again, until it is answered.
func TestCloseOfAnAccountIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKit()
		a := k.open(t)
		k.fake.set(away)
		if err := a.Close(t.Context(), true); !errors.Is(err, budget.ErrUnavailable) {
			t.Errorf("%v, want ErrUnavailable", err)
		}
		if k.Pending() != 1 {
			t.Errorf("%d pending, want 1", k.Pending())
		}
		k.fake.set(nil)
		k.fake.ops()
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := k.fake.ops(); !slices.Equal(got, []string{"close for good"}) || k.Pending() != 0 {
			t.Errorf("asked %q, %d pending", got, k.Pending())
		}
		if err := k.Close(t.Context()); err != nil || k.count(remote.GivenUp) != 0 {
			t.Errorf("%v, %d given up", err, k.count(remote.GivenUp))
		}
	})
}

// An answer is the end of a close, whatever it says: an account that is lost cannot be closed.
func TestCloseOfALostAccountIsNotTriedAgain(t *testing.T) {
	k := newKit()
	a := k.open(t)
	k.fake.set(func(context.Context, string) error { return budget.ErrLost })
	if err := a.Close(t.Context(), false); !errors.Is(err, budget.ErrLost) || k.Pending() != 0 {
		t.Errorf("%v with %d pending, want ErrLost and none", err, k.Pending())
	}
}

func TestCloseOfAnAccountIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKit()
		a, b := k.open(t), k.open(t)
		k.fake.set(away)
		_ = a.Close(t.Context(), false)
		time.Sleep(30 * time.Minute)
		_ = b.Close(t.Context(), false)
		time.Sleep(40 * time.Minute)
		synctest.Wait()
		if k.Pending() != 1 || k.count(remote.GivenUp) != 1 {
			t.Errorf("after an hour: %d pending, %d given up, want 1 of each", k.Pending(), k.count(remote.GivenUp))
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := k.Close(ctx)
		if !errors.Is(err, budget.ErrUnavailable) || !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "1 accounts could not be closed") {
			t.Errorf("Close gave %v", err)
		}
		got := k.reported()
		if len(got) != 2 || !strings.Contains(got[0], "its lease is over") || !strings.Contains(got[1], `the close of the account of job "job-1"`) || !strings.Contains(got[1], "context canceled") {
			t.Errorf("reported %q", got)
		}
	})
}

// While Close delivers, the close of an account that follows its last settle is delivered too.
func TestCloseDeliversTheCloseAfterASettle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKit()
		a := k.open(t)
		k.fake.set(away)
		_, _ = a.Settle(t.Context(), hold("a"), money.Cent, ignore)
		_ = a.Close(t.Context(), true)
		closes := 0
		k.fake.set(func(_ context.Context, op string) error {
			if op == "close for good" {
				if closes++; closes < 4 {
					return errStore
				}
			}
			return nil
		})
		if err := k.Close(t.Context()); err != nil || closes != 4 || k.count(remote.GivenUp) != 0 {
			t.Errorf("%v after %d closes, %d given up, want 4 and none", err, closes, k.count(remote.GivenUp))
		}
	})
}

// A settle that the ledger will not take is reported when it is tried again, as no caller is told.
func TestRetryThatContradictsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKit()
		a := k.open(t)
		k.fake.set(away)
		_, _ = a.Settle(t.Context(), hold("a"), 7*money.Cent, ignore)
		k.fake.set(func(context.Context, string) error { return budget.ErrConflict })
		time.Sleep(time.Minute)
		synctest.Wait()
		if r := k.reported(); k.count(remote.GivenUp) != 1 || len(r) != 1 || !strings.Contains(r[0], "$0.07") || !strings.Contains(r[0], "hold id used again") {
			t.Errorf("%d given up, reported %q", k.count(remote.GivenUp), r)
		}
	})
}

// Two operations may open an account at the same time. The second Open is closed, or its slices are never settled.
func TestSecondOpenIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKit()
		k.fake.set(away)
		a, _ := k.Open(t.Context(), ignore, budget.Scope{Kind: budget.Job, ID: "job-1", Limit: money.Dollar})
		closes := 0
		k.fake.set(func(_ context.Context, op string) error {
			switch op {
			case "open":
				time.Sleep(10 * time.Millisecond)
			case "close":
				if closes++; closes == 1 {
					return errStore
				}
			}
			return nil
		})
		for _, id := range []string{"a", "b"} {
			go func() {
				if _, _, err := a.Reserve(t.Context(), hold(id), true); err != nil {
					t.Errorf("%s: %v", id, err)
				}
			}()
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if closes != 2 || k.Pending() != 0 {
			t.Errorf("%d closes, %d pending, want one and one that is tried again", closes, k.Pending())
		}
	})
}
