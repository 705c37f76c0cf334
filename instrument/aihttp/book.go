package aihttp

import (
	"context"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/internal/seam"
	"github.com/stagemeter/stagemeter/instrument/money"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// Book books a call that was made by another way than HTTP, such as a websocket or a webhook, at the
// prices of the Transport; see [WithPrices]. Its span and metrics are those of a call that passes, but
// for the durations of gen_ai. An unknown price is counted as unpriced and returned. Inside of a call,
// such as one of [instrument.RunCall], the cost is added to that call.
func (t *Transport) Book(ctx context.Context, u price.Usage) (cost money.USD, err error) {
	cost, err = t.prices.Cost(u)
	x := &exchange{t: t, ep: &endpoint{provider: u.Provider, operation: operationOf(&u)}, call: instrument.CallFromContext(ctx)}
	x.model, x.askedModel, x.usage, x.hasUsage = u.Model, u.Model, u, !u.None()
	x.tel.cost, x.tel.priced = cost, err == nil
	if x.own = x.call == nil; x.own {
		var refused error
		ctx, x.call, refused = instrument.StartCall(ctx, u.Provider, instrument.Free()) // the money is gone
		if refused != nil {
			return cost, refused
		}
	}
	seam.PricesChecked(x.call, t.prices.Checked())
	x.begin(ctx)
	if err != nil {
		x.tellUnknown(err)
		x.call.AddUnpriced(reasonOf(err))
	} else {
		x.call.AddCost(cost)
	}
	x.show(nil)
	if x.own {
		x.call.End(nil)
	}
	return cost, err
}

// operationOf returns gen_ai.operation.name of a call, by what it has used.
func operationOf(u *price.Usage) string {
	switch {
	case u.Given(price.Images):
		return "image_generation"
	case u.Given(price.Characters), u.Given(price.OutputAudio) && !u.Given(price.InputAudio):
		return "speech"
	case u.Given(price.Audio), u.Given(price.InputAudio) && !u.Given(price.OutputAudio):
		return "transcription"
	case u.Given(price.Video):
		return "media_generation"
	case u.InputTokens()+u.OutputTokens() > 0:
		return "chat"
	}
	return "request"
}
