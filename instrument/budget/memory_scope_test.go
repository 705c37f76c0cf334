package budget_test

import (
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// Days and months are those of UTC, whatever zone the clock is in.
func TestWindowsAreThoseOfUTC(t *testing.T) {
	for _, tt := range []struct {
		kind  budget.Kind
		last  time.Time // in a zone in which the window is over already
		fresh bool      // a nanosecond later
	}{
		{budget.Day, time.Date(2026, 12, 1, 3, 59, 59, 999999999, time.FixedZone("", 4*60*60)), true},
		{budget.Day, time.Date(2026, 11, 30, 23, 59, 59, 999999999, time.FixedZone("", -60*60)), false},
		{budget.Month, time.Date(2027, 1, 1, 3, 59, 59, 999999999, time.FixedZone("", 4*60*60)), true},
		{budget.Month, time.Date(2026, 11, 29, 23, 59, 59, 999999999, time.UTC), false},
	} {
		c := &clock{now: tt.last}
		a, _ := open(t, budget.NewMemoryLedger(budget.WithClock(c.Now)), budget.Scope{Kind: tt.kind, ID: "t", Limit: money.Dollar})
		spend(t, a, "a", 5)
		c.advance(1)
		if got := spend(t, a, "b", 1).Spent; (got == 1) != tt.fresh {
			t.Errorf("a nanosecond after %s the %s has %s spent, fresh: %t", tt.last, tt.kind, got, tt.fresh)
		}
	}
}

// A clock that goes back neither begins an old window again nor loses the new one.
func TestAClockThatGoesBackBeginsNoWindow(t *testing.T) {
	c := &clock{now: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}
	a, _ := open(t, budget.NewMemoryLedger(budget.WithClock(c.Now)), budget.Scope{Kind: budget.Day, ID: "t", Limit: money.Dollar})
	spend(t, a, "a", 5)
	c.advance(-time.Second)
	if got := spend(t, a, "b", 1).Spent; got != 6 {
		t.Errorf("a second before midnight again the day has %s spent, want 6n", got)
	}
	c.advance(2 * time.Second)
	if got := spend(t, a, "c", 1).Spent; got != 7 {
		t.Errorf("after midnight again the day has %s spent, want 7n", got)
	}
}

// What is closed is forgotten with its window, and not before.
func TestAClosedDayIsKeptUntilItIsOver(t *testing.T) {
	c := newClock() // 22:00
	l := budget.NewMemoryLedger(budget.WithClock(c.Now))
	day := budget.Scope{Kind: budget.Day, ID: "t", Limit: money.Dollar}
	a, _ := open(t, l, day)
	spend(t, a, "a", 5)
	closeAs(t, a, true)
	c.advance(2*time.Hour - 1)
	if got := spentOn(t, l, day); got != 5 {
		t.Errorf("before midnight the day has %s spent, want 5n", got)
	}
	c.advance(1)
	if got := spentOn(t, l, day); got != 0 {
		t.Errorf("after midnight the day has %s spent, want 0", got)
	}
}

// A hold in a window that is over still expires, also if its account has no other scope.
func TestHoldsOfAWindowThatIsOverExpire(t *testing.T) {
	c := newClock()
	l := budget.NewMemoryLedger(budget.WithClock(c.Now))
	a, _ := open(t, l, budget.Scope{Kind: budget.Day, ID: "t", Limit: 10})
	hold(t, a, budget.Hold{ID: "a", Amount: 6, Floor: 2, Lease: 3 * time.Hour})
	c.advance(25 * time.Hour)
	b := hold(t, a, budget.Hold{ID: "b", Amount: 1, Lease: time.Hour})
	if b.Expired != (budget.Expired{Holds: 1, Amount: 2}) || b.Spent != 0 || b.Held != 1 {
		t.Errorf("the day after: %+v, want one hold swept, and none of it in the new day", b)
	}
}
