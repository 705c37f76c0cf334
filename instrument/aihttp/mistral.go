package aihttp

import (
	"net/http"
	"strings"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// mistral bills documents that it reads by the page.
var mistral = func() *provider {
	p := compatible("mistral_ai", "api.mistral.ai", ".mistral.ai")
	pages := &endpoint{
		provider: p.name, operation: "ocr", request: openAIRequest, answer: openAIAnswer, asked: openAIAsked,
		read: func(x *exchange, v *wire.JSON) {
			x.saw(v.Value(gotModel), nil)
			if n := v.Value(gotPages).Get("pages_processed"); !n.Null() {
				count, ok := n.Int()
				x.used(price.Pages, count, ok)
			}
		},
	}
	of := p.endpoint
	p.endpoint = func(r *http.Request) *endpoint {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/v1/ocr") {
			return pages
		}
		return of(r)
	}
	return p
}()
