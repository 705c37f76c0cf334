package budgettest

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stagemeter/stagemeter/instrument/budget"
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
