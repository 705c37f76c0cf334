package budgettest

import (
	"slices"
	"testing"
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

func TestAStoreWithoutAClockIsWaitedFor(t *testing.T) {
	l := newFaulty("")
	s := l.store()
	s.Lease = 1
	s.Advance = nil // the lease is over when the suite has slept for 1 ns; its clock stands still
	for _, d := range duties() {
		if d.needs.met(s) != (d.needs&advance == 0) {
			t.Errorf("duty %q with needs %b runs: %t", d.name, d.needs, d.needs.met(s))
		}
	}
	d := duty{check: func(c *checker) { c.expire() }}
	if err := d.run(t.Context(), s); err != nil {
		t.Error(err)
	}
}
