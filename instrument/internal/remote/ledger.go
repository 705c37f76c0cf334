package remote

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/internal/errs"
)

// An Op names an operation of a ledger.
type Op string

// Operations. GivenUp is none of a ledger's: it is a settle, a release or a close that will not be
// tried again.
const (
	Open    Op = "open"
	Reserve Op = "reserve"
	Settle  Op = "settle"
	Release Op = "release"
	Close   Op = "close"
	GivenUp Op = "given_up"
)

// Config sets up a [Ledger]. All of it is needed.
type Config struct {
	Reserve time.Duration // the most that Open, Reserve and Release take
	Settle  time.Duration // the most that Settle and Close take
	Patient bool          // ask also a ledger that keeps failing
	Count   func(Op)      // is called for each failure
	Report  func(error)   // is called for each failure that no caller is told of
}

// A Ledger asks a [budget.Ledger]. Its methods are safe for concurrent use.
type Ledger struct {
	Config
	ledger  budget.Ledger
	breaker breaker
	runner  runner
	queue   queue
}

// New returns a Ledger that asks l.
func New(l budget.Ledger, c Config) *Ledger {
	return &Ledger{
		Config: c, ledger: l,
		runner: runner{slots: make(chan struct{}, maxRunning), left: make(map[*Running]struct{})},
		queue:  newQueue(),
	}
}

var (
	errTooMany = unasked(fmt.Sprintf("%d operations have not returned", maxRunning))
	errQuit    = fmt.Errorf("%w: the pipeline is closed", budget.ErrUnavailable)
	errGoexit  = errors.New("it ended its goroutine")
)

// unasked says why the ledger was not asked.
type unasked string

func (e unasked) Error() string        { return budget.ErrUnavailable.Error() + ": " + string(e) }
func (e unasked) Is(target error) bool { return target == budget.ErrUnavailable }

// Unasked reports whether an operation failed without the ledger being asked.
func Unasked(err error) bool {
	_, ok := err.(unasked)
	return ok
}

func noAnswer(limit time.Duration) error {
	return fmt.Errorf("%w: no answer within %s", budget.ErrUnavailable, limit)
}

func panicked(v any) error { return fmt.Errorf("it panicked: %s", errs.PanicText(v)) }

// try says how an operation is made.
type try struct {
	op    Op
	limit time.Duration
	quit  <-chan struct{} // ends the wait; nil for none
	force bool            // ask even a ledger that keeps failing, also behind slices
}

// forced is the key of a context whose operations ask even a ledger that keeps failing.
type forced struct{}

// do makes one operation. Its error matches one of package budget's. It returns the operation, too,
// if that has not ended.
func (l *Ledger) do(ctx context.Context, t try, f func(context.Context) (budget.Balance, error)) (budget.Balance, *Running, error) {
	if t.force {
		ctx = context.WithValue(ctx, forced{}, true)
	}
	probe, err := l.breaker.ask()
	if err != nil && ctx.Value(forced{}) == nil && !l.Patient {
		l.Count(t.op)
		return budget.Balance{}, nil, err
	}
	bal, late, err := l.runner.run(ctx, t.limit, t.quit, f)
	switch {
	case err == nil:
		l.breaker.tell(works, probe)
		return bal, nil, nil
	case Answered(err):
		l.breaker.tell(works, probe)
	case ctx.Err() != nil || err == errQuit:
		l.breaker.tell(unclear, probe)
	default:
		l.breaker.tell(fails, probe)
	}
	if (t.op == Open || t.op == Reserve) && !Away(err) && errs.Is(err, budget.ErrExceeded) {
		return bal, nil, err // a refusal is no failure
	}
	gaveUp := ctx.Err() != nil && !Answered(err) // the caller, which says nothing about the ledger
	if !Answered(err) && !errs.Is(err, budget.ErrUnavailable) {
		err = unavailable{err}
	}
	if !gaveUp {
		l.Count(t.op)
	}
	return bal, late, err
}

// Answered reports whether an error is the answer of a ledger that works.
func Answered(err error) bool {
	if errs.Is(err, budget.ErrUnavailable) {
		return false
	}
	for _, target := range []error{budget.ErrLost, budget.ErrExceeded, budget.ErrConflict, budget.ErrInvalid} {
		if errs.Is(err, target) {
			return true
		}
	}
	return false
}

// Away reports whether an error says that the ledger cannot tell what is spent: its store is away,
// or has lost the account.
func Away(err error) bool {
	return errs.Is(err, budget.ErrUnavailable) || errs.Is(err, budget.ErrLost) || !Answered(err)
}

// unavailable is an error of a ledger that matches none of package budget's, and so counts as
// [budget.ErrUnavailable]. What it wraps is the user's code, whose methods may panic.
type unavailable struct{ err error }

func (e unavailable) Error() string {
	return budget.ErrUnavailable.Error() + ": " + errs.Text(e.err)
}

func (e unavailable) Is(target error) bool {
	return target == budget.ErrUnavailable || errs.Is(e.err, target)
}

// contained returns the error of a ledger with methods that always return.
func contained(err error) error {
	switch err.(type) {
	case unasked, unavailable, ledgerError:
		return err
	}
	if errs.Plain(err) {
		return err
	}
	return ledgerError{err}
}

// ledgerError is an error of a ledger that is the user's code, whose methods may not return.
type ledgerError struct{ err error }

func (e ledgerError) Error() string { return errs.Text(e.err) }

func (e ledgerError) Unwrap() error { return e.err }

// Forget makes the account of a scope start afresh.
func (l *Ledger) Forget(ctx context.Context, kind budget.Kind, id string) error {
	_, _, err := l.runner.run(ctx, l.Settle, nil, func(ctx context.Context) (budget.Balance, error) {
		return budget.Balance{}, l.ledger.Forget(ctx, kind, id)
	})
	if err != nil && !Answered(err) && !errs.Is(err, budget.ErrUnavailable) {
		err = unavailable{err}
	}
	return err
}
