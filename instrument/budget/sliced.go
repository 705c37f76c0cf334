package budget

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/stagemeter/stagemeter/instrument/money"
)

// Sliced returns a ledger that spends from slices of l: it holds an amount of at least slice in l
// for lease, and answers calls from that without asking l. So l has an operation for each slice and
// not for each call, and while l is unavailable, calls go on until the slice is spent or its lease
// is over.
//
// Calls are refused as strictly as by l: what is left in a slice is held in l. If a whole slice does
// not fit into the budget, only what the call lacks is held. The costs of calls are booked in l as
// soon as they use up a slice, reach a threshold of the first scope, or exceed what was held; those
// of a slice whose lease is half over when no call is under way, unless l is unavailable; and all
// others at the last Close. If that fails, it is to be tried again, as package instrument does, and so
// is the Settle of a call that ends after it. A cost that is unconfirmed is booked in an operation of
// its own, so that it can be confirmed, before the next slice is settled.
//
// An idle slice that no operation follows expires, which books its amount in l; the next operation
// corrects that. So l never has less than was spent, and until then may have more.
//
// What a ledger of this kind cannot do, beside [Ledger]'s duties:
//
//   - Balances are those of l as of the last slice, with the calls of this ledger. What others have
//     spent or forgotten, and limits that they changed, are seen with the next slice.
//   - Only slices expire. A call that never ends holds its amount until its slice expires, and its
//     floor and lease are not used.
//   - Hold ids are known as long as the account is open, and only to this ledger. Of those that
//     ended, the last 1,024 are.
//   - A hold belongs to the window that its slice was taken in.
//   - An unconfirmed cost that exceeds what was held takes more room than it needs until no call is
//     under way.
//   - Two accounts that share only some of their scopes see each other's calls when l does.
//
// A slice or a lease of 0 or less is invalid: Open returns [ErrInvalid]. Operations of an account
// take turns, and honor their context while they wait.
func Sliced(l Ledger, slice money.USD, lease time.Duration, options ...Option) Ledger {
	return &slicedLedger{
		inner: l, slice: slice, lease: lease, clock: newClock(options), turn: make(turn, 1),
		prefix: "slice-" + rand.Text() + "-", states: make(map[string]*slicedState),
	}
}

type slicedLedger struct {
	inner  Ledger
	slice  money.USD
	lease  time.Duration
	clock  clock
	prefix string
	ids    atomic.Uint64

	turn   turn
	states map[string]*slicedState // by all scopes, guarded by turn
}

// A turn is a mutex that is waited for with a context.
type turn chan struct{}

func (t turn) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	default:
	}
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("budget: wait for other operations: %w: %w", ErrUnavailable, ctx.Err())
	}
}

func (t turn) give() { <-t }

// id returns a new hold id in the inner ledger.
func (l *slicedLedger) id() string { return fmt.Sprint(l.prefix, l.ids.Add(1)) }

func (l *slicedLedger) Open(ctx context.Context, scopes ...Scope) (Account, Balance, error) {
	if l.slice <= 0 || l.lease <= 0 || l.slice.Validate() != nil {
		return nil, Balance{}, fmt.Errorf("budget: slices of %s for %s: %w", l.slice, l.lease, ErrInvalid)
	}
	s, err := l.join(ctx, scopes)
	if err != nil {
		return nil, Balance{}, err
	}
	if err := s.turn.take(ctx); err != nil {
		l.quit(s)
		return nil, Balance{}, err
	}
	opened := false
	defer func() {
		s.turn.give()
		if !opened {
			l.quit(s)
		}
	}()
	inner, b, err := l.inner.Open(ctx, scopes...)
	if err != nil {
		return nil, b, err
	}
	opened = true
	s.opens.Add(1)
	s.joining.Add(-1)
	s.look = s.look || s.account != nil && (b.Limit != s.seen.Limit || len(scopes) > 1)
	s.account = inner
	s.see(b)
	answer := s.balance()
	answer.Expired, s.expired = s.expired, Expired{}
	return &slicedAccount{slicedState: s, inner: inner}, answer, nil
}

