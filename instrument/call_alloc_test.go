//go:build !race

// The race detector allocates where the program does not, so these gates are for a run without it.

package instrument_test

import (
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// Measured with the SDK's meters and no tracer. More than this is a regression on a path that a pipeline takes for
// every paid call; less is a gate to lower.
func TestMoneyAllocations(t *testing.T) {
	ctx := moneyContexts(t)
	call := func(opts ...instrument.CallOption) func(where string) func() {
		return func(where string) func() {
			return func() { _, _ = instrument.RunCallValue(ctx[where], "whisper", freePrice, freeCall, opts...) }
		}
	}
	spend := func(where string) func() { return func() { instrument.Spend(ctx[where], "whisper", money.Nano) } }
	estimate := instrument.WithMaxCost(money.Nano)
	for _, tt := range []struct {
		name   string
		f      func(where string) func()
		where  string
		want   float64
		reason string
	}{
		{"Spend", spend, "outside", 0, "an addition to a counter whose attributes are kept"},
		{"Spend", spend, "job", 0, "and two atomic additions"},
		{"Spend", spend, "budget", 0, "and arithmetic under a mutex"},
		{"Spend", spend, "nested", 0, "the same, in the outer job's account"},
		{"RunCall", call(), "outside", 1, "the Call"},
		{"RunCall", call(), "job", 1, "the same"},
		{"RunCall", call(), "budget", 1, "the same"},
		{"RunCall", call(), "nested", 1, "the same, which is in the outer job's account"},
		{"RunCall with an estimate", call(estimate), "budget", 1, "the same: the option was made by the caller"},
	} {
		if got := testing.AllocsPerRun(1000, tt.f(tt.where)); got > tt.want {
			t.Errorf("%s, %s: %v allocations, want at most %v (%s)", tt.name, tt.where, got, tt.want, tt.reason)
		}
	}
}
