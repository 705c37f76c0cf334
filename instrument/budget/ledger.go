package budget

import (
	"context"
	"errors"

	"github.com/stagemeter/stagemeter/instrument/money"
)

// A Ledger keeps what may be spent and what is spent. [NewMemoryLedger] is the one that a pipeline
// has unless instrument.WithLedger gives another, for example one that a fleet of workers shares.
//
// The duties of an implementation, which package budgettest checks:
//
//   - Reserve is atomic and strict over all scopes of the account: it passes only if, in each of
//     them, something is left and Spent + Held + Amount ≤ Limit. Otherwise it holds nothing in any
//     of them, and returns an [*Error] that names the scope that refused. A hold of Amount 0 whose
//     Free is set passes whatever is left.
//   - Settle is never refused, even over the limit: the money is gone.
//   - Every operation is idempotent by the id of its hold. The same id with another amount is
//     [ErrConflict].
//   - Settling a hold that was never reserved books its cost; so does settling one that was
//     released. Releasing a hold whose cost is confirmed, or that is unknown, changes nothing.
//   - When the lease of a hold is over, the hold is expired: its Floor, or its Amount if it has no
//     Floor, moves from Held to Spent, and counts as Unconfirmed. A later Settle or Release of it
//     applies the difference and confirms it.
//   - A Settle with Unconfirmed books its cost too, of which Unconfirmed counts as unconfirmed. A
//     later Settle without Unconfirmed, or a Release, applies the difference and confirms it. Once a
//     Settle or a Release has confirmed what a hold has cost, a Settle with Unconfirmed changes
//     nothing. Another cost that is unconfirmed too is [ErrConflict].
//   - Any operation may sweep expired holds, up to 1,000 of them. A Reserve that does not fit sweeps
//     on until it fits or no expired hold of its scopes is left, and only then refuses.
//   - Leases and windows are measured with the clock of the store, never with that of a client.
//   - A threshold that an account reaches is told once, by the operation with a hold that reaches it
//     or finds it reached; see [Crossing]. An operation that is tried again with the same hold id
//     tells it again, since the first answer may be lost. A Settle that confirms a cost is another
//     operation than the one that booked it unconfirmed. Open tells none. A changed limit makes the
//     thresholds that are not reached at the new limit count as new.
//   - Spent goes down only when an unconfirmed cost is confirmed with less than was booked, and when
//     an account is forgotten.
//   - A hold ends in the scopes and windows that it was reserved in, also after Close.
//   - All methods are safe for concurrent use and honor their context.
//
// An error that matches none of the errors of this package counts as [ErrUnavailable]. Package
// instrument bounds every operation in time, and tries a settle or a release that failed again with
// the same hold, and a close; so an implementation need do neither.
type Ledger interface {
	// Open opens one account over scopes, and returns its balance. It creates the accounts of
	// scopes that do not exist. The newest limit of a scope holds, even below what is spent. The
	// first scope is the account's own: Balance has its figures, and hold ids are known to it. It is
	// ErrInvalid to open no scope, one of an unknown kind, one with a negative limit, or one twice.
	Open(ctx context.Context, scopes ...Scope) (Account, Balance, error)
	// Forget makes the account of a scope start afresh: nothing spent, no ended or expired hold
	// remembered, no threshold reached. Holds under way stay. Of a day or a month it is the current
	// one that starts afresh. Forgetting an account that does not exist changes nothing.
	Forget(ctx context.Context, kind Kind, id string) error
}

// An Account keeps what may be spent and is spent in the scopes that it was opened over. See
// [Ledger] for its duties.
type Account interface {
	// Reserve holds the Amount of a call that is about to be made.
	Reserve(ctx context.Context, h Hold) (Balance, error)
	// Settle ends a hold with what the call cost, of which h.Unconfirmed is not known.
	Settle(ctx context.Context, h Hold, cost money.USD) (Balance, error)
	// Release ends the hold of a call that surely cost nothing.
	Release(ctx context.Context, h Hold) (Balance, error)
	// Close ends one Open, once: a Close that may have failed is tried again. If final is set, the job is completed, and the account of the first
	// scope may be forgotten once no other Open and no hold of it is left; from then on the other
	// methods may return ErrLost, or use an account that nobody else sees. Otherwise the account is
	// kept for the next attempt at the job.
	Close(ctx context.Context, final bool) error
}

// Errors of a ledger, matched with errors.Is.
var (
	// ErrExceeded is matched by every refusal of a budget; [Error] has the figures.
	ErrExceeded error = exceeded{}
	// ErrConflict says that a hold id came back with another amount, or was reserved again after its
	// end.
	ErrConflict = errors.New("hold id used again with another amount")
	// ErrInvalid says that an amount is negative or no number, that more of a cost is unconfirmed
	// than there is, or that a scope has no kind that the ledger knows.
	ErrInvalid = errors.New("not an amount or a scope that can be booked")
	// ErrUnavailable says that the store did not answer in time. Whether the operation took place
	// is unknown.
	ErrUnavailable = errors.New("ledger unavailable")
	// ErrLost says that the store has lost an account that was open, which is not the same as an
	// account that has spent nothing.
	ErrLost = errors.New("account lost")
)
