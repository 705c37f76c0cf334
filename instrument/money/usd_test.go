package money_test

import (
	"encoding/json"
	"flag"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

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
		sum = money.Sum(sum, money.Dollars(0.0001))
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
