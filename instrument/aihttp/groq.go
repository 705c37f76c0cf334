package aihttp

import (
	"time"

	"github.com/stagemeter/stagemeter/instrument/price"
)

// groqLeast is what Groq bills for an audio request at least.
const groqLeast = 10 * time.Second

var groq = func() *provider {
	p := compatible("groq", "api.groq.com")
	e := openAIFor("groq")
	e.transcription.least = groqLeast
	e.transcription.asked = func(x *exchange) {
		openAIHeard(x)
		x.hinted()
		x.atLeast(price.Audio, groqLeast)
	}
	for _, ep := range []*endpoint{e.chat, e.responses} {
		asked := ep.asked
		ep.asked = func(x *exchange) {
			if asked(x); x.tier == "flex" { // which is priced as on demand
				x.tier = ""
			}
		}
	}
	p.endpoint = e.of
	return p
}()
