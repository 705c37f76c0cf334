package aihttp

import (
	"bytes"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
	"github.com/stagemeter/stagemeter/instrument/money"
	"github.com/stagemeter/stagemeter/instrument/price"
)

type usd = money.USD

// tokens are the figures of an answer where input contains cached, written, audioIn and imageIn, and
// output contains audioOut and imageOut. What is null is none.
type tokens struct {
	input, output, cached, written, audioIn, imageIn, audioOut, imageOut wire.Value
}

// tokens takes the figures in place of those so far.
func (x *exchange) tokens(t tokens) {
	var n [8]int64
	for i, v := range [...]wire.Value{t.input, t.output, t.cached, t.written, t.audioIn, t.imageIn, t.audioOut, t.imageOut} {
		if v.Null() {
			continue
		}
		var ok bool
		if n[i], ok = v.Int(); !ok {
			x.bad = reasonMalformed
			return
		}
	}
	text, spoken := n[0]-n[2]-n[3]-n[4]-n[5], n[1]-n[6]-n[7]
	if text < 0 || spoken < 0 {
		x.bad = reasonMalformed
		return
	}
	if n[0] == 0 && n[1] == 0 {
		return // no call has used nothing
	}
	x.usage = price.Usage{Multipliers: x.usage.Multipliers}
	for unit, n := range map[price.Unit]int64{
		price.Input: text, price.CacheRead: n[2], price.CacheWrite5m: n[3], price.InputAudio: n[4], price.InputImage: n[5],
		price.Output: spoken, price.OutputAudio: n[6], price.OutputImage: n[7],
	} {
		x.usage.Add(unit, n)
	}
	x.hasUsage, x.bad = true, ""
}

// used takes how much was used of a unit.
func (x *exchange) used(unit price.Unit, n int64, ok bool) {
	if !ok {
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

// sentText returns a field of the request, as text, whether it was JSON or a form.
func (x *exchange) sentText(path int, field string) string {
	switch {
	case x.form != nil:
		return x.form.Fields[field]
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

func containsBytes(line []byte, needle string) bool { return bytes.Contains(line, []byte(needle)) }
