package price_test

import (
	"os"
	"testing"

	"github.com/stagemeter/stagemeter/instrument/price"
)

func BenchmarkParse(b *testing.B) {
	text, err := os.ReadFile("prices.json")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := price.Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCost(b *testing.B) {
	table := price.Default()
	u := usage("openai", "gpt-4o-2024-08-06", used{price.Input: 176, price.CacheRead: 1024, price.Output: 300})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := table.Cost(u); err != nil {
			b.Fatal(err)
		}
	}
}
