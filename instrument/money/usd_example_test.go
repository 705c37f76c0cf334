package money_test

import (
	"fmt"

	"github.com/stagemeter/stagemeter/instrument/money"
)

// Nano-dollars add up exactly. Floats do not.
func ExampleDollars() {
	var sum money.USD
	var float float64
	for range 1_000_000 {
		sum = money.Sum(sum, money.Dollars(0.0001))
		float += 0.0001
	}
	fmt.Println(sum, float == 100)
	// Output: $100.00 false
}

// An amount from a flag or a file.
func ExampleParseUSD() {
	for _, text := range []string{"2", "$1.50", "0.000000001", "unlimited", "-1"} {
		if amount, err := money.ParseUSD(text); err != nil {
			fmt.Println(err)
		} else {
			fmt.Println(amount)
		}
	}
	// Output:
	// $2.00
	// $1.50
	// $0.000000001
	// unlimited
	// money: "-1" is not an amount of dollars such as 2, 0.25 or $1.50, with up to nine decimals
}
