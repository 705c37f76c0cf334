package aihttp

import (
	"context"
	"errors"
	"net/http"

	"github.com/stagemeter/stagemeter/instrument/money"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// Reasons for which an attempt has no price, beside those of package price.
const (
	reasonFailed    = "failed"    // it may have been charged, and nobody knows
	reasonCutOff    = "cut_off"   // the answer was not read to its end
	reasonMalformed = "malformed" // what the answer says of usage cannot be right
	reasonTooLarge  = "too_large" // what it says was longer than what is read
	reasonEncoding  = "encoding"  // the answer is compressed in a way that is not read
)

func reasonOf(err error) string {
	var unknown *price.UnknownError
	if errors.As(err, &unknown) {
		return string(unknown.Reason)
	}
	return string(price.UnknownUsage)
}

// settle tells the call what this attempt has cost.
func (x *exchange) settle(err error) {
	if x.ep.poll {
		x.settlePoll(err)
		return
	}
	if x.resp == nil || x.resp.StatusCode/100 != 2 {
		x.settleFailure(err)
		return
	}
	whole := x.readRest(err)
	if x.settleJob() {
		return
	}
	cost, err := x.cost()
	switch {
	case err == nil:
		x.call.AddCost(cost)
		x.tel.cost, x.tel.priced = cost, true
		if !whole {
			x.call.AddUnpriced(reasonCutOff)
		}
	case !whole:
		x.call.AddUnpriced(reasonCutOff)
	case x.bad != "":
		x.call.AddUnpriced(x.bad)
	default:
		x.tellUnknown(err)
		x.call.AddUnpriced(reasonOf(err))
	}
}

// settleFailure is settle for an attempt without an answer of success. Whether an attempt of its own
// may have been charged, the call's End knows best.
func (x *exchange) settleFailure(error) {
	switch {
	case x.own:
		x.call.SetUnpriced(reasonFailed)
	case x.resp == nil && x.left || x.resp != nil && x.resp.StatusCode >= http.StatusInternalServerError:
		x.call.AddUnpriced(reasonFailed)
	}
}

// newline ends a number at the end of an answer.
var newline = []byte{'\n'}

// readRest reads what the answer says as a whole, and reports whether it is all there.
func (x *exchange) readRest(err error) (whole bool) {
	whole = true
	defer x.containParser()
	if x.packed != nil {
		if why := x.packed.open(x.parse); why != "" {
			x.bad = why
		}
	}
	switch {
	case x.events != nil:
		if !x.over {
			x.events.Close()
			x.readHeld()
		}
		if x.events.Skipped() && !x.hasUsage {
			x.bad = reasonTooLarge
		}
		return err == nil || x.over
	case x.ans != nil:
		_, _ = x.ans.Write(newline)
		x.ep.read(x, x.ans)
		if x.ans.TooBig() && !x.hasUsage {
			x.bad = reasonTooLarge
		}
		return err == nil || x.ans.Done()
	}
	if x.ep.own != nil {
		x.readOwn(err == nil)
		return err == nil
	}
	return true // nothing of the answer is needed
}

// cost returns the price of what the attempt has used.
func (x *exchange) cost() (_ usd, err error) {
	defer func() {
		if v := recover(); v != nil {
			tellBug(v)
			err = errMalformed
		}
	}()
	x.askOnce()
	switch {
	case x.isReported:
		return x.reported, nil
	case x.inParts:
		return money.Sum(x.parts, half(x.halved)), nil
	}
	u := &x.usage
	if x.untold > 0 {
		u.Add(price.Output, x.untold)
		x.untold = 0
	}
	if x.ep.own == nil {
		u.Provider, u.Tier, u.Region = x.ep.provider, x.tier, x.region
		u.Model = x.pricedModel()
	}
	if u.Model == "" && x.hint != nil {
		u.Model = x.hint.Model
	}
	if !x.hasUsage && x.hint != nil {
		for unit := price.Unit(0); unit.Valid(); unit++ {
			if x.hint.Given(unit) {
				u.Add(unit, x.hint.Of(unit))
			}
		}
	}
	x.addFee(u)
	if x.bad != "" {
		return 0, errMalformed
	}
	return x.priceOf(u)
}

// priceOf returns the price of a usage, with that of the options of the request. To tell speakers
// apart is part of the model's price if it has no row of its own, as by older contracts.
func (x *exchange) priceOf(u *price.Usage) (usd, error) {
	sum, err := x.t.prices.Cost(*u)
	if err != nil {
		return 0, err
	}
	for _, also := range x.also {
		also.Provider, also.Tier, also.Region, also.Multipliers = u.Provider, u.Tier, u.Region, u.Multipliers
		if also.Model == "" {
			also.Model = u.Model
		}
		cost, err := x.t.prices.Cost(also)
		if err != nil {
			return 0, err
		}
		sum = money.Sum(sum, cost)
	}
	for _, option := range x.extras {
		more := *u
		more.Model, more.Variant = option, ""
		cost, err := x.t.prices.Cost(more)
		var unknown *price.UnknownError
		switch {
		case errors.As(err, &unknown) && unknown.Reason == price.UnknownModel && (option == "diarize" || option == "speaker_labels"):
		case err != nil:
			return 0, err
		default:
			sum = money.Sum(sum, cost)
		}
	}
	return sum, nil
}

// askOnce takes what the request has told, once.
func (x *exchange) askOnce() {
	if x.wasAsked || x.ep.asked == nil {
		return
	}
	x.wasAsked = true
	defer x.containParser()
	x.ep.asked(x)
}

var errMalformed = errors.New("what the answer says of usage cannot be right")

// outcome is the error with which the call of this attempt ends.
func (x *exchange) outcome(err error) error {
	if err == errLeft {
		if x.ans != nil && x.events == nil && x.ans.Done() {
			return nil // the caller has read the one value that there is
		}
		return context.Canceled
	}
	return err
}
