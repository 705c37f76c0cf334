package budget

import (
	"fmt"

	"github.com/stagemeter/stagemeter/instrument/money"
)

// An Error is the refusal of a paid call. It matches [ErrExceeded] with errors.Is, and its
// error_type is budget_exceeded.
type Error struct {
	Job   string    // the job's id as it was given to StartJob
	API   string    // the API that was not called
	Limit money.USD // what the job may spend
	Spent money.USD // what it has spent
	Held  money.USD // what its calls under way have reserved
	Asked money.USD // the most that the refused call could cost; 0 if it did not say
}

func (e *Error) Error() string {
	if e == nil {
		return ErrExceeded.Error()
	}
	most := ""
	if e.Asked != 0 {
		most = fmt.Sprintf(" for at most %s", e.Asked)
	}
	return fmt.Sprintf("budget exceeded: job %q may spend %s, has spent %s and holds %s; a call of %s%s was not made",
		e.Job, e.Limit, e.Spent, e.Held, e.API, most)
}

// Is matches [ErrExceeded].
func (e *Error) Is(target error) bool { return target == ErrExceeded }

// ErrorType returns the value of the error_type attribute.
func (e *Error) ErrorType() string { return errorType }

const errorType = "budget_exceeded"

// exceeded is the type of ErrExceeded.
type exceeded struct{}

func (exceeded) Error() string     { return "budget exceeded" }
func (exceeded) ErrorType() string { return errorType }
