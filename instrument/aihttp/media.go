package aihttp

import (
	"errors"
	"time"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// media are the providers that are paid for media or for machines, and Bedrock.
var media = []*provider{
	deepgram, elevenLabs, assemblyAI, googleSpeech, revAI, fal, replicate, runway,
	aws, bedrock, awsTranscribe, ollama, vLLM,
}

// characters takes a number of characters that an answer's head tells.
func (x *exchange) characters(text string) {
	if n, ok := wire.ParseDecimal(text, 0); ok && text != "" {
		x.used(price.Characters, n, true)
	}
}

// spoken takes the characters of the request's text, unless the answer has told them.
func (x *exchange) spoken(path int) {
	if !x.hasUsage && x.sent != nil && !x.sent.TooBig() && !x.sent.Value(path).Null() {
		x.used(price.Characters, x.sent.Value(path).Runes(), true)
	}
}

// heard takes a length of audio.
func (x *exchange) heard(v wire.Value) {
	if !v.Null() {
		ns, ok := v.Decimal(9)
		x.usage = price.Usage{Variant: x.usage.Variant}
		x.used(price.Audio, ns, ok)
	}
}

// atLeast raises what was used of a unit of time to what a request costs at least.
func (x *exchange) atLeast(unit price.Unit, least time.Duration) {
	if n := x.usage.Of(unit); x.hasUsage && n < int64(least) {
		x.usage.Add(unit, int64(least)-n)
	}
}

// hinted takes what WithUsage says, if nothing better is known.
func (x *exchange) hinted() {
	if !x.hasUsage && x.hint != nil {
		x.usage, x.hasUsage = *x.hint, true
	}
}

// pick returns the first of several names of a model that the table has, or else the first.
func (x *exchange) pick(names ...string) string {
	for _, name := range names {
		_, err := x.t.prices.Cost(price.Usage{Provider: x.ep.provider, Model: name})
		if !is(err, price.UnknownModel) {
			return name
		}
	}
	return names[0]
}

// choose takes the first of several measures of the call that the table has a price for, or else the
// last.
func (x *exchange) choose(ways ...price.Usage) {
	model := x.pricedModel()
	for i, u := range ways {
		u.Provider, u.Model, u.Tier, u.Region = x.ep.provider, model, x.tier, x.region
		_, err := x.t.prices.Cost(u)
		if i == len(ways)-1 || !is(err, price.UnknownUnit) && !is(err, price.UnknownUsage) {
			x.usage, x.hasUsage = u, !is(err, price.UnknownUsage)
			return
		}
	}
}

func is(err error, reason price.Reason) bool {
	var unknown *price.UnknownError
	return errors.As(err, &unknown) && unknown.Reason == reason
}
