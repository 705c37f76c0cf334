package instrument

import (
	"context"
	"errors"
)

// A Ledger keeps what jobs may spend and have spent. [NewMemoryLedger] is the one that a [Pipeline] has unless
// [WithLedger] gives another, for example one that a fleet of workers shares.
//
// The duties of an implementation, which instrumenttest.TestLedger checks:
//
//   - Reserve is atomic and strict: it passes only while something is left and Spent + Held + amount ≤ Limit. It
//     refuses with an error that matches [ErrBudgetExceeded], and the Balance that made it refuse.
//   - Settle is never refused, even over the limit: the money is gone. Spent never goes down.
//   - Every operation is idempotent by hold id. The same id with another amount is [ErrHoldConflict].
//   - Settling a hold that was never reserved books its cost; settling one that was released books it as well.
//     Releasing a hold that was settled, or that nobody knows, changes nothing.
//   - All methods are safe for concurrent use, honour their context, and bound their own time: they are called in
//     the path of a paid call.
//
// An error that does not match ErrBudgetExceeded, such as an unreachable store, goes to otel.Handle and the call
// goes on. A ledger that rather refuses work while its store is away returns an error that matches it.
type Ledger interface {
	// Open opens the account of a job with a limit ([Unlimited] for none, 0 to refuse everything), or joins the
	// account if it is open; the newest limit then holds, even below what is spent.
	Open(ctx context.Context, job string, limit USD) (Account, error)
}

// An Account is what one job may spend. See [Ledger] for its duties.
type Account interface {
	// Reserve holds an amount for a call that is about to be made.
	Reserve(ctx context.Context, hold string, amount USD) (Balance, error)
	// Settle ends a hold with what the call really cost.
	Settle(ctx context.Context, hold string, cost USD) (Balance, error)
	// Release ends the hold of a call that surely cost nothing.
	Release(ctx context.Context, hold string) (Balance, error)
	// Close ends one Open. An account is forgotten when the last is closed, if it lives in memory.
	Close(ctx context.Context) error
}

// A Balance is the state of an account right after an operation, from the same atomic step.
type Balance struct {
	Limit USD // what may be spent; Unlimited when nothing is refused
	Spent USD // what is gone
	Held  USD // what calls under way have reserved
	Prior USD // Spent before the operation: Prior < x ≤ Spent tells that this very operation reached x
}

// Errors of a ledger, matched with errors.Is.
var (
	// ErrBudgetExceeded is matched by every refusal of a budget; see [BudgetError] for the figures.
	ErrBudgetExceeded = errors.New("budget exceeded")
	// ErrHoldConflict tells that a hold id came back with another amount.
	ErrHoldConflict = errors.New("hold id used again with another amount")
	// ErrInvalidAmount tells that an amount is negative or no number.
	ErrInvalidAmount = errors.New("not an amount that can be booked")
)
