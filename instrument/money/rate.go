package money

import "time"

// A Rate is the published price of a number of units, such as $2.50 a million tokens or $0.006 a
// minute. It is kept as it is published, since the price of one unit is often not a whole
// nano-dollar:
//
//	money.PerMinute(6 * money.Cent / 10).Of(audio)   // $0.006 a minute
//	money.PerMillion(250 * money.Cent).Of(tokens)    // $2.50 a million tokens
//
// A rate by time is a Rate[time.Duration] and a rate by count is a Rate[int64], so that the
// compiler refuses the one for the other. A Rate is immutable and safe for concurrent use.
//
// The zero Rate has no price: what it gives is refused by [USD.Validate]. So is what a negative
// price, or the price of 0 or less units, gives. The price 0 is free.
type Rate[N int64 | time.Duration] struct {
	price USD
	per   N
}

// Per returns the rate of a price for n units of anything that is counted.
func Per(price USD, n int64) Rate[int64] { return Rate[int64]{price, n} }

// PerMillion returns the rate of a price for a million units, as tokens are priced.
func PerMillion(price USD) Rate[int64] { return Per(price, 1_000_000) }

// PerCharacter returns the rate of a price for one character, as speech synthesis is priced.
func PerCharacter(price USD) Rate[int64] { return Per(price, 1) }

// PerDuration returns the rate of a price for a time, such as 15 seconds.
func PerDuration(price USD, d time.Duration) Rate[time.Duration] {
	return Rate[time.Duration]{price, d}
}

// PerSecond returns the rate of a price for a second.
func PerSecond(price USD) Rate[time.Duration] { return PerDuration(price, time.Second) }

// PerMinute returns the rate of a price for a minute, as transcription is priced.
func PerMinute(price USD) Rate[time.Duration] { return PerDuration(price, time.Minute) }

// PerHour returns the rate of a price for an hour, as machines are priced.
func PerHour(price USD) Rate[time.Duration] { return PerDuration(price, time.Hour) }

// Of returns the price of n units, computed exactly and rounded once, half a nano-dollar up. It
// does not allocate. A price beyond the range is [Unlimited], and the price of a negative n is an
// amount that [USD.Validate] refuses; see [Total].
//
// To add several prices, use [Rate.Times] and [Total], which round only their sum.
func (r Rate[N]) Of(n N) USD { return Total(r.Times(n)) }

// Times returns the price of n units before it is rounded, for [Total].
func (r Rate[N]) Times(n N) Term { return Term{r.price, int64(n), int64(r.per)} }
