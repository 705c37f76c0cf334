package money_test

import (
	"encoding/json"
	"flag"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument/money"
)

const (
	nano   = money.Nano
	cent   = money.Cent
	dollar = money.Dollar
)

// What Dollars gives for a float that is no amount.
var (
	notANumber = money.Dollars(math.NaN())
	infinite   = money.Dollars(math.Inf(1))
)

// Published prices, per million tokens or per minute of audio.
const (
	transcribeIn  = 250 * cent     // gpt-4o-transcribe
	transcribeOut = 10 * dollar    //
	whisperMinute = 6 * cent / 10  // whisper-1
	miniIn        = 15 * cent      // gpt-4o-mini
	miniCached    = 75 * cent / 10 //
)

func TestProrateGivesThePublishedSums(t *testing.T) {
	const million = 1_000_000
	for _, tt := range []struct {
		reason string
		got    money.USD
		want   money.USD
	}{
		{"gpt-4o-transcribe, 79 tokens in and 28 out", transcribeIn.Prorate(79, million) + transcribeOut.Prorate(28, million), 477_500},
		{"whisper-1, 61 s", whisperMinute.Prorate(61, 60), 6_100_000},
		{"whisper-1, 61 s as a duration", whisperMinute.Prorate(int64(61*time.Second), int64(time.Minute)), 6_100_000},
		{"whisper-1, no audio", whisperMinute.Prorate(0, 60), 0},
		{"whisper-1, a day of audio", whisperMinute.Prorate(int64(24*time.Hour), int64(time.Minute)), 864 * cent},
		{"gpt-4o-mini, one token is not a whole nano-dollar per million", miniCached.Prorate(1, million), 75},
		{"any unit will do, such as two million tokens", miniIn.Prorate(3, 2*million), 225},
		{"half a nano-dollar is rounded up", nano.Prorate(1, 2), nano},
		{"less than half is rounded down", nano.Prorate(499, 1000), 0},
		{"the product has more than 64 bits, the result does not", (9 * 1_000_000_000 * dollar).Prorate(math.MaxInt64, math.MaxInt64), 9 * 1_000_000_000 * dollar},
		{"the largest result", (money.Unlimited - 1).Prorate(1, 1), money.Unlimited - 1},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %d nano-dollars, want %d", tt.reason, tt.got, tt.want)
		}
	}
}

func TestProrateRefusesWhatHasNoPrice(t *testing.T) {
	for _, tt := range []struct {
		reason string
		u      money.USD
		n, per int64
		want   money.USD
	}{
		{"negative rate", -dollar, 1, 1, notANumber},
		{"negative usage", dollar, -1, 1, notANumber},
		{"per nothing", dollar, 1, 0, notANumber},
		{"per a negative number", dollar, 1, -1, notANumber},
		{"a rate that was no number", notANumber, 1, 1, notANumber},
		{"beyond the range by one", money.Unlimited, 1, 1, infinite},
		{"beyond 64 bits", money.Unlimited, 3, 1, infinite},
		{"beyond 126 bits", money.Unlimited, math.MaxInt64, 1, infinite},
	} {
		if got := tt.u.Prorate(tt.n, tt.per); got != tt.want {
			t.Errorf("%s: (%d).Prorate(%d, %d) = %d, want %d", tt.reason, tt.u, tt.n, tt.per, got, tt.want)
		}
	}
}

// prorate is the specification of USD.Prorate, in numbers of any size.
func prorate(u money.USD, n, per int64) money.USD {
	if u < 0 || n < 0 || per <= 0 {
		return notANumber
	}
	x := new(big.Int).Mul(big.NewInt(int64(u)), big.NewInt(n))
	x.Add(x.Mul(x, big.NewInt(2)), big.NewInt(per)) // floor((2un + per) / 2per) rounds half up
	x.Div(x, new(big.Int).Mul(big.NewInt(2), big.NewInt(per)))
	if x.Cmp(big.NewInt(math.MaxInt64)) >= 0 {
		return infinite
	}
	return money.USD(x.Int64())
}

func TestProrateIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	anyInt64 := func() int64 { return int64(r.Uint64() >> r.IntN(64)) }
	for range 100_000 {
		u, n, per := money.USD(anyInt64()), anyInt64(), anyInt64()
		if got, want := u.Prorate(n, per), prorate(u, n, per); got != want {
			t.Fatalf("(%d).Prorate(%d, %d) = %d, want %d", u, n, per, got, want)
		}
	}
}

func TestDollars(t *testing.T) {
	for _, tt := range []struct {
		reason string
		in     float64
		want   money.USD
	}{
		{"zero", 0, 0},
		{"a negative zero", math.Copysign(0, -1), 0},
		{"whole", 2, 2 * dollar},
		{"a tenth, which no float has", 0.1, 10 * cent},
		{"what floats get wrong", 0.1 + 0.2, 30 * cent},
		{"a price per minute", 0.006, 6_000_000},
		{"to the nearest nano-dollar, up", 1.6e-9, 2 * nano},
		{"to the nearest nano-dollar, down", 0.4e-9, 0},
		{"negative, for a budget that is overspent", -1.5, -150 * cent},
		{"large", 9.2e9, 9_200_000_000 * dollar},
		{"NaN", math.NaN(), notANumber},
		{"+Inf", math.Inf(1), infinite},
		{"-Inf", math.Inf(-1), infinite},
		{"beyond the range", 9.3e9, infinite},
		{"beyond the range below 0", -9.3e9, infinite},
		{"the largest float", math.MaxFloat64, infinite},
	} {
		if got := money.Dollars(tt.in); got != tt.want {
			t.Errorf("%s: Dollars(%v) = %d, want %d", tt.reason, tt.in, got, tt.want)
		}
	}
}

func TestDollarsReadsBackWhatWasExported(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 100_000 {
		u := money.USD(r.Int64N(1 << r.IntN(52))) // up to $2 million
		if got := money.Dollars(u.Float64()); got != u {
			t.Fatalf("Dollars(%v) = %d, want %d", u.Float64(), got, u)
		}
	}
	if f := notANumber.Float64(); !math.IsNaN(f) {
		t.Errorf("of NaN: %v", f)
	}
	if f := infinite.Float64(); !math.IsInf(f, 1) {
		t.Errorf("of infinity: %v", f)
	}
}

// Floats end at 100.0000000022.
func TestAMillionTimesATenthOfAMillIsExact(t *testing.T) {
	var sum money.USD
	for range 1_000_000 {
		sum += money.Dollars(0.0001)
	}
	if sum != 100*dollar {
		t.Errorf("%s, want $100.00", sum)
	}
}

func TestUSDText(t *testing.T) {
	for _, tt := range []struct {
		u          money.USD
		text, json string // json: "" if it cannot be written
	}{
		{0, "$0.00", "0.00"},
		{nano, "$0.000000001", "0.000000001"},
		{cent / 10, "$0.001", "0.001"},
		{cent, "$0.01", "0.01"},
		{10 * cent, "$0.10", "0.10"},
		{150 * cent, "$1.50", "1.50"},
		{2 * dollar, "$2.00", "2.00"},
		{2*dollar + 10, "$2.00000001", "2.00000001"},
		{1234567 * dollar, "$1234567.00", "1234567.00"},
		{money.Unlimited - 1, "$9223372036.854775806", "9223372036.854775806"},
		{money.Unlimited, "unlimited", "unlimited"},
		{-nano, "-$0.000000001", "-0.000000001"},
		{-150 * cent, "-$1.50", "-1.50"},
		{math.MinInt64 + 2, "-$9223372036.854775806", "-9223372036.854775806"},
		{notANumber, "$NaN", ""},
		{infinite, "$Inf", ""},
	} {
		if got := tt.u.String(); got != tt.text {
			t.Errorf("String of %d = %q, want %q", int64(tt.u), got, tt.text)
		}
		got, err := tt.u.MarshalText()
		if string(got) != tt.json || (err == nil) != (tt.json != "") {
			t.Errorf("MarshalText of %s = %q, %v, want %q", tt.text, got, err, tt.json)
		}
		if err != nil && !strings.Contains(err.Error(), tt.text) {
			t.Errorf("error %q does not name %s", err, tt.text)
		}
	}
}

