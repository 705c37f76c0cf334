package aihttp

import (
	"net/http"

	"github.com/stagemeter/stagemeter/instrument/price"
)

// estimate returns what a request costs at most.
func (x *exchange) estimate(r *http.Request) (usd, error) {
	return 0, &price.UnknownError{Reason: price.UnknownUsage, Provider: x.ep.provider}
}
