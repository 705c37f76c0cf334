package money_test

import (
	"math/big"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/instrument/money"
)

func FuzzParseUSD(f *testing.F) {
	for _, s := range []string{"2", "$1.50", "0.000000001", "unlimited", "9223372036.854775806", "9223372036.854775807", "1e3", "-1", ".5", "$", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := money.ParseUSD(s)
		if err != nil {
			if u != 0 {
				t.Fatalf("ParseUSD(%q) = %d with error %v", s, u, err)
			}
			return
		}
		if back, err := money.ParseUSD(u.String()); back != u || err != nil {
			t.Fatalf("ParseUSD(%q) = %d, and of its text %q %d, %v", s, u, u, back, err)
		}
		if s == "unlimited" {
			return
		}
		exact, ok := new(big.Rat).SetString(strings.TrimPrefix(s, "$"))
		if !ok {
			t.Fatalf("ParseUSD(%q) = %d, which is no number", s, u)
		}
		if got := big.NewRat(int64(u), int64(dollar)); got.Cmp(exact) != 0 || u < 0 || u == money.Unlimited {
			t.Fatalf("ParseUSD(%q) = %d, want exactly that", s, u)
		}
	})
}

func FuzzUSDText(f *testing.F) {
	for _, u := range []money.USD{0, 1, cent, dollar, -1, money.Unlimited, money.Unlimited - 1, notANumber, infinite} {
		f.Add(int64(u))
	}
	f.Fuzz(func(t *testing.T, n int64) {
		u := money.USD(n)
		text, err := u.MarshalText()
		if (err != nil) != (u == notANumber || u == infinite) {
			t.Fatalf("MarshalText of %d: %q, %v", n, text, err)
		}
		if n < 0 {
			return // written for people to read
		}
		var back money.USD
		if err := back.UnmarshalText(text); back != u || err != nil {
			t.Fatalf("%d is written as %q and read as %d, %v", n, text, back, err)
		}
	})
}
