package budgettest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/money"
)

const (
	unlimited = money.Unlimited
	dollar    = money.Dollar
)

var (
	exceeded = budget.ErrExceeded
	conflict = budget.ErrConflict
	invalid  = budget.ErrInvalid
)

// A checker runs one duty: it notes what was done, and ends the duty at the first answer that is
// wrong. Amounts are nano-dollars, so a ledger that keeps anything coarser fails.
type checker struct {
	ctx     context.Context
	store   Store
	ledger  budget.Ledger // one handle
	prefix  string
	done    []string
	expired budget.Expired // by all operations so far
}

// failure is what a checker panics with, to leave the duty.
type failure struct{ err error }

func (c *checker) fail(format string, args ...any) {
	panic(failure{fmt.Errorf("%s:\n\t%w", strings.Join(c.done, "; "), fmt.Errorf(format, args...))})
}

func (c *checker) note(format string, args ...any) {
	c.done = append(c.done, fmt.Sprintf(format, args...))
}

// noError ends the duty if there is an error.
func (c *checker) noError(err error) {
	if err != nil {
		c.fail("%w", err)
	}
}

// uniqueID returns an id that no other run has used, for a store that outlives the test.
func uniqueID() string { return "budgettest-" + rand.Text() }

func (c *checker) job(limit money.USD) budget.Scope { return c.scope(budget.Job, "job", limit) }
func (c *checker) tenant(limit money.USD) budget.Scope {
	return c.scope(budget.Tenant, "tenant", limit)
}

// scope returns a scope whose id is unique to the duty and the name.
func (c *checker) scope(kind budget.Kind, name string, limit money.USD) budget.Scope {
	return budget.Scope{Kind: kind, ID: c.prefix + name, Limit: limit}
}

// advance lets time go by at the store.
func (c *checker) advance(d time.Duration) {
	c.note("advance %s", d)
	c.store.Advance(d)
}

// expire advances until the leases that began so far are over.
func (c *checker) expire() { c.advance(c.store.Lease + c.store.Lease/4) }

// An account is one Open of the ledger.
type account struct {
	budget.Account
	c      *checker
	scopes []budget.Scope
}

// open opens scopes by the first handle.
func (c *checker) open(scopes ...budget.Scope) *account { return c.openBy(c.ledger, scopes...) }

func (c *checker) openBy(l budget.Ledger, scopes ...budget.Scope) *account {
	a, r := c.tryOpen(l, scopes...)
	r.ok()
	return a
}

// opens is open that checks the balance.
func (c *checker) opens(spent, held money.USD, scopes ...budget.Scope) *account {
	a, r := c.tryOpen(c.ledger, scopes...)
	r.gives(spent, held)
	return a
}

func (c *checker) tryOpen(l budget.Ledger, scopes ...budget.Scope) (*account, *answer) {
	what := make([]string, len(scopes))
	for i, s := range scopes {
		what[i] = fmt.Sprintf("%s with limit %s", s.Kind, nano(s.Limit))
	}
	c.note("open %s", strings.Join(what, ", "))
	opened, b, err := l.Open(c.ctx, slices.Clone(scopes)...)
	a := &account{Account: opened, c: c, scopes: scopes}
	return a, a.answer(b, err)
}

// A detail changes a hold from what the suite mostly uses.
type detail func(*budget.Hold)

func floor(amount money.USD) detail { return func(h *budget.Hold) { h.Floor = amount } }
func free(h *budget.Hold)           { h.Free = true }
func of(job string) detail          { return func(h *budget.Hold) { h.Job = job } }

func unconfirmed(amount money.USD) detail { return func(h *budget.Hold) { h.Unconfirmed = amount } }

// leased gives a hold the lease of the store.
func (c *checker) leased(h *budget.Hold) { h.Lease = c.store.Lease }

// hold returns a hold of the job that the account is named after.
func (a *account) hold(id string, amount money.USD, details ...detail) budget.Hold {
	h := budget.Hold{ID: id, Job: a.scopes[0].ID, Attempt: 1, API: "api", Amount: amount}
	for _, d := range details {
		d(&h)
	}
	return h
}

func (a *account) reserve(id string, amount money.USD, details ...detail) *answer {
	h := a.hold(id, amount, details...)
	a.c.note("reserve %s %s", id, nano(amount))
	r := a.answer(a.Account.Reserve(a.c.ctx, h))
	r.asked = h
	return r
}

func (a *account) settle(id string, cost money.USD, details ...detail) *answer {
	h := a.hold(id, 0, details...)
	if a.c.note("settle %s %s", id, nano(cost)); h.Unconfirmed != 0 {
		a.c.note("%s of it unconfirmed", nano(h.Unconfirmed))
	}
	return a.answer(a.Account.Settle(a.c.ctx, h, cost))
}

