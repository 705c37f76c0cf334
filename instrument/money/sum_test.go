package money_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stagemeter/stagemeter/instrument/money"
)

const most = money.Unlimited - 1 // the largest amount

func TestSum(t *testing.T) {
	for _, tt := range []struct {
		reason string
		in     []money.USD
		want   money.USD
	}{
		{"of nothing", nil, 0},
		{"of one", []money.USD{dollar}, dollar},
		{"of two", []money.USD{dollar, 50 * cent}, 150 * cent},
		{"a difference", []money.USD{dollar, -150 * cent}, -50 * cent},
		{"the largest amount", []money.USD{most - 1, 1}, most},
		{"beyond the range by one", []money.USD{most, 1}, money.Unlimited},
		{"beyond the range by as much as two can be", []money.USD{most, most}, money.Unlimited},
		{"beyond 65 bits", []money.USD{most, most, most, most, most}, money.Unlimited},
		{"the least amount", []money.USD{-most + 1, -1}, -most},
		{"beyond the range below", []money.USD{-most, -1}, infinite},
		{"beyond the range below by two, where plain + gives NaN", []money.USD{-most, -2}, infinite},
		{"beyond 65 bits below", []money.USD{-most, -most, -most, -most, -most}, infinite},
		{"back in the range", []money.USD{most, most, -most, -1}, most - 1},
		{"NaN", []money.USD{notANumber, dollar}, notANumber},
		{"NaN last", []money.USD{dollar, notANumber}, notANumber},
		{"NaN and NaN, which plain + makes free", []money.USD{notANumber, notANumber}, notANumber},
		{"infinite", []money.USD{dollar, infinite}, infinite},
		{"infinite twice", []money.USD{infinite, infinite}, infinite},
		{"Unlimited", []money.USD{-dollar, money.Unlimited}, money.Unlimited},
		{"infinite before Unlimited", []money.USD{money.Unlimited, infinite}, infinite},
		{"and in the other order", []money.USD{infinite, money.Unlimited}, infinite},
		{"NaN before both", []money.USD{money.Unlimited, infinite, notANumber, infinite, money.Unlimited}, notANumber},
		{"NaN before a sum beyond the range", []money.USD{most, most, notANumber}, notANumber},
	} {
		if got := money.Sum(tt.in...); got != tt.want {
			t.Errorf("%s: Sum(%d) = %d, want %d", tt.reason, tt.in, got, tt.want)
		}
	}
}

func TestMul(t *testing.T) {
	for _, tt := range []struct {
		reason string
		u      money.USD
		n      int64
		want   money.USD
	}{
		{"a price of several", 25 * cent, 3, 75 * cent},
		{"by 0", dollar, 0, 0},
		{"by a negative number", dollar, -2, -2 * dollar},
		{"of a negative amount", -dollar, 2, -2 * dollar},
		{"of both", -dollar, -2, 2 * dollar},
		{"the largest amount", most, 1, most},
		{"the least amount", most, -1, -most},
		{"beyond the range", most, 2, money.Unlimited},
		{"by the largest number", most, math.MaxInt64, money.Unlimited},
		{"by the least number", most, math.MinInt64, infinite},
		{"of a negative amount by the least number", -most, math.MinInt64, money.Unlimited},
		{"the value of Unlimited", nano, math.MaxInt64, money.Unlimited},
		{"the value of infinite", nano, -math.MaxInt64, infinite},
		{"the value of NaN, beyond the range", nano, math.MinInt64, infinite},
		{"a product that wraps around to 0", 1 << 32, 1 << 32, money.Unlimited},
		{"NaN", notANumber, 1, notANumber},
		{"NaN by 0", notANumber, 0, notANumber},
		{"NaN by 2, which plain * makes free", notANumber, 2, notANumber},
		{"infinite", infinite, 0, infinite},
		{"infinite by a negative number", infinite, -1, infinite},
		{"Unlimited", money.Unlimited, 0, money.Unlimited},
		{"Unlimited by a negative number", money.Unlimited, -1, money.Unlimited},
	} {
		if got := money.Mul(tt.u, tt.n); got != tt.want {
			t.Errorf("%s: Mul(%d, %d) = %d, want %d", tt.reason, tt.u, tt.n, got, tt.want)
		}
	}
}

