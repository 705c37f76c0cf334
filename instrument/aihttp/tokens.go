package aihttp

import (
	"bytes"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
	"github.com/stagemeter/stagemeter/instrument/money"
	"github.com/stagemeter/stagemeter/instrument/price"
)

type usd = money.USD

// tokens are the figures of an answer where input contains cached, written, audioIn and imageIn,
// output contains reasoning, audioOut and imageOut, and cached contains cachedAudio and cachedImage.
// What is null is none, but for input and output: one of the two is what total says beside the
// other.
type tokens struct {
	input, output, total, reasoning, cached, written, audioIn, imageIn, audioOut, imageOut, cachedAudio, cachedImage wire.Value
	apart                                                                                                            bool // output is without reasoning
}

// mostTokens is more than one call uses: figures above it are no figures.
const mostTokens = 1_000_000_000_000

// tokens takes the figures in place of those so far.
func (x *exchange) tokens(t tokens) {
	var n [12]int64
	for i, v := range [...]wire.Value{
		t.input, t.output, t.total, t.reasoning, t.cached, t.written, t.audioIn, t.imageIn, t.audioOut, t.imageOut, t.cachedAudio, t.cachedImage,
	} {
		if v.Null() {
			continue
		}
		var ok bool
		if n[i], ok = v.Int(); !ok || n[i] > mostTokens {
			x.bad = reasonMalformed
			return
		}
	}
	in, out, total, reasoning := n[0], n[1], n[2], n[3]
	switch {
	case t.input.Null() && t.output.Null() && x.ep.operation != "embeddings":
		return
	case t.input.Null() && !t.total.Null():
		in = total - out
	case t.output.Null() && !t.total.Null():
		out = total - in
	case t.input.Null(), t.output.Null() && x.ep.operation != "embeddings":
		x.bad = string(price.UnknownUsage)
		return
	}
	if reasoning > 0 && total != in+out && (t.apart || total == in+out+reasoning) {
		out += reasoning
	}
	cached, written := n[4], n[5]
	audioIn, imageIn, audioOut, imageOut, cachedAudio, cachedImage := n[6]-n[10], n[7]-n[11], n[8], n[9], n[10], n[11]
	text, spoken, cachedText := in-cached-written-audioIn-imageIn, out-audioOut-imageOut, cached-cachedAudio-cachedImage
	if min(in, out, audioIn, imageIn, text, spoken, cachedText, out-reasoning) < 0 {
		x.bad = reasonMalformed
		return
	}
	if in == 0 && out == 0 {
		return // no call has used nothing
	}
	x.usage = price.Usage{Multipliers: x.usage.Multipliers}
	for _, used := range [...]struct {
		unit price.Unit
		n    int64
	}{
		{price.Input, text}, {price.CacheRead, cachedText}, {price.CacheWrite5m, written}, {price.InputAudio, audioIn}, {price.InputImage, imageIn},
		{price.Output, spoken}, {price.OutputAudio, audioOut}, {price.OutputImage, imageOut},
		{price.CacheReadAudio, cachedAudio}, {price.CacheReadImage, cachedImage},
	} {
		x.usage.Add(used.unit, used.n)
	}
	x.hasUsage, x.bad = true, ""
}

// mostUsed is more than one call uses of any unit: a year of sound, in nanoseconds.
const mostUsed = 366 * 24 * int64(time.Hour)

// used takes how much was used of a unit.
func (x *exchange) used(unit price.Unit, n int64, ok bool) {
	if !ok || n > mostUsed {
		x.bad = reasonMalformed
		return
	}
	x.usage.Add(unit, n)
	x.hasUsage = true
}

// saw takes what an answer says of its model and its service tier.
func (x *exchange) saw(model, tier wire.Value) {
	if s := x.t.names.Text(model); s != "" {
		x.model = s
	}
	if s := x.t.names.Text(tier); s != "" {
		x.tier = s
	}
}

// pricedModel returns the name of the model by which the call is priced: that of the answer. A name
// that the table lacks and that is the snapshot of the model that was asked for, such as gpt-4-0613 of
// gpt-4, has that model's price.
func (x *exchange) pricedModel() string {
	asked := x.askedModel
	switch {
	case x.model == "":
		return asked
	case isSnapshot(x.model, asked) && !x.t.prices.Has(x.ep.provider, x.model) && x.t.prices.Has(x.ep.provider, asked):
		return asked
	}
	return x.model
}

// isSnapshot reports whether a name is that of a model and a number of a date, -0613 or -2506.
func isSnapshot(name, model string) bool {
	number, ok := strings.CutPrefix(name, strings.TrimSuffix(model, "-latest")+"-")
	return ok && model != "" && len(number) >= 4 && strings.Trim(number, "0123456789-") == ""
}

// addFee adds the request itself to what was used if the table has a price for it. It is all that is
// charged if the table has no other price.
func (x *exchange) addFee(u *price.Usage) {
	if u.Given(price.Requests) || !x.t.prices.Prices(*u, price.Requests) {
		return
	}
	for unit := price.Unit(0); unit.Valid(); unit++ {
		if unit != price.Requests && x.t.prices.Prices(*u, unit) {
			if x.hasUsage {
				u.Add(price.Requests, 1)
			}
			return
		}
	}
	*u = price.Usage{Provider: u.Provider, Model: u.Model, Tier: u.Tier, Region: u.Region, Variant: u.Variant}
	u.Add(price.Requests, 1)
	x.bad = ""
}

// sentText returns a field of the request, as text, whether it was JSON or a form.
func (x *exchange) sentText(path int, field string) string {
	switch {
	case x.form != nil:
		return strings.TrimSpace(x.form.Fields[field])
	case x.sent != nil:
		v := x.sent.Value(path)
		if len(v) > 0 && v[0] != '"' {
			return x.t.names.Written(v)
		}
		return x.t.names.Text(v)
	}
	return ""
}

// sentValue returns a field of a JSON request.
func (x *exchange) sentValue(path int) wire.Value {
	if x.sent == nil {
		return nil
	}
	return x.sent.Value(path)
}

// typeOf returns what an event says of its type, without quotes.
func typeOf(event []byte) []byte {
	if word, ok := bytes.CutPrefix(event, []byte(`{"type":"`)); ok { // as a rule
		if end := bytes.IndexByte(word, '"'); end >= 0 {
			return word[:end]
		}
	}
	if !bytes.Contains(event, []byte(`"type"`)) {
		return nil
	}
	return bytes.Trim(wire.Value(event).Get("type"), `"`)
}

func containsBytes(line []byte, needle string) bool { return bytes.Contains(line, []byte(needle)) }