func TestParseUSD(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want money.USD
	}{
		{"0", 0},
		{"2", 2 * dollar},
		{"$2", 2 * dollar},
		{"0.25", 25 * cent},
		{"$1.50", 150 * cent},
		{"0.000000001", nano},
		{"007.5", 750 * cent},
		{"9223372036.854775806", money.Unlimited - 1},
		{"unlimited", money.Unlimited},
	} {
		if got, err := money.ParseUSD(tt.in); got != tt.want || err != nil {
			t.Errorf("ParseUSD(%q) = %d, %v, want %d", tt.in, got, err, tt.want)
		}
	}
	for _, tt := range []struct{ reason, in, hint string }{
		{"empty", "", "such as 2, 0.25 or $1.50"},
		{"a sign alone", "$", "such as"},
		{"two signs", "$$2", "such as"},
		{"another currency", "€2", "such as"},
		{"negative", "-1", "such as"},
		{"plus", "+1", "such as"},
		{"no digit before the point", ".5", "such as"},
		{"no digit after the point", "5.", "such as"},
		{"two points", "1.2.3", "such as"},
		{"a comma", "1,50", "such as"},
		{"thousands", "1,000", "such as"},
		{"an underscore", "1_000", "such as"},
		{"space", " 1", "such as"},
		{"a line end", "1\n", "such as"},
		{"an exponent", "1e3", "such as"},
		{"hexadecimal", "0x10", "such as"},
		{"digits of another script", "١", "such as"},
		{"NaN", "NaN", "such as"},
		{"Inf", "Inf", "such as"},
		{"another case", "Unlimited", "such as"},
		{"ten decimals", "0.0000000001", "nine decimals"},
		{"the value of Unlimited", "9223372036.854775807", "more than an amount of dollars can hold ($9223372036.854775806)"},
		{"a nano-dollar beyond the range", "9223372036.854775808", "can hold"},
		{"a dollar beyond the range", "9223372037", "can hold"},
		{"beyond 64 bits", strings.Repeat("9", 100), "can hold"},
	} {
		got, err := money.ParseUSD(tt.in)
		switch {
		case err == nil || got != 0:
			t.Errorf("%s: ParseUSD(%q) = %d, %v, want an error", tt.reason, tt.in, got, err)
		case !strings.Contains(err.Error(), tt.hint):
			t.Errorf("%s: error %q does not say %q", tt.reason, err, tt.hint)
		}
	}
}

func TestUSDInFlagsAndFiles(t *testing.T) {
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	var budget money.USD
	flags.TextVar(&budget, "budget", 2*dollar, "what a job may spend")
	if budget != 2*dollar {
		t.Errorf("default %s, want $2.00", budget)
	}
	if err := flags.Parse([]string{"-budget", "0.25"}); err != nil || budget != 25*cent {
		t.Errorf("-budget 0.25: %s, %v", budget, err)
	}

	type limits struct{ Job, Day money.USD }
	in := limits{150 * cent, money.Unlimited}
	text, err := json.Marshal(in)
	if want := `{"Job":"1.50","Day":"unlimited"}`; err != nil || string(text) != want {
		t.Errorf("JSON %s, %v, want %s", text, err, want)
	}
	var out limits
	if err := json.Unmarshal(text, &out); err != nil || out != in {
		t.Errorf("read back %v, %v, want %v", out, err, in)
	}
	kept := 7 * dollar
	if err := kept.UnmarshalText([]byte("much")); err == nil || kept != 7*dollar {
		t.Errorf("a text that is no amount: %v, and the amount is %s", err, kept)
	}
}

// What remains of an overspent budget goes to a log and to JSON.
func TestNegativeAmountAsText(t *testing.T) {
	text, err := json.Marshal(map[string]money.USD{"left": -50 * money.Cent})
	if want := `{"left":"-0.50"}`; string(text) != want || err != nil {
		t.Errorf("JSON is %s, %v, want %s", text, err, want)
	}
}
