package instrument

import (
	"fmt"

	"go.opentelemetry.io/otel"

	"github.com/stagemeter/stagemeter/instrument/internal/errs"
	"github.com/stagemeter/stagemeter/internal/secrets"
)

// contain calls f, which is the user's code, and turns its panic into an error, and its
// runtime.Goexit too: f has a goroutine of its own, which contain waits for.
func contain(what string, f func() error) error {
	var err error
	returned, done := false, make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if v := recover(); v != nil {
				err = panicked(what, v)
			} else if !returned {
				err = exited(what)
			}
		}()
		err = f()
		returned = true
	}()
	<-done
	return err
}

func exited(what string) error { return fmt.Errorf("instrument: %s called runtime.Goexit", what) }

func panicked(what string, v any) error {
	return fmt.Errorf("instrument: %s panicked: %s", what, errs.PanicText(v))
}

// handle reports an error that has no caller to return to. It contains the handler, and hides
// passwords and keys of URLs, which the error of a ledger may have.
func handle(err error) {
	_ = contain("the error handler", func() error { otel.Handle(report{err}); return nil })
}

type report struct{ error }

func (r report) Error() string { return secrets.Hide(r.error.Error()) }

func (r report) Unwrap() error { return r.error }
