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
	e.transcription.asked = func(x *exchange) {
		openAIAsked(x)
		x.hinted()
		x.atLeast(price.Audio, groqLeast)
	}
	p.endpoint = e.of
	return p
}()
