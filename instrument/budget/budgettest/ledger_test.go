package budgettest

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/money"
)

func TestAPlainLedgerDoesItsDuties(t *testing.T) {
	TestLedger(t, func(*testing.T) Store { return newFaulty("").store() })
}

func TestTheSuiteFindsFaults(t *testing.T) {
	checks := make(map[string]duty)
	for _, d := range duties() {
		checks[d.name] = d
	}
	for _, tt := range faults {
		t.Run(tt.fault+"/"+tt.duty, func(t *testing.T) {
			d, ok := checks[tt.duty]
			if !ok {
				t.Fatal("there is no such duty")
			}
			if err := d.run(t.Context(), newFaulty(tt.fault).store()); err == nil {
				t.Error("not found")
			}
		})
	}
}

func TestEveryDutyIsSeenToFail(t *testing.T) {
	for _, d := range duties() {
		if !slices.ContainsFunc(faults, func(f faultFound) bool { return f.duty == d.name }) {
			t.Errorf("no fault is there for %q to find", d.name)
		}
	}
}

func TestDutiesHaveANameAndAReason(t *testing.T) {
	names := make(map[string]bool)
	for _, d := range duties() {
		if d.name == "" || d.reason == "" || names[d.name] {
			t.Errorf("duty %q: reason %q, name used before: %t", d.name, d.reason, names[d.name])
		}
		names[d.name] = true
	}
}

func TestAProblemShowsTheWay(t *testing.T) {
	d := duty{check: func(c *checker) {
		a := c.open(c.job(10))
		a.reserve("a", 3).gives(0, 3)
		a.settle("a", 5).gives(5, 0)
	}}
	err := d.run(t.Context(), newFaulty("settle books the hold at most").store())
	const want = "open job with limit 10n; reserve a 3n; settle a 5n:\n" +
		"\tbalance {limit 10n, spent 3n, held 0n}, want {limit 10n, spent 5n, held 0n}"
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestDutiesNeedWhatAStoreCanDo(t *testing.T) {
	none, all := Store{}, newFaulty("").store()
	for _, d := range duties() {
		if !d.needs.met(all) || d.needs.met(none) != (d.needs == 0) {
			t.Errorf("duty %q with needs %b", d.name, d.needs)
		}
	}
}

func TestExceptNamesWhatALedgerCannotDo(t *testing.T) {
	s := Store{Except: map[string]string{"excepted": "slow", "without": ""}}
	for _, tt := range []struct {
		duty string
		err  error
		want string
	}{
		{"usual", nil, ""},
		{"usual", errFault, "fault\n(why)"},
		{"excepted", errFault, ""},
		{"excepted", nil, "the ledger does this duty, but Store.Except says: slow"},
		{"without", errFault, "Store.Except gives no reason"},
	} {
		if got := s.problem(duty{name: tt.duty, reason: "why"}, tt.err); got != tt.want {
			t.Errorf("%s, error %v: %q, want %q", tt.duty, tt.err, got, tt.want)
		}
	}
}

// A store whose clock cannot be moved is waited for. The time of a bubble of synctest is fake, but
// neither the suite nor the ledger knows that.
func TestALedgerInRealTimeDoesItsDuties(t *testing.T) {
	for _, d := range duties() {
		if !d.needs.met(Store{}) {
			continue
		}
		t.Run(d.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := budget.NewMemoryLedger()
				s := Store{Open: func() budget.Ledger { return l }}
				if err := d.run(t.Context(), s); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// A panicky is a ledger that panics in one of its operations, and else does its duties.
type panicky struct {
	budget.Ledger
	at string
}

func (l panicky) panics(op string) {
	if op == l.at {
		panic("no " + op)
	}
}

func (l panicky) Open(ctx context.Context, scopes ...budget.Scope) (budget.Account, budget.Balance, error) {
	l.panics("open")
	a, b, err := l.Ledger.Open(ctx, scopes...)
	return panickyAccount{a, l}, b, err
}

func (l panicky) Forget(ctx context.Context, kind budget.Kind, id string) error {
	l.panics("forget")
	return l.Ledger.Forget(ctx, kind, id)
}

type panickyAccount struct {
	budget.Account
	l panicky
}

func (a panickyAccount) Reserve(ctx context.Context, h budget.Hold) (budget.Balance, error) {
	a.l.panics("reserve")
	return a.Account.Reserve(ctx, h)
}

func (a panickyAccount) Settle(ctx context.Context, h budget.Hold, cost money.USD) (budget.Balance, error) {
	a.l.panics("settle")
	return a.Account.Settle(ctx, h, cost)
}

func (a panickyAccount) Release(ctx context.Context, h budget.Hold) (budget.Balance, error) {
	a.l.panics("release")
	return a.Account.Release(ctx, h)
}

func (a panickyAccount) Close(ctx context.Context, final bool) error {
	a.l.panics("close")
	return a.Account.Close(ctx, final)
}

// A panic is the failure of the duty that it happens in, also in a goroutine, and the others are seen.
func TestAPanicFailsItsDuty(t *testing.T) {
	for _, op := range []string{"handle", "open", "reserve", "settle", "release", "close", "forget"} {
		failed := 0
		for _, d := range duties() {
			store := newFaulty("").store()
			open := store.Open
			store.Open = func() budget.Ledger {
				l := panicky{open(), op}
				l.panics("handle")
				return l
			}
			err := d.run(t.Context(), store)
			switch {
			case err == nil:
			case !strings.Contains(err.Error(), "the ledger panicked: no "+op) || !strings.Contains(err.Error(), ".panics("):
				t.Errorf("%s panics: duty %q gives %v", op, d.name, err)
			default:
				failed++
			}
		}
		if failed == 0 {
			t.Errorf("%s panics: no duty fails", op)
		}
	}
}

func TestAStoreNeedsOpen(t *testing.T) {
	if os.Getenv("BUDGETTEST_WITHOUT_OPEN") != "" {
		TestLedger(t, func(*testing.T) Store { return Store{} })
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestAStoreNeedsOpen$")
	cmd.Env = append(os.Environ(), "BUDGETTEST_WITHOUT_OPEN=1")
	out, err := cmd.CombinedOutput()
	exit := new(exec.ExitError)
	if !errors.As(err, &exit) || !strings.Contains(string(out), "Open is required") || strings.Contains(string(out), "panic") {
		t.Errorf("%v:\n%s", err, out)
	}
}