// carried returns what the contract says that operands which are no amounts make of a result.
func carried(amounts ...money.USD) (money.USD, bool) {
	for _, worst := range []money.USD{notANumber, infinite, money.Unlimited} {
		for _, u := range amounts {
			if u == worst {
				return worst, true
			}
		}
	}
	return 0, false
}

// saturated returns a number as an amount.
func saturated(x *big.Int) money.USD {
	switch {
	case x.Cmp(big.NewInt(int64(most))) > 0:
		return money.Unlimited
	case x.Cmp(big.NewInt(-int64(most))) < 0:
		return infinite
	}
	return money.USD(x.Int64())
}

// wantSum is the specification of Sum, in numbers of any size.
func wantSum(amounts ...money.USD) money.USD {
	if u, ok := carried(amounts...); ok {
		return u
	}
	sum := new(big.Int)
	for _, u := range amounts {
		sum.Add(sum, big.NewInt(int64(u)))
	}
	return saturated(sum)
}

// wantMul is the specification of Mul.
func wantMul(u money.USD, n int64) money.USD {
	if u, ok := carried(u); ok {
		return u
	}
	return saturated(new(big.Int).Mul(big.NewInt(int64(u)), big.NewInt(n)))
}

// anyInt64 returns numbers of all sizes and, now and then, one at the ends of the range.
func anyInt64(r *rand.Rand) int64 {
	switch n := int64(r.Uint64()); r.IntN(16) {
	case 0:
		return math.MinInt64 + r.Int64N(4)
	case 1:
		return math.MaxInt64 - r.Int64N(4)
	default:
		return n >> r.IntN(64)
	}
}

func TestSumAndMulAreExact(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	amounts := make([]money.USD, 6)
	for range 100_000 {
		some := amounts[:r.IntN(len(amounts)+1)]
		for i := range some {
			some[i] = money.USD(anyInt64(r))
		}
		want := wantSum(some...)
		if got := money.Sum(some...); got != want {
			t.Fatalf("Sum(%d) = %d, want %d", some, got, want)
		}
		r.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
		if got := money.Sum(some...); got != want {
			t.Fatalf("Sum(%d) = %d, and %d in another order", some, got, want)
		}
		u, n := money.USD(anyInt64(r)), anyInt64(r)
		if got, want := money.Mul(u, n), wantMul(u, n); got != want {
			t.Fatalf("Mul(%d, %d) = %d, want %d", u, n, got, want)
		}
	}
}

func FuzzSum(f *testing.F) {
	f.Add(int64(dollar), int64(cent), int64(-nano))
	f.Add(int64(most), int64(most), -int64(most))
	f.Add(int64(notANumber), int64(infinite), int64(money.Unlimited))
	f.Fuzz(func(t *testing.T, a, b, c int64) {
		if got, want := money.Sum(money.USD(a), money.USD(b), money.USD(c)), wantSum(money.USD(a), money.USD(b), money.USD(c)); got != want {
			t.Errorf("Sum(%d, %d, %d) = %d, want %d", a, b, c, got, want)
		}
		if got, want := money.Sum(money.USD(a), money.USD(b)), wantSum(money.USD(a), money.USD(b)); got != want {
			t.Errorf("Sum(%d, %d) = %d, want %d", a, b, got, want)
		}
		if got, want := money.Mul(money.USD(a), b), wantMul(money.USD(a), b); got != want {
			t.Errorf("Mul(%d, %d) = %d, want %d", a, b, got, want)
		}
	})
}
