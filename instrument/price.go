package instrument

import (
	"sync"
	"sync/atomic"

	"github.com/stagemeter/stagemeter/instrument/money"
	"github.com/stagemeter/stagemeter/semconv"
)

// price holds what a call has said of its cost, before it was made and since. Its methods are safe
// for concurrent use.
type price struct {
	max, min       USD                    // of WithMaxCost and WithMinCost
	said           atomic.Int64           // an amount with its bits inverted, or one of the words below
	reason         atomic.Pointer[string] // of SetUnpriced, or of WithUnknownCost until then
	parts          atomic.Pointer[parts]  // of AddCost and AddUnpriced; nil without
	hasMax, hasMin bool
	free           bool
}

// parts are what the requests of one call have cost.
type parts struct {
	mu      sync.Mutex
	cost    USD
	unknown []string // why the cost of a request is not known
	booked  bool     // the call has ended: a request that tells its cost now is booked by itself
}

// noParts is what a call has that has ended without any, and has booked no amount.
var noParts = &parts{booked: true}

func (p *price) addTo() *parts {
	for {
		if all := p.parts.Load(); all != nil {
			return all
		}
		p.parts.CompareAndSwap(nil, new(parts))
	}
}

// addCost reports whether the call books the cost. If not, the call has ended.
func (p *price) addCost(cost USD) bool {
	all := p.addTo()
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.booked {
		return false
	}
	all.cost = money.Sum(all.cost, cost)
	return true
}

// addUnpriced reports the same as addCost.
func (p *price) addUnpriced(reason string) bool {
	all := p.addTo()
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.booked {
		return false
	}
	if len(all.unknown) < maxUnknownParts {
		all.unknown = append(all.unknown, reason)
	}
	return true
}

// maxUnknownParts bounds what a call remembers of requests whose cost is not known.
const maxUnknownParts = 1000

// Words of price.said.
const (
	noPrice      = 0
	invalidPrice = 1 // an amount that cannot be booked, and none that can
	unpricedCall = 2 // by SetUnpriced
)

func (p *price) set(cost USD) { p.said.Store(^int64(cost)) }

func (p *price) setInvalid() { p.said.CompareAndSwap(noPrice, invalidPrice) }

func (p *price) setUnpriced(reason string) {
	p.reason.Store(&reason)
	p.said.Store(unpricedCall)
}

// unknown returns why the call said before it was made that its price is unknown, or "".
func (p *price) unknown() string {
	switch reason := p.reason.Load(); {
	case p.free || p.hasMax:
		return ""
	case reason != nil:
		return *reason
	case p.said.Load() == invalidPrice:
		return string(semconv.UnpricedReasonInvalid)
	}
	return ""
}

// A booking is what a call that has ended cost.
type booking struct {
	kind   bookingKind
	cost   USD      // if kind is booked
	reason string   // if kind is unpriced
	failed bool     // the call failed, so that the maximum it had reserved is given back
	also   []string // of a call that is booked: why further costs are unknown
}

type bookingKind int

const (
	booked   bookingKind = iota
	nothing              // the call surely cost nothing
	unpriced             // its cost is unknown
)

// book returns what a call cost that has succeeded, or failed and may have been charged. It is the
// table at [Call.End].
func (p *price) book(failed, charged bool) booking {
	said := p.said.Load()
	if said != noPrice {
		return p.bookWhole(said, failed, charged)
	}
	if p.parts.Load() == nil {
		if b := p.bookWhole(said, failed, charged); b.kind == booked || p.parts.CompareAndSwap(nil, noParts) {
			return b
		}
	}
	all := p.parts.Load()
	all.mu.Lock()
	defer all.mu.Unlock()
	all.booked = true
	return booking{cost: all.cost, also: all.unknown}
}

// bookWhole is book for a call whose requests tell nothing.
func (p *price) bookWhole(said int64, failed, charged bool) booking {
	switch {
	case said < noPrice && failed && charged:
		return booking{cost: max(USD(^said), p.min)}
	case said < noPrice:
		return booking{cost: USD(^said)}
	case failed && !charged:
		return booking{kind: nothing}
	case said == unpricedCall:
		return booking{kind: unpriced, reason: *p.reason.Load()}
	case p.free:
		return booking{}
	case failed && p.hasMin:
		return booking{cost: p.min}
	case p.hasMax && !failed:
		return booking{cost: p.max}
	}
	return booking{kind: unpriced, reason: p.whyUnpriced(said, failed), failed: failed && p.hasMax}
}

// whyUnpriced returns the reason of a call that has said nothing that could be booked.
func (p *price) whyUnpriced(said int64, failed bool) string {
	switch reason := p.reason.Load(); {
	case reason != nil:
		return *reason
	case said == invalidPrice:
		return string(semconv.UnpricedReasonInvalid)
	case failed:
		return string(semconv.UnpricedReasonFailed)
	}
	return string(semconv.UnpricedReasonNoPrice)
}
