package aihttp

import (
	"time"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
	"github.com/stagemeter/stagemeter/instrument/price"
)

func readOpenAITranscription(x *exchange, v *wire.JSON) {
	x.saw(v.Value(gotModel), nil)
	usage := v.Value(gotUsage)
	switch {
	case usage.Null():
		x.heard(v.Value(gotDuration))
		switch x.ep.provider {
		case "openai", "azure.ai.openai", "litellm": // who bill begun seconds
			if part := x.usage.Of(price.Audio) % int64(time.Second); x.hasUsage && part > 0 {
				x.usage.Add(price.Audio, int64(time.Second)-part)
			}
		}
	case usage.Get("type").Is("duration"):
		x.heard(usage.Get("seconds"))
	case !usage.Get("input_tokens").Null():
		t := tokensOf(x, usage, "input_tokens", "output_tokens")
		in := usage.Get("input_token_details")
		if !in.Null() {
			t.audioIn, t.cached = in.Get("audio_tokens"), in.Get("cached_tokens")
		}
		x.tokens(t)
		x.unsplit = in.Null() && usage.Get("input_tokens_details").Null()
	default:
		x.tokens(tokensOf(x, usage, "prompt_tokens", "completion_tokens"))
		x.compatible(usage)
	}
}

// openAIHeard prices what a transcription has used by the measure that the table has a price for:
// Mistral tells a length beside tokens.
func openAIHeard(x *exchange) {
	openAIAsked(x)
	if x.unsplit && x.hasUsage { // text or sound: it is only known if they cost the same
		sound := price.Usage{Provider: x.ep.provider, Model: x.pricedModel(), Tier: x.tier}
		text := sound
		sound.Add(price.InputAudio, x.usage.Of(price.Input))
		text.Add(price.Input, x.usage.Of(price.Input))
		a, errA := x.t.prices.Cost(sound)
		b, errB := x.t.prices.Cost(text)
		if errA == nil && (errB != nil || a != b) {
			x.bad = string(price.UnknownUnit)
		}
	}
	if !x.hasUsage || !x.usage.Given(price.Audio) || !x.usage.Given(price.Input) {
		return
	}
	var length, tokens price.Usage
	length.Add(price.Audio, x.usage.Of(price.Audio))
	for unit := price.Unit(0); unit.Valid(); unit++ {
		if n := x.usage.Of(unit); n > 0 && unit != price.Audio {
			tokens.Add(unit, n)
		}
	}
	x.choose(x.usage, length, tokens)
}

// readOpenAISpeech reads an event of a stream of speech: all output is sound.
func readOpenAISpeech(x *exchange, v *wire.JSON) {
	x.saw(v.Value(gotModel), nil)
	if usage := v.Value(gotUsage); !usage.Null() {
		t := tokensOf(x, usage, "input_tokens", "output_tokens")
		t.audioOut = t.output
		x.tokens(t)
	}
}

func readOpenAIImages(x *exchange, v *wire.JSON) {
	x.saw(v.Value(gotModel), nil)
	usage := v.Value(gotUsage)
	if usage.Null() {
		return
	}
	t := tokensOf(x, usage, "input_tokens", "output_tokens")
	if t.imageOut.Null() { // all that the model has drawn
		t.imageOut = t.output
	}
	x.tokens(t)
	x.compatible(usage)
}

// openAISpoken prices speech by the characters of the request, unless the answer has tokens and the
// table a price for them.
func openAISpoken(x *exchange) {
	openAIAsked(x)
	if x.sent == nil || x.sent.TooBig() {
		return
	}
	text := x.sent.Value(sentInput)
	if x.hasUsage {
		var characters price.Usage
		characters.Add(price.Characters, text.Runes())
		x.choose(x.usage, characters)
		return
	}
	x.used(price.Characters, text.Runes(), len(text) > 1)
}

// openAIDrawn prices images by their number, size and quality, unless the answer has tokens and the
// table a price for them.
func openAIDrawn(x *exchange) {
	openAIAsked(x)
	n, ok := wire.ParseDecimal(x.sentText(sentN, "n"), 0)
	if !ok {
		n = 1
	}
	size, quality := x.sentText(sentSize, "size"), x.sentText(sentQuality, "quality")
	if size == "" || size == "auto" {
		size = "1024x1024"
	}
	if quality == "" || quality == "auto" {
		quality = "standard"
	}
	drawn := price.Usage{Variant: size + "/" + quality}
	drawn.Add(price.Images, n)
	if x.hasUsage {
		x.choose(x.usage, drawn)
		return
	}
	x.usage, x.hasUsage = drawn, true
}
