package aihttp

import (
	"errors"
	"fmt"
	"sync"

	"go.opentelemetry.io/otel"

	"github.com/stagemeter/stagemeter/instrument/price"
)

// maxUnknown is how many models without a price are told. Answers choose the names of models.
const maxUnknown = 100

// unknowns tells the log which models have no price, each once.
type unknowns struct {
	mu   sync.Mutex
	told map[unknownKey]struct{}
}

type unknownKey struct {
	provider, model string
	reason          price.Reason
}

// tell tells an [price.UnknownError], with a hint what to do. Other errors are none of its.
func (u *unknowns) tell(err error, hint string) {
	var e *price.UnknownError
	if !errors.As(err, &e) {
		return
	}
	k := unknownKey{shown(e.Provider), shown(e.Model), e.Reason}
	u.mu.Lock()
	_, known := u.told[k]
	known = known || len(u.told) > maxUnknown
	full := len(u.told) == maxUnknown
	if !known {
		if u.told == nil {
			u.told = make(map[unknownKey]struct{})
		}
		u.told[k] = struct{}{}
	}
	u.mu.Unlock()
	switch {
	case known:
	case full:
		otel.Handle(fmt.Errorf("aihttp: more than %d models have no price: further ones are only counted", maxUnknown))
	default:
		otel.Handle(fmt.Errorf("aihttp: %w; its calls are unpriced%s", e, hint))
	}
}

// tellUnknown tells why a call has no price.
func (x *exchange) tellUnknown(err error) {
	hint := ": see docs/costs.md"
	switch {
	case !is(err, price.UnknownUsage):
		hint = ": a row of STAGEMETER_PRICES or of WithPrices may price them"
	case x.events != nil && x.ep.tellsUsage && !x.t.streamUsage:
		hint = ": WithStreamUsage asks for the usage of streams"
	}
	x.t.unknowns.tell(err, hint)
}
