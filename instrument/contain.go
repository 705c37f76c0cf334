package instrument

import (
	"fmt"

	"go.opentelemetry.io/otel"

	"github.com/stagemeter/stagemeter/instrument/internal/errs"
)

// contain calls f, which is the user's code, and turns its panic into an error.
func contain(what string, f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = panicked(what, v)
		}
	}()
	return f()
}

func panicked(what string, v any) error {
	return fmt.Errorf("instrument: %s panicked: %s", what, errs.PanicText(v))
}

// handle reports an error that has no caller to return to. It contains a handler that panics.
func handle(err error) {
	defer func() { _ = recover() }()
	otel.Handle(err)
}
