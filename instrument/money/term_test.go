package money_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument/money"
)

// priced is a term of which the test knows the numbers.
type priced struct {
	price  money.USD
	n, per int64
}

// total returns what Total gives for terms.
func total(parts ...priced) money.USD {
	terms := make([]money.Term, len(parts))
	for i, p := range parts {
		terms[i] = money.Per(p.price, p.per).Times(p.n)
	}
	return money.Total(terms...)
}

// wantTotal is the specification of Total, in numbers of any size.
func wantTotal(parts ...priced) money.USD {
	var invalid []money.USD
	sum := new(big.Rat)
	for _, p := range parts {
		switch special, ok := carried(p.price); {
		case p.n < 0 || p.per <= 0 || p.price < 0 && !ok:
			invalid = append(invalid, notANumber)
		case ok:
			invalid = append(invalid, special)
		default:
			amount := new(big.Rat).SetFrac(big.NewInt(int64(p.price)), big.NewInt(p.per))
			sum.Add(sum, amount.Mul(amount, new(big.Rat).SetInt64(p.n)))
		}
	}
	if u, ok := carried(invalid...); ok {
		return u
	}
	sum.Add(sum, big.NewRat(1, 2)) // rounds half up
	return saturated(new(big.Int).Div(sum.Num(), sum.Denom()))
}

const (
	hugePrime    = math.MaxInt64 - 24 // 2⁶³ − 25
	anotherPrime = math.MaxInt64 - 164
)

func TestTotal(t *testing.T) {
	for _, tt := range []struct {
		reason string
		got    money.USD
		want   money.USD
	}{
		{"of nothing", money.Total(), 0},
		{"rounded once: three thirds", total(priced{1, 1, 3}, priced{1, 1, 3}, priced{1, 1, 3}), 1},
		{"rounded once: two quarters", total(priced{1, 1, 4}, priced{1, 1, 4}), 1},
		{"rounded once: half and half is one, not two", total(priced{1, 1, 2}, priced{1, 1, 2}), 1},
		{"a third and a sixth are a half", total(priced{1, 1, 3}, priced{1, 1, 6}), 1},
		{"tokens at two rates and seconds at a third", money.Total(miniIn.Times(79), miniCached.Times(28), whisper.Times(61*time.Second)), 6_100_000 + 11_850 + 2_100},
		{"a common multiple of 64 bits", total(priced{1, 1 << 62, 1<<62 - 1}, priced{1, 1, 3}), 1},
		{"denominators without a common multiple of 64 bits", total(priced{hugePrime, 1, hugePrime}, priced{1, anotherPrime - 1, anotherPrime}), 2},
		{"such that are just a half together", total(priced{1, 1, hugePrime}, priced{1, hugePrime - 1, hugePrime}, priced{1, 1, anotherPrime}, priced{1, anotherPrime - 1, anotherPrime}, priced{1, 1, 2}), 3},
		{"the largest total", total(priced{most, 1, 1}, priced{1, 49, 100}), most},
		{"beyond the range by a half", total(priced{most, 1, 1}, priced{1, 1, 2}), money.Unlimited},
		{"beyond 64 bits together", total(priced{most, 1, 1}, priced{most, 1, 1}, priced{most, 1, 1}), money.Unlimited},
		{"beyond 64 bits alone", total(priced{most, int64(most), 1}, priced{1, 1, 1}), money.Unlimited},
		{"beyond the range, without a common multiple", total(priced{most, 1, 1}, priced{1, 1, hugePrime}, priced{1, anotherPrime - 1, anotherPrime}), money.Unlimited},
		{"NaN before a total beyond the range", total(priced{most, int64(most), 1}, priced{-1, 1, 1}), notANumber},
		{"NaN before infinite before Unlimited", total(priced{money.Unlimited, 1, 1}, priced{infinite, 1, 1}, priced{1, 1, 0}), notANumber},
		{"infinite before Unlimited", total(priced{money.Unlimited, 1, 1}, priced{infinite, 1, 1}, priced{1, 1, 1}), infinite},
		{"Unlimited of nothing is no amount", total(priced{1, 1, 1}, priced{money.Unlimited, 0, 1}), money.Unlimited},
		{"a term without a price", money.Total(miniIn.Times(1), money.Term{}), notANumber},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %d, want %d", tt.reason, tt.got, tt.want)
		}
	}
}

func TestTotalIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	usual := []int64{1, 60, 1000, 3600, 1_000_000, int64(time.Second), int64(time.Minute), int64(time.Hour), hugePrime}
	parts := make([]priced, 5)
	for i := range 100_000 {
		some := parts[:r.IntN(len(parts)+1)]
		for k := range some {
			some[k] = priced{money.USD(anyInt64(r)), anyInt64(r), anyInt64(r)}
			if i%2 == 0 {
				some[k] = priced{money.USD(r.Int64N(1 << (1 + r.IntN(62)))), r.Int64N(1 << (1 + r.IntN(50))), usual[r.IntN(len(usual))]}
			}
		}
		want := wantTotal(some...)
		if got := total(some...); got != want {
			t.Fatalf("the total of %d is %d, want %d", some, got, want)
		}
		r.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
		if got := total(some...); got != want {
			t.Fatalf("the total of %d is %d, and %d in another order", some, got, want)
		}
		if len(some) == 1 {
			if got := money.Per(some[0].price, some[0].per).Of(some[0].n); got != want {
				t.Fatalf("Per(%d, %d).Of(%d) = %d, want %d", some[0].price, some[0].per, some[0].n, got, want)
			}
		}
	}
}

func FuzzTotal(f *testing.F) {
	f.Add(int64(250*cent), int64(79), int64(1_000_000), int64(10*dollar), int64(28), int64(1_000_000))
	f.Add(int64(6*cent/10), int64(61*time.Second), int64(time.Minute), int64(cent), int64(3), int64(1_000_000))
	f.Add(int64(most), int64(1), int64(1), int64(1), int64(1), int64(2))
	f.Add(int64(hugePrime), int64(1), int64(hugePrime), int64(1), int64(anotherPrime-1), int64(anotherPrime))
	f.Add(int64(notANumber), int64(-1), int64(0), int64(infinite), int64(0), int64(1))
	f.Fuzz(func(t *testing.T, price1, n1, per1, price2, n2, per2 int64) {
		a, b := priced{money.USD(price1), n1, per1}, priced{money.USD(price2), n2, per2}
		if got, want := total(a, b), wantTotal(a, b); got != want {
			t.Errorf("the total of %d and %d is %d, want %d", a, b, got, want)
		}
		if got, want := money.Per(a.price, a.per).Of(a.n), wantTotal(a); got != want {
			t.Errorf("Per(%d, %d).Of(%d) = %d, want %d", a.price, a.per, a.n, got, want)
		}
	})
}
