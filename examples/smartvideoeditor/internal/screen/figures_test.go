package screen

import (
	"math"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
)

func TestFigures(t *testing.T) {
	for amount, want := range map[instrument.USD]string{
		0: "$0", 3_417_000_000: "$3.42", 1_005_000_000: "$1.01", 999_999_999: "$1.00", 1_234_567_890_000: "$1,234.57",
		312_000_000: "$0.312", 500_000_000: "$0.50", 61_200_000: "$0.0612", 2_400_000: "$0.0024", 100_000: "$0.0001", 99_999: "<$0.0001",
		-1: "−<$0.0001", -2_500_000_000: "−$2.50", math.MaxInt64: "$9,223,372,036.85",
	} {
		if got := usd(amount); got != want {
			t.Errorf("usd(%d) = %q, want %q", amount, got, want)
		}
	}
	for ms, want := range map[int64]string{
		-5: "0 ms", 0: "0 ms", 840: "840 ms", 999: "999 ms", 9400: "9.4 s", 9999: "9.9 s", 42_900: "42 s", 59_999: "59 s",
		187_000: "3 m 07 s", 3_599_999: "59 m 59 s", 7_500_000: "2 h 05 m", 172_799_999: "47 h 59 m", 273_600_000: "3 d 4 h",
	} {
		if got := length(time.Duration(ms) * time.Millisecond); got != want {
			t.Errorf("length(%d ms) = %q, want %q", ms, got, want)
		}
	}
	for ms, want := range map[int64]string{
		0: "< 10 s", 9999: "< 10 s", 12_400: "≈ 10 s", 12_500: "≈ 15 s", 87_600: "≈ 90 s", 100_000: "≈ 1 m 45 s", 119_000: "≈ 2 m",
		599_000: "≈ 10 m", 700_000: "≈ 12 m", 7_190_000: "≈ 2 h",
	} {
		if got := roughly(time.Duration(ms) * time.Millisecond); got != want {
			t.Errorf("roughly(%d ms) = %q, want %q", ms, got, want)
		}
	}
	for share, want := range map[float64]string{0: "0 %", 0.29: "28 %", 0.715: "71 %", 0.999: "99 %", 1: "99 %", 7: "99 %", -1: "0 %"} {
		if got := percent(share); got != want {
			t.Errorf("percent(%v) = %q, want %q", share, got, want)
		}
	}
	for n, want := range map[int]string{0: "0 runs", 1: "1 run", 1200: "1,200 runs"} {
		if got := many(n, "run"); got != want {
			t.Errorf("many(%d) = %q, want %q", n, got, want)
		}
	}
}
