package price

import (
	"math"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/instrument/money"
)

// maxFactors is how many multipliers a call may have. Their product must fit in 64 bits, too.
const maxFactors = 4

// Cost returns the price of a call, computed exactly and rounded once, half a nano-dollar up. Its
// error is an [UnknownError]: without a price for all that was used, there is no price.
//
//   - A call with more tokens of input than the row's threshold, cached ones included, is at the
//     rates above it as a whole; one with exactly as many is not.
//   - A call of which no unit was given is unknown, unless the row is free.
//   - Multipliers apply to all units but searches and containers, which vendors charge apart.
//
// It does not allocate, but for an error and for names with capital letters.
func (t *Table) Cost(u Usage) (money.USD, error) {
	r, reason, what := t.row(&u)
	if r == nil {
		return 0, unknown(u.Provider, u.Model, reason, what)
	}
	if r.free {
		return 0, nil
	}
	times, what := r.factor(u.Multipliers)
	if what != "" {
		return 0, unknown(u.Provider, u.Model, UnknownMultiplier, what)
	}
	if u.bad || u.used == 0 {
		return 0, unknown(u.Provider, u.Model, UnknownUsage, "")
	}
	over := r.over > 0 && u.InputTokens() > r.over
	var terms [units]money.Term
	n := 0
	for unit := range Unit(units) {
		if u.n[unit] == 0 {
			continue
		}
		rate := r.rate(unit, over)
		if rate.per == 0 {
			return 0, unknown(u.Provider, u.Model, UnknownUnit, unit.String())
		}
		by := times
		if unit.isTool() {
			by = factor{1, 1}
		}
		per, amount := rate.per*by.den, money.Mul(rate.price, by.num)
		if per/by.den != rate.per || amount == money.Unlimited && rate.price != amount {
			return 0, unknown(u.Provider, u.Model, UnknownMultiplier, strings.Join(u.Multipliers, " "))
		}
		terms[n] = money.Per(amount, per).Times(u.n[unit])
		n++
	}
	return money.Total(terms[:n]...), nil
}

func unknown(provider, model string, reason Reason, what string) error {
	return &UnknownError{Reason: reason, Provider: provider, Model: model, What: what}
}

// row returns the row for a call. Without one, it returns the reason and what that is about.
func (t *Table) row(u *Usage) (*row, Reason, string) {
	rows := t.find(u.Provider, u.Model)
	if len(rows) == 0 {
		return nil, UnknownModel, ""
	}
	at := u.At
	if at.IsZero() {
		at = time.Now()
	}
	tier := ordinary(u.Tier)
	var best *row
	rank, days, tiers := -1, false, false
	for _, r := range rows {
		if r.tier != tier {
			continue
		}
		tiers = true
		if at.Before(r.from) || !r.to.IsZero() && !at.Before(r.to) {
			continue
		}
		days = true
		fits := 0
		if r.region != "" {
			if !strings.EqualFold(r.region, u.Region) {
				continue
			}
			fits += 2
		}
		if r.variant != "" {
			if !strings.EqualFold(r.variant, u.Variant) {
				continue
			}
			fits++
		}
		if fits > rank {
			best, rank = r, fits
		}
	}
	switch {
	case best != nil:
		return best, "", ""
	case !tiers:
		return nil, UnknownTier, u.Tier
	case !days:
		return nil, UnknownDate, ""
	}
	return nil, UnknownVariant, strings.TrimSpace(u.Region + " " + u.Variant)
}

func (r *row) rate(u Unit, over bool) rate {
	if over && r.overRates[u].per != 0 {
		return r.overRates[u]
	}
	return r.rates[u]
}

// factor returns the product of multipliers, or the name of one that the row does not have or that
// is one too many, or makes the product too large.
func (r *row) factor(names []string) (factor, string) {
	f := factor{1, 1}
	for i, name := range names {
		x, ok := r.times[strings.ToLower(name)]
		if !ok || i == maxFactors || x.num > math.MaxInt64/f.num || x.den > math.MaxInt64/f.den {
			return f, name
		}
		f.num, f.den = f.num*x.num, f.den*x.den
	}
	return f, ""
}
