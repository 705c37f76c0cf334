package aihttp

import (
	"encoding/binary"
	"io"
	"math"
	"net/http"
	"time"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
	"github.com/stagemeter/stagemeter/instrument/money"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// Bounds of what is not told.
const (
	slowest       = 1000   // bytes a second: sound of 8 kbit/s, the least that speech is sent in
	tokensASecond = 50     // of sound; providers use 10 to 32
	wordsASecond  = 25     // tokens of a transcript
	usualOutput   = 16_384 // tokens of an answer without a limit
	usualInput    = 1 << 20
	imageTokens   = 16_384 // of one picture that is made
	searches      = 5      // of a call that may search the web
	searchTokens  = 16_384 // of input that a search adds
	toolTokens    = 2048   // of input that a provider adds to explain tools
	channels      = 2      // of sound whose channels are billed one by one
)

// ahead is what a request tells before it is sent.
type ahead struct {
	bytes  int64 // of the body; -1 if not known
	named  bool  // the request is JSON, which may only name its sound
	media  bool  // it has or names pictures, sound, files, or context that the provider keeps
	sound  bool
	drawn  bool // pictures
	search bool
	tools  bool
	cached bool
	hour   bool // the cache lasts an hour
}

// estimate returns what a request costs at most. It reads the body only if that can be had twice.
func (x *exchange) estimate(r *http.Request) (most usd, err error) {
	defer func() {
		if v := recover(); v != nil {
			tellBug(v)
			err = errMalformed
		}
		x.sent, x.form, x.usage, x.hasUsage, x.bad, x.askedModel, x.model, x.tier = nil, nil, price.Usage{}, false, "", "", "", "" // the real request tells them
	}()
	a := ahead{bytes: sizeOf(r), named: isJSON(r)}
	if r.GetBody != nil && (x.ep.request != nil || x.ep.form != nil) {
		if err := x.peek(r, &a); err != nil {
			return 0, err
		}
	}
	if x.ep.asked != nil {
		x.ep.asked(x)
	}
	u := price.Usage{Provider: x.ep.provider, Model: x.askedModel, Tier: x.tier, Region: x.region, Variant: x.usage.Variant, Multipliers: x.usage.Multipliers}
	if x.hint != nil && x.hint.Model != "" && !x.t.prices.Has(u.Provider, u.Model) { // such as the name of a deployment
		u.Model = x.hint.Model
	}
	may := x.may(u, a)
	most, err = x.t.prices.AtMost(may...)
	for _, option := range x.extras {
		for i := range may {
			may[i].Model, may[i].Variant = option, ""
		}
		if more, err := x.t.prices.AtMost(may...); err == nil {
			most = money.Sum(most, more)
		}
	}
	return most, err
}

// may returns what the call may turn out to use.
func (x *exchange) may(u price.Usage, a ahead) []price.Usage {
	length := x.length(a)
	switch x.ep.operation {
	case "transcription":
		if length < 0 {
			return nil
		}
		timed, tokens := u, u
		timed.Add(price.Audio, int64(length))
		seconds := int64(length/time.Second) + 1
		tokens.Add(price.InputAudio, seconds*tokensASecond)
		tokens.Add(price.Output, min(seconds*wordsASecond+100, x.outputLimit(u)))
		return []price.Usage{timed, tokens}
	case "speech", "image_generation":
		known := x.usage
		known.Provider, known.Model, known.Tier, known.Region = u.Provider, u.Model, u.Tier, u.Region
		if !x.hasUsage {
			return nil
		}
		tokens := u
		if n := known.Of(price.Images); n > 0 {
			tokens.Add(price.Input, max(a.bytes, 0))
			tokens.Add(price.OutputImage, n*imageTokens)
		} else {
			tokens.Add(price.Input, max(a.bytes, 0))
			tokens.Add(price.OutputAudio, known.Of(price.Characters)*tokensASecond/2+100)
		}
		return []price.Usage{known, tokens}
	case "chat", "generate_content", "embeddings":
		may := x.mayTokens(u, a)
		if x.hint != nil { // such as the time of a machine
			known := *x.hint
			known.Provider, known.Model = u.Provider, u.Model
			may = append(may, known)
		}
		return may
	}
	if x.hasUsage {
		known := x.usage
		known.Provider, known.Model, known.Tier, known.Region = u.Provider, u.Model, u.Tier, u.Region
		return []price.Usage{known}
	}
	if x.hint != nil {
		known := *x.hint
		known.Provider = u.Provider
		if known.Model == "" {
			known.Model = u.Model
		}
		return []price.Usage{known}
	}
	return nil
}

// mayTokens bounds the tokens of a request of text: a tokenizer makes no more tokens than bytes of
// it. What text is not is bounded by what the model takes.
func (x *exchange) mayTokens(u price.Usage, a ahead) (may []price.Usage) {
	limit, _ := x.t.prices.Limits(u.Provider, u.Model)
	in := limit
	if limit == 0 {
		in = max(usualInput, a.bytes)
	}
	if !a.media && a.bytes >= 0 {
		text := a.bytes
		if a.tools {
			text += toolTokens
		}
		if a.search {
			text += searches * searchTokens
		}
		in = min(in, text)
	}
	out := int64(0)
	if x.ep.operation != "embeddings" {
		out = x.answers() * x.outputLimit(u)
	}
	inputs := []price.Unit{price.Input}
	switch {
	case a.hour:
		inputs = append(inputs, price.CacheWrite1h)
	case a.cached || x.ep.provider != "anthropic":
		inputs = append(inputs, price.CacheWrite5m)
	}
	if a.sound {
		inputs = append(inputs, price.InputAudio)
	}
	if a.drawn {
		inputs = append(inputs, price.InputImage, price.InputVideo)
	}
	outputs := []price.Unit{price.Output}
	if a.sound {
		outputs = append(outputs, price.OutputAudio)
	}
	if a.drawn {
		outputs = append(outputs, price.OutputImage)
	}
	for _, i := range inputs {
		v := u
		v.Add(i, in)
		if a.search {
			v.Add(price.WebSearch, searches)
		}
		may = append(may, v) // of models that give no tokens
		for _, o := range outputs {
			w := v
			w.Add(o, out)
			may = append(may, w)
		}
	}
	if x.ep.geo { // a workspace may have a geography that the request does not name
		for _, v := range may {
			v.Multipliers = append(v.Multipliers[:len(v.Multipliers):len(v.Multipliers)], "geo:us")
			may = append(may, v)
		}
	}
	if x.ep.fee || x.t.prices.Prices(u, price.Requests) {
		for _, v := range may {
			v.Add(price.Requests, 1)
			may = append(may, v)
		}
	}
	return may
}

// answers returns how many answers a request asks for.
func (x *exchange) answers() int64 {
	if n, ok := x.wants("n"); ok {
		return max(n, 1)
	}
	return 1
}

// outputLimit returns how many tokens an answer has at most.
func (x *exchange) outputLimit(u price.Usage) int64 {
	_, most := x.t.prices.Limits(u.Provider, u.Model)
	for _, name := range []string{"max_completion_tokens", "max_output_tokens", "max_tokens"} {
		if n, ok := x.wants(name); ok {
			if most == 0 {
				return min(n, mostTokens)
			}
			return min(n, max(most, usualOutput))
		}
	}
	if most == 0 {
		return usualOutput
	}
	return min(most, usualOutput)
}

// wants returns a number that the request has.
func (x *exchange) wants(name string) (int64, bool) {
	if x.ep.limits == nil || x.sent == nil {
		return 0, false
	}
	path, ok := x.ep.limits[name]
	if !ok {
		return 0, false
	}
	v := x.sent.Value(path)
	if v.Null() {
		return 0, false
	}
	return v.Int()
}

// length returns how long the sound of a request is at most, or -1. It is no less than what the
// provider bills at least, and is in whole steps of its.
func (x *exchange) length(a ahead) time.Duration {
	d := x.heardAhead(a)
	if d < 0 {
		return d
	}
	step := max(x.ep.step, time.Second)
	if d = max(d, x.ep.least); d < math.MaxInt64-step {
		d = (d + step - 1).Truncate(step)
	}
	return d
}

func (x *exchange) heardAhead(a ahead) time.Duration {
	if x.hasUsage && x.usage.Given(price.Audio) {
		return time.Duration(x.usage.Of(price.Audio))
	}
	if x.hint != nil && x.hint.Given(price.Audio) {
		d := x.hint.Of(price.Audio)
		if x.ep.apart != "" && queryTrue(x.url.Query(), x.ep.apart) && d < math.MaxInt64/channels {
			d *= channels
		}
		return time.Duration(d)
	}
	if a.named {
		return -1
	}
	size := a.bytes
	if x.form != nil {
		if d, ok := wavLength(x.form.Head, x.form.File); ok {
			return d
		}
		size = x.form.File
	}
	if size < 0 {
		return -1
	}
	return time.Duration(size/slowest+1) * time.Second
}

// wavLength returns the length of a WAV file of so many bytes, by the bytes a second in its head.
func wavLength(head []byte, size int64) (time.Duration, bool) {
	if len(head) < 44 || string(head[:4]) != "RIFF" || string(head[8:16]) != "WAVEfmt " {
		return 0, false
	}
	rate := int64(binary.LittleEndian.Uint32(head[28:32]))
	if rate < slowest {
		return 0, false
	}
	return time.Duration(float64(size) / float64(rate) * float64(time.Second)), true
}

// peek reads a copy of the request's body.
func (x *exchange) peek(r *http.Request, a *ahead) error {
	body, err := r.GetBody()
	if err != nil {
		return err
	}
	defer body.Close()
	var to io.Writer
	kind := r.Header.Get("Content-Type")
	switch {
	case x.ep.form != nil && isForm(kind):
		if x.form = wire.NewForm(kind, x.ep.form...); x.form == nil {
			return nil
		}
		to = x.form
	case x.ep.request != nil:
		x.sent = wire.NewJSON(x.ep.request)
		to = io.MultiWriter(x.sent, &needles{a: a})
	default:
		return nil
	}
	n, err := io.Copy(to, body)
	if a.bytes < 0 {
		a.bytes = n
	}
	return err
}

// needles looks in a request for what bounds of text do not hold for.
type needles struct {
	a    *ahead
	last [32]byte // the end of the piece before
	n    int
}

func (s *needles) Write(p []byte) (int, error) {
	seam := append(s.last[:s.n:s.n], p[:min(len(p), len(s.last))]...)
	s.look(seam)
	s.look(p)
	s.n = copy(s.last[:], p[max(0, len(p)-len(s.last)):])
	return len(p), nil
}

func (s *needles) look(p []byte) {
	has := func(words ...string) bool { return containsAny(p, words) }
	a := s.a
	a.drawn = a.drawn || has(`"image_url"`, `"input_image"`, `"image"`, `"IMAGE"`, `"Image"`, `"video"`, `image/`, `video/`)
	a.sound = a.sound || has(`"input_audio"`, `"audio"`, `"AUDIO"`, `"Audio"`, `audio/`)
	a.media = a.media || a.drawn || a.sound || has(`"file_id"`, `"fileData"`, `"file_data"`, `"inlineData"`, `"document"`, `"file"`, `"cachedContent"`, `"previous_response_id"`, `"conversation"`)
	a.search = a.search || has(`"web_search`, `"google_search"`, `"googleSearch"`, `-search-preview`, `-search-api`)
	a.tools = a.tools || has(`"tools"`, `"toolConfig"`)
	a.cached = a.cached || has(`"cache_control"`, `"cachePoint"`)
	a.hour = a.hour || a.cached && has(`"1h"`)
}
