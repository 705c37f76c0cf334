package money_test

import (
	"fmt"
	"time"

	"github.com/stagemeter/stagemeter/instrument/money"
)

// What 61 seconds of audio cost at $0.006 a minute, and 4,095 characters of speech at $15 a
// million.
func ExampleRate_Of() {
	fmt.Println(money.PerMinute(6 * money.Cent / 10).Of(61 * time.Second))
	fmt.Println(money.PerMillion(15 * money.Dollar).Of(4095))
	// Output:
	// $0.0061
	// $0.061425
}

// A price of several terms is rounded once.
func ExampleTotal() {
	in := money.PerMillion(250 * money.Cent)
	cached := money.PerMillion(125 * money.Cent)
	out := money.PerMillion(10 * money.Dollar)
	audio := money.PerHour(36 * money.Cent)
	fmt.Println(money.Total(in.Times(79), cached.Times(21), out.Times(28), audio.Times(3003*time.Millisecond)))

	third := money.Per(money.Nano, 3)
	fmt.Println(money.Sum(third.Of(1), third.Of(1), third.Of(1)), "is not", money.Total(third.Times(1), third.Times(1), third.Times(1)))
	// Output:
	// $0.00080405
	// $0.00 is not $0.000000001
}

// A total that overflows says so instead of wrapping around.
func ExampleSum() {
	most := money.Unlimited - 1
	fmt.Println(money.Sum(money.Dollar, 50*money.Cent))
	fmt.Println(money.Sum(most, money.Nano), money.Sum(most, money.Nano).Validate())
	// Output:
	// $1.50
	// unlimited beyond the range of an amount
}