// join returns what the Opens of these scopes share, with one more that is joining.
func (l *slicedLedger) join(ctx context.Context, scopes []Scope) (*slicedState, error) {
	var key strings.Builder
	for _, scope := range scopes {
		fmt.Fprintf(&key, "%s %q ", scope.Kind, scope.ID)
	}
	if err := l.turn.take(ctx); err != nil {
		return nil, err
	}
	defer l.turn.give()
	s := l.states[key.String()]
	if s == nil {
		s = &slicedState{ledger: l, key: key.String(), scopes: slices.Clone(scopes), turn: make(turn, 1)}
		s.pool.state = s
		l.states[s.key] = s
	}
	s.joining.Add(1)
	return s, nil
}

// quit takes back a join.
func (l *slicedLedger) quit(s *slicedState) {
	s.joining.Add(-1)
	select {
	case s.turn <- struct{}{}:
	default:
		return // whoever has the turn forgets the state
	}
	over := s.opens.Load() == 0 && s.idle()
	s.turn.give()
	if over {
		l.leave(s)
	}
}

// leave forgets a state that no Open and no call uses.
func (l *slicedLedger) leave(s *slicedState) {
	l.turn <- struct{}{} // never held for long
	defer l.turn.give()
	if s.opens.Load() == 0 && s.joining.Load() == 0 && l.states[s.key] == s {
		delete(l.states, s.key)
	}
}

// having returns the states with a scope, in the order in which their turns are taken.
func (l *slicedLedger) having(ctx context.Context, kind Kind, id string) ([]*slicedState, error) {
	if err := l.turn.take(ctx); err != nil {
		return nil, err
	}
	defer l.turn.give()
	var states []*slicedState
	for _, s := range l.states {
		if slices.ContainsFunc(s.scopes, func(s Scope) bool { return s.Kind == kind && s.ID == id }) {
			states = append(states, s)
		}
	}
	slices.SortFunc(states, func(a, b *slicedState) int { return strings.Compare(a.key, b.key) })
	return states, nil
}

func (l *slicedLedger) Forget(ctx context.Context, kind Kind, id string) error {
	states, err := l.having(ctx, kind, id)
	if err != nil {
		return err
	}
	for _, s := range states { // what was spent before is forgotten too
		if err := s.turn.take(ctx); err != nil {
			return err
		}
		defer s.turn.give()
		s.pool.bookIdle()
		if err := s.deliver(ctx); err != nil {
			return err
		}
	}
	if err := l.inner.Forget(ctx, kind, id); err != nil {
		return err
	}
	for _, s := range states {
		s.forgetEnded()
		if s.account == nil { // its first Open has not succeeded
			continue
		}
		b, err := s.account.Release(ctx, Hold{ID: l.id()})
		if err != nil {
			return err
		}
		s.see(b)
	}
	return nil
}

// A slicedAccount is one Open.
type slicedAccount struct {
	*slicedState
	inner  Account
	closed bool // guarded by turn
}

func (a *slicedAccount) Close(ctx context.Context, final bool) error {
	over, err := a.close(ctx, final)
	if over {
		a.ledger.leave(a.slicedState)
	}
	return err
}

// BooksAtClose marks an account whose Close books costs.
func (*slicedAccount) BooksAtClose() {}

// close closes, and reports whether no Open and no call is left. It may be tried again if the inner
// ledger did not answer: what that has taken is not sent again. The last Close of the inner account
// comes after what is booked, since a final one may forget the account.
func (a *slicedAccount) close(ctx context.Context, final bool) (over bool, err error) {
	if err := a.turn.take(ctx); err != nil {
		return false, err
	}
	defer a.turn.give()
	if a.closed {
		return false, nil
	}
	if a.opens.Load() == 1 {
		a.pool.bookIdle()
		if err := a.send(ctx); err != nil {
			return false, err
		}
	}
	if err = a.inner.Close(ctx, final); unanswered(err) {
		return false, fmt.Errorf("budget: close: %w", unavailable(err))
	}
	if dropped := a.drop(); dropped != nil {
		err = dropped
	}
	a.closed = true
	return a.opens.Add(-1) == 0 && a.idle(), err
}
