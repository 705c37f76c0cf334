package money_test

import (
	"math"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument/money"
)

// Published prices.
var (
	transcribeIn  = money.PerMillion(250 * cent)     // gpt-4o-transcribe
	transcribeOut = money.PerMillion(10 * dollar)    //
	whisper       = money.PerMinute(6 * cent / 10)   // whisper-1
	miniIn        = money.PerMillion(15 * cent)      // gpt-4o-mini
	miniCached    = money.PerMillion(75 * cent / 10) //
	speech        = money.PerMillion(15 * dollar)    // tts-1
)

func TestRatesGiveThePublishedPrices(t *testing.T) {
	for _, tt := range []struct {
		reason string
		got    money.USD
		want   money.USD
	}{
		{"gpt-4o-transcribe, 79 tokens in and 28 out", money.Total(transcribeIn.Times(79), transcribeOut.Times(28)), 477_500},
		{"whisper-1, 61 s", whisper.Of(61 * time.Second), 6_100_000},
		{"whisper-1, no audio", whisper.Of(0), 0},
		{"whisper-1, a day of audio", whisper.Of(24 * time.Hour), 864 * cent},
		{"the same by the hour", money.PerHour(36 * cent).Of(24 * time.Hour), 864 * cent},
		{"the same by the second", money.PerSecond(cent / 100).Of(24 * time.Hour), 864 * cent},
		{"3.003 s at $0.111 an hour, half a nano-dollar that floats lose", money.PerHour(111 * cent / 10).Of(3003 * time.Millisecond), 92_593},
		{"per 15 s", money.PerDuration(24*cent/10, 15*time.Second).Of(time.Minute), 96 * cent / 10},
		{"tts-1, 4,095 characters", speech.Of(4095), 61_425_000},
		{"the same by the character", money.PerCharacter(15_000 * nano).Of(4095), 61_425_000},
		{"one token is not a whole nano-dollar per million", miniCached.Of(1), 75},
		{"any number of units, such as two million tokens", money.Per(15*cent, 2_000_000).Of(3), 225},
		{"free", money.Per(0, 1).Of(math.MaxInt64), 0},
		{"half a nano-dollar is rounded up", money.Per(nano, 2).Of(1), nano},
		{"less than half is rounded down", money.Per(nano, 1000).Of(499), 0},
		{"less than half of an odd number too", money.Per(nano, 3).Of(1), 0},
		{"the product has more than 64 bits, the price does not", money.Per(9_000_000_000*dollar, math.MaxInt64).Of(math.MaxInt64), 9_000_000_000 * dollar},
		{"the largest price", money.Per(most, 1).Of(1), most},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %d nano-dollars, want %d", tt.reason, tt.got, tt.want)
		}
	}
}

func TestRateRefusesWhatHasNoPrice(t *testing.T) {
	for _, tt := range []struct {
		reason string
		price  money.USD
		n, per int64
		want   money.USD
	}{
		{"negative price", -dollar, 1, 1, notANumber},
		{"negative number", dollar, -1, 1, notANumber},
		{"both, whose product is positive", -dollar, -1, 1, notANumber},
		{"per nothing", dollar, 1, 0, notANumber},
		{"per a negative number", dollar, 1, -1, notANumber},
		{"the least price that is one", -most, 1, 1, notANumber},
		{"the least number", dollar, math.MinInt64, 1, notANumber},
		{"a price that was no number", notANumber, 1, 1, notANumber},
		{"a price that was infinite", infinite, 1, 1, infinite},
		{"a price that was infinite, of nothing", infinite, 0, 1, infinite},
		{"Unlimited is no price", money.Unlimited, 1, 1, money.Unlimited},
		{"not even of nothing", money.Unlimited, 0, 1, money.Unlimited},
		{"nor divided", money.Unlimited, 1, 100, money.Unlimited},
		{"a negative number of Unlimited", money.Unlimited, -1, 1, notANumber},
		{"beyond the range by one", 1, math.MaxInt64, 1, money.Unlimited},
		{"beyond the range by rounding", most, math.MaxInt64, math.MaxInt64 - 1, money.Unlimited},
		{"beyond 64 bits", most, 3, 1, money.Unlimited},
		{"beyond 126 bits", most, math.MaxInt64, 1, money.Unlimited},
	} {
		got := money.Per(tt.price, tt.per).Of(tt.n)
		if got != tt.want {
			t.Errorf("%s: Per(%d, %d).Of(%d) = %d, want %d", tt.reason, tt.price, tt.per, tt.n, got, tt.want)
		}
		if got.Validate() == nil {
			t.Errorf("%s: Validate accepts %s", tt.reason, got)
		}
		if got := money.PerDuration(tt.price, time.Duration(tt.per)).Of(time.Duration(tt.n)); got != tt.want {
			t.Errorf("%s: by time %d, want %d", tt.reason, got, tt.want)
		}
	}
	if got := (money.Rate[int64]{}).Of(0); got != notANumber {
		t.Errorf("the zero rate gives %s, want NaN: unknown is not free", got)
	}
}
