package budgettest

import (
	"context"
	"slices"
	"testing"

	"github.com/stagemeter/stagemeter/instrument/budget"
)

func TestAPlainLedgerDoesItsDuties(t *testing.T) {
	TestLedger(t, func(*testing.T) budget.Ledger { return newFaulty("") })
}

// faults is mistakes that a ledger could make, each with a duty that has to find it: a suite that these pass is worth
// nothing.
var faults = []struct{ fault, duty string }{
	{"reserve never refuses", "reserve up to the limit and no more"},
	{"reserve checks a balance that is one operation old", "strict: of 1,000 calls at once those that fit pass, exactly"},
	{"reserve does not count what is spent", "what was spent counts against the limit"},
	{"reserve of 0 always passes", "without an estimate a call passes while anything is left"},
	{"reserve forgets what is held when it asks what is left", "what is only held is not left either"},
	{"reserve twice holds twice", "reserve twice holds once"},
	{"reserve twice holds twice", "a hold that 1,000 goroutines reserve and settle counts once"},
	{"reserve again replaces the hold", "reserve twice holds once"},
	{"reserve revives a hold that ended", "reserve again after the end holds nothing"},
	{"a refusal keeps its hold", "a refusal holds nothing"},
	{"a refusal is some other error", "reserve up to the limit and no more"},
	{"a refusal gives no balance", "reserve up to the limit and no more"},
	{"settle keeps the hold", "settle below the hold frees the rest"},
	{"settle keeps the hold", "settle nothing ends the hold"},
	{"settle books the hold at most", "settle above the hold books all of it"},
	{"settle books the estimate", "settle below the hold frees the rest"},
	{"settle books the estimate", "strict: costs below the estimates never add up above the limit"},
	{"settle is refused over the limit", "settle above the limit is not refused"},
	{"settle twice books twice", "settle twice books once"},
	{"settle twice books twice", "a hold that 1,000 goroutines reserve and settle counts once"},
	{"settle again is never a conflict", "settle again with another cost is an error and books nothing"},
	{"settle again books the new cost", "settle again with another cost is an error and books nothing"},
	{"settle needs a hold", "settle what nobody reserved books it, once"},
	{"settle needs a hold", "settle after release books it, once"},
	{"prior is read in a step of its own", "each crossing is found exactly once"},
	{"prior is always spent", "settle below the hold frees the rest"},
	{"release does nothing", "release frees the hold"},
	{"release twice frees twice", "release twice frees once"},
	{"release looks and frees in two steps", "a hold that 1,000 goroutines release frees once"},
	{"release refunds what was settled", "release after settle gives nothing back"},
	{"release of an unknown hold is an error", "release what nobody knows changes nothing"},
	{"a limit of 0 is no limit", "a limit of 0 refuses every call"},
	{"unlimited is a large limit", "unlimited refuses none"},
	{"the first limit holds", "a limit lowered below what is spent holds"},
	{"the lowest limit holds", "a limit that was raised holds"},
	{"each open keeps its limit", "the newest limit holds for the opens before it"},
	{"a lower limit cuts what is spent", "a limit lowered below what is spent holds"},
	{"invalid amounts are taken", "no hold of an invalid amount"},
	{"invalid amounts are taken", "no booking of an invalid amount"},
	{"invalid limits are taken", "no account with a negative limit"},
	{"money is a float of 32 bits", "exact to the nano-dollar"},
	{"money is cents", "reserve up to the limit and no more"},
	{"sums wrap around", "sums beyond the range do not wrap around"},
	{"each open has an account of its own", "runs that open one job at once share its account"},
	{"each open starts anew", "an account lives as long as one of its opens"},
	{"the first close ends it", "an account lives as long as one of its opens"},
	{"a job is opened once", "a job is opened again after its end"},
	{"an empty id is an error", "ids may be anything"},
	{"ids are cut at 255 bytes", "jobs do not touch each other"},
	{"ids are trimmed", "jobs do not touch each other"},
	{"ids ignore case", "jobs do not touch each other"},
	{"ids end at a zero byte", "jobs do not touch each other"},
	{"ids are made valid UTF-8", "jobs do not touch each other"},
	{"what is between braces is the id", "jobs do not touch each other"},
	{"holds are cut at 255 bytes", "ids may be anything"},
	{"a canceled context books and then fails, without the id", "what is tried again after its context was canceled counts once"},
}

func TestTheSuiteFindsFaults(t *testing.T) {
	checks := make(map[string]func(context.Context, budget.Ledger) error)
	for _, d := range duties() {
		checks[d.name] = d.check
	}
	for _, tt := range faults {
		t.Run(tt.fault+"/"+tt.duty, func(t *testing.T) {
			check := checks[tt.duty]
			if check == nil {
				t.Fatal("there is no such duty")
			}
			if err := check(t.Context(), newFaulty(tt.fault)); err == nil {
				t.Error("not found")
			}
		})
	}
}

func TestEveryDutyIsSeenToFail(t *testing.T) {
	for _, d := range duties() {
		if !slices.ContainsFunc(faults, func(f struct{ fault, duty string }) bool { return f.duty == d.name }) {
			t.Errorf("no fault is there for %q to find", d.name)
		}
	}
}

func TestAProblemShowsTheWay(t *testing.T) {
	s := script{"", 10, []step{reserve("a", 3).gives(0, 3), settle("a", 5).gives(5, 0).from(0)}}
	err := s.check(t.Context(), newFaulty("settle books the hold at most"))
	const want = "open with limit 10n; reserve a 3n; settle a 5n:\n" +
		"\tbalance {limit 10n, spent 3n, held 0n, prior 0n}, want {limit 10n, spent 5n, held 0n, prior 0n}"
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}
