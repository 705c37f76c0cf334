package money_test

import (
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument/money"
)

// kept keeps the compiler from leaving a computation out.
var kept money.USD

// A price is computed, and added to others, for every paid call.
func TestMoneyAllocations(t *testing.T) {
	tokens, audio := int64(79), 61*time.Second
	for _, tt := range []struct {
		name string
		f    func()
	}{
		{"Sum", func() { kept = money.Sum(kept, cent) }},
		{"Sum of four", func() { kept = money.Sum(kept, cent, -cent, dollar) }},
		{"Mul", func() { kept = money.Mul(cent, tokens) }},
		{"Rate.Of a count", func() { kept = transcribeIn.Of(tokens) }},
		{"Rate.Of a time", func() { kept = whisper.Of(audio) }},
		{"Total at one denominator", func() {
			kept = money.Total(miniIn.Times(tokens), miniCached.Times(tokens), transcribeOut.Times(tokens))
		}},
		{"Total at several", func() {
			kept = money.Total(miniIn.Times(tokens), whisper.Times(audio), money.PerHour(cent).Times(audio), money.Per(cent, 1000).Times(tokens))
		}},
	} {
		if got := testing.AllocsPerRun(1000, tt.f); got != 0 {
			t.Errorf("%s: %v allocations, want 0", tt.name, got)
		}
	}
}

func BenchmarkSum(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		kept = money.Sum(kept, nano)
	}
}

func BenchmarkRateOf(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		kept = transcribeIn.Of(79)
	}
}

func BenchmarkTotal(b *testing.B) {
	for _, bb := range []struct {
		name  string
		terms []money.Term
	}{
		{"one denominator", []money.Term{miniIn.Times(79), miniCached.Times(21), transcribeOut.Times(28)}},
		{"several", []money.Term{miniIn.Times(79), miniCached.Times(21), whisper.Times(61 * time.Second)}},
		{"beyond 64 bits", []money.Term{money.Per(1, hugePrime).Times(1), money.Per(1, anotherPrime).Times(1)}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				kept = money.Total(bb.terms...)
			}
		})
	}
}
