package budget

import "github.com/stagemeter/stagemeter/instrument/money"

// percents are the thresholds that are told once an account.
var percents = [...]int{50, 80, 100, Exceeded}

// thresholds is a set of percents, by index.
type thresholds uint8

// least returns the least amount that reaches a percentage of a limit. [money.Unlimited] says that
// nothing does.
func least(percent int, limit money.USD) money.USD {
	switch {
	case limit == money.Unlimited:
		return money.Unlimited
	case percent == Exceeded:
		return money.Sum(limit, 1)
	}
	n := int64(percent)
	return max(1, money.Sum(money.Mul(limit/100, n), money.Sum(money.Mul(limit%100, n), 99)/100))
}

// arm sets what has to be spent to reach another threshold.
func (b *books) arm() {
	b.next = money.Unlimited
	for i, percent := range percents {
		if b.reached&(1<<i) == 0 {
			b.next = min(b.next, least(percent, b.scope.Limit))
		}
	}
}

// setLimit changes the limit, and forgets the thresholds that are not reached at the new one.
func (b *books) setLimit(limit money.USD) {
	if limit == b.scope.Limit {
		return
	}
	b.scope.Limit = limit
	for i, percent := range percents {
		if at := least(percent, limit); at == money.Unlimited || b.spent < at {
			b.reached &^= 1 << i
		}
	}
	b.arm()
}

// near reports whether a threshold may be reached that was not told.
func (b *books) near() bool { return b.spent >= b.next }

// cross appends the thresholds that are reached and were not told.
func (b *books) cross(crossed []Crossing) []Crossing {
	if !b.near() {
		return crossed
	}
	for i, percent := range percents {
		if at := least(percent, b.scope.Limit); at != money.Unlimited && b.spent >= at {
			crossed = b.reach(crossed, i, percent)
		}
	}
	b.arm()
	return crossed
}

// exceed appends that a call was refused, unless the budget was exceeded before.
func (b *books) exceed(crossed []Crossing) []Crossing {
	crossed = b.reach(b.cross(crossed), len(percents)-1, Exceeded)
	b.arm()
	return crossed
}

func (b *books) reach(crossed []Crossing, i, percent int) []Crossing {
	if b.reached&(1<<i) != 0 {
		return crossed
	}
	b.reached |= 1 << i
	return append(crossed, Crossing{Scope: b.scope, Percent: percent, Spent: b.spent})
}
