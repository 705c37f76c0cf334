package budget

import (
	"context"
	"errors"

	"github.com/stagemeter/stagemeter/instrument/money"
)

// A Ledger keeps what jobs may spend and have spent. [NewMemoryLedger] is the one that a pipeline
// has unless instrument.WithLedger gives another, for example one that a fleet of workers shares.
//
// The duties of an implementation, which package budgettest checks:
//
//   - Reserve is atomic and strict: it passes only while something is left and Spent + Held +
//     amount ≤ Limit. It refuses with an error that matches [ErrExceeded], and the Balance that
//     made it refuse.
//   - Settle is never refused, even over the limit: the money is gone. Spent never goes down.
//   - Every operation is idempotent by hold id. The same id with another amount is [ErrConflict].
//   - Settling a hold that was never reserved books its cost; so does settling one that was
//     released. Releasing a hold that was settled, or that is unknown, changes nothing.
//   - All methods are safe for concurrent use, honour their context, and bound their own time: they
//     are called in the path of a paid call.
//
// An error that does not match ErrExceeded, such as an unreachable store, goes to otel.Handle and
// the call goes on. A ledger that prefers to refuse work while its store is away returns an error
// that matches it.
type Ledger interface {
	// Open opens the account of a job with a limit ([money.Unlimited] for none, 0 to refuse
	// everything), or joins the account if it is open. The newest limit holds, even below what is
	// spent.
	Open(ctx context.Context, job string, limit money.USD) (Account, error)
}

// An Account keeps what one job may spend and has spent. See [Ledger] for its duties.
type Account interface {
	// Reserve holds an amount for a call that is about to be made.
	Reserve(ctx context.Context, hold string, amount money.USD) (Balance, error)
	// Settle ends a hold with what the call really cost.
	Settle(ctx context.Context, hold string, cost money.USD) (Balance, error)
	// Release ends the hold of a call that surely cost nothing.
	Release(ctx context.Context, hold string) (Balance, error)
	// Close ends one Open. An account in memory is forgotten when the last one is closed.
	Close(ctx context.Context) error
}

// A Balance is the state of an account right after an operation, from the same atomic step.
type Balance struct {
	Limit money.USD // what may be spent; Unlimited when nothing is refused
	Spent money.USD // what is gone
	Held  money.USD // what calls under way have reserved
	Prior money.USD // Spent before the operation: Prior < x ≤ Spent says that this very operation reached x
}

// Errors of a ledger, matched with errors.Is.
var (
	// ErrExceeded is matched by every refusal of a budget; [Error] has the figures.
	ErrExceeded error = exceeded{}
	// ErrConflict says that a hold id came back with another amount.
	ErrConflict = errors.New("hold id used again with another amount")
	// ErrInvalid says that an amount is negative or no number.
	ErrInvalid = errors.New("not an amount that can be booked")
)