func (a *account) release(id string) *answer {
	a.c.note("release %s", id)
	return a.answer(a.Account.Release(a.c.ctx, a.hold(id, 0)))
}

// look reads the balance: releasing an unknown hold changes nothing.
func (a *account) look(spent, held money.USD) *answer { return a.release("nobody").gives(spent, held) }

func (a *account) close(final bool) {
	a.c.note("close, final %t", final)
	a.c.noError(a.Account.Close(a.c.ctx, final))
}

// An answer is that of one operation. An error that was not looked at by fails or orNot is looked
// at by the others.
type answer struct {
	a     *account
	b     budget.Balance
	err   error
	asked budget.Hold
}

func (a *account) answer(b budget.Balance, err error) *answer {
	a.c.expired.Holds += b.Expired.Holds
	a.c.expired.Amount = money.Sum(a.c.expired.Amount, b.Expired.Amount)
	return &answer{a: a, b: b, err: err}
}

func (r *answer) ok() *answer { return r.fails(nil) }

func (r *answer) fails(want error) *answer {
	if !errors.Is(r.err, want) {
		r.a.c.fail("error %v, want %v", r.err, want)
	}
	r.err = nil
	return r
}

// gives checks what is spent and held, and the limit that the account was opened with.
func (r *answer) gives(spent, held money.USD) *answer {
	r.ok()
	limit := r.a.scopes[0].Limit
	if r.b.Spent != spent || r.b.Held != held || r.b.Limit != limit {
		r.a.c.fail("balance %s, want {limit %s, spent %s, held %s}", show(r.b), nano(limit), nano(spent), nano(held))
	}
	return r
}

func (r *answer) unconfirmed(want money.USD) *answer {
	if r.b.Unconfirmed != want {
		r.a.c.fail("unconfirmed %s, want %s", nano(r.b.Unconfirmed), nano(want))
	}
	return r
}

func (r *answer) own(want money.USD) *answer {
	if r.b.Own != want {
		r.a.c.fail("own %s, want %s", nano(r.b.Own), nano(want))
	}
	return r
}

// refusedBy checks the error of a refusal.
func (r *answer) refusedBy(scope budget.Scope, spent, held money.USD) *answer {
	var got *budget.Error
	if !errors.As(r.err, &got) || !errors.Is(r.err, exceeded) {
		r.a.c.fail("error %v, want a *budget.Error", r.err)
	}
	want := budget.Error{Scope: scope, Job: r.asked.Job, API: r.asked.API, Limit: scope.Limit, Spent: spent, Held: held, Asked: r.asked.Amount}
	if *got != want {
		r.a.c.fail("refusal %+v, want %+v", *got, want)
	}
	r.err = nil
	return r
}

// tells checks the thresholds of a job that the operation tells of.
func (r *answer) tells(percents ...int) *answer {
	var want []string
	for _, p := range percents {
		want = append(want, fmt.Sprint(budget.Job, " ", p))
	}
	return r.tellsOf(want...)
}

// tellsOf checks the thresholds, written as "job 50".
func (r *answer) tellsOf(want ...string) *answer {
	r.ok()
	var got []string
	for _, c := range r.b.Crossed {
		got = append(got, fmt.Sprint(c.Scope.Kind, " ", c.Percent))
		i := slices.IndexFunc(r.a.scopes, func(s budget.Scope) bool { return s.Kind == c.Scope.Kind && s.ID == c.Scope.ID })
		if i < 0 || c.Scope.Limit != r.a.scopes[i].Limit {
			r.a.c.fail("a threshold of %+v, which is not among %+v", c.Scope, r.a.scopes)
		}
		if c.Percent <= 100 && c.Spent < share(c.Percent, c.Scope.Limit) {
			r.a.c.fail("threshold %d with %s spent of %s", c.Percent, nano(c.Spent), nano(c.Scope.Limit))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		r.a.c.fail("tells of %q, want %q", got, want)
	}
	return r
}

// share returns the least amount that is a percentage of a limit.
func share(percent int, limit money.USD) money.USD {
	n := int64(percent)
	return money.Sum(money.Mul(limit/100, n), money.Sum(money.Mul(limit%100, n), 99)/100)
}

// told checks which expired holds all answers so far have told of.
func (c *checker) told(holds int, amount money.USD) {
	if want := (budget.Expired{Holds: holds, Amount: amount}); c.expired != want {
		c.fail("all answers tell of %+v, want %+v", c.expired, want)
	}
}

func nano(u money.USD) string {
	if u == money.Unlimited {
		return "unlimited"
	}
	return fmt.Sprintf("%dn", int64(u))
}

func show(b budget.Balance) string {
	return fmt.Sprintf("{limit %s, spent %s, held %s}", nano(b.Limit), nano(b.Spent), nano(b.Held))
}
