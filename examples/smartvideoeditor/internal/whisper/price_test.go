package whisper

import (
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/money"
)

func TestPrice(t *testing.T) {
	for _, test := range []struct {
		length time.Duration
		want   instrument.USD
	}{
		{0, 0},
		{time.Nanosecond, 100_000 * money.Nano},
		{MinLength, 100_000 * money.Nano},
		{time.Second, 100_000 * money.Nano},
		{1001 * time.Millisecond, 200_000 * money.Nano},
		{time.Minute, 6 * instrument.Cent / 10},
		{60*time.Second + time.Nanosecond, 6_100_000 * money.Nano},
		{61 * time.Second, 6_100_000 * money.Nano},
		{3 * time.Hour, 108 * instrument.Cent},
	} {
		if got := Price(test.length); got != test.want {
			t.Errorf("Price(%v) = %v, want %v: begun seconds are billed", test.length, got, test.want)
		}
	}
}
