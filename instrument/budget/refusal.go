package budget

import (
	"errors"
	"fmt"

	"github.com/stagemeter/stagemeter/instrument/money"
	"github.com/stagemeter/stagemeter/internal/secrets"
)

// An Error is the refusal of a paid call. It matches [ErrExceeded] with errors.Is, and its
// error_type is budget_exceeded, or ledger_unavailable if Err matches [ErrUnavailable] or [ErrLost].
type Error struct {
	Scope Scope     // the budget that refused, with its limit
	Job   string    // the job's id as it was given to StartJob
	API   string    // the API that was not called
	Limit money.USD // what may be spent in Scope
	Spent money.USD // what is spent there
	Held  money.USD // what calls under way have reserved there
	Asked money.USD // the most that the refused call could cost; 0 if it did not say
	Err   error     // why the ledger could not answer, or opened no account; nil if the call did not fit
	// Unpriced says why the price of the call is unknown, if that is why it was refused, and is
	// empty otherwise; see instrument.WithUnpricedPolicy.
	Unpriced string
}

// Error returns the text. Ids that are URLs are without passwords and keys in it.
func (e *Error) Error() string {
	if e == nil {
		return ErrExceeded.Error()
	}
	if e.Unpriced != "" {
		return fmt.Sprintf("budget: %s may spend %s; a call of %s was not made, because its price is unknown: %s",
			e.spender(), e.Limit, e.API, e.Unpriced)
	}
	most := ""
	if e.Asked != 0 {
		most = fmt.Sprintf(" for at most %s", e.Asked)
	}
	if e.Err != nil {
		return fmt.Sprintf("budget: job %q: a call of %s%s was not made: %v", shown(e.Job), e.API, most, e.Err)
	}
	return fmt.Sprintf("budget exceeded: %s may spend %s, has spent %s and holds %s; a call of %s%s was not made",
		e.spender(), e.Limit, e.Spent, e.Held, e.API, most)
}

// spender describes the budget that refused. A budget of kind Job that is not the job's own is that
// of WithAccount, or of a job around it.
func (e *Error) spender() string {
	switch {
	case e.Scope.Kind == "", e.Scope.Kind == Job && e.Scope.ID == e.Job:
		return fmt.Sprintf("job %q", shown(e.Job))
	case e.Scope.Kind == Job:
		return fmt.Sprintf("account %q, which job %q spends from,", shown(e.Scope.ID), shown(e.Job))
	}
	return fmt.Sprintf("%s %q of job %q", e.Scope.Kind, shown(e.Scope.ID), shown(e.Job))
}

// shown returns an id as a text may show it.
func shown(id string) string { return secrets.HideInName(id) }

// Is matches [ErrExceeded].
func (e *Error) Is(target error) bool { return target == ErrExceeded }

// Unwrap returns Err.
func (e *Error) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}

// ErrorType returns the value of the error_type attribute.
func (e *Error) ErrorType() string {
	if e != nil && (errors.Is(e.Err, ErrUnavailable) || errors.Is(e.Err, ErrLost)) {
		return "ledger_unavailable"
	}
	return errorType
}

const errorType = "budget_exceeded"

// exceeded is the type of ErrExceeded.
type exceeded struct{}

func (exceeded) Error() string     { return "budget exceeded" }
func (exceeded) ErrorType() string { return errorType }
