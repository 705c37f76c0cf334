package budgettest

import (
	"context"
	"sync"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/money"
)

var retryDuties = []duty{
	{"what is tried again after its context was canceled counts once", "a canceled job books its last call twice, or never", 0, func(c *checker) {
		a := c.open(c.job(10))
		over, cancel := context.WithCancel(c.ctx)
		cancel()
		c.note("reserve a 6n, settle a 5n, each with a context that is over and again")
		_, _ = a.Account.Reserve(over, a.hold("a", 6))
		a.reserve("a", 6).gives(0, 6)
		_, _ = a.Account.Settle(over, a.hold("a", 0), 5)
		a.settle("a", 5).gives(5, 0)
	}},
	{"an operation whose answer is lost is done once", "a retry books twice", 0, func(c *checker) {
		a := c.openBy(losing(c.ledger), c.job(10), c.tenant(10))
		a.reserve("a", 6).fails(budget.ErrUnavailable)
		a.reserve("a", 6).gives(0, 6)
		a.reserve("b", 3).fails(budget.ErrUnavailable)
		a.reserve("b", 3).gives(0, 9)
		a.settle("a", 4).fails(budget.ErrUnavailable)
		a.settle("a", 4).gives(4, 3)
		a.release("b").fails(budget.ErrUnavailable)
		a.release("b").gives(4, 0)
		a.settle("c", 1).fails(budget.ErrUnavailable)
		a.settle("c", 1).gives(5, 0)
		c.opens(5, 0, c.tenant(10))
	}},
	{"a settle whose answer is lost tells its thresholds again", "an alert is lost with the answer", 0, func(c *checker) {
		a := c.openBy(losing(c.ledger), c.job(10), c.tenant(5))
		a.settle("a", 5).fails(budget.ErrUnavailable)
		a.settle("a", 5).tellsOf("job 50", "tenant 50", "tenant 80", "tenant 100")
		c.open(c.job(10), c.tenant(5)).settle("b", 1).tellsOf("tenant 101")
		a.settle("a", 5).tellsOf("job 50", "tenant 50", "tenant 80", "tenant 100")
	}},
	{"a refusal whose answer is lost tells that the budget is exceeded again", "an alert is lost with the answer", 0, func(c *checker) {
		a := c.openBy(losing(c.ledger), c.job(10))
		a.reserve("a", 11).fails(budget.ErrUnavailable)
		a.reserve("a", 11).fails(exceeded).tells(budget.Exceeded)
		c.open(c.job(10)).reserve("b", 11).fails(exceeded).tells()
	}},
	{"a reserve whose answer is lost tells again what its sweep reached", "an alert is lost with the answer", 0, func(c *checker) {
		a := c.openBy(losing(c.ledger), c.job(10))
		a.reserve("a", 8, floor(5), c.leased).fails(budget.ErrUnavailable)
		c.expire()
		a.reserve("b", 5).fails(budget.ErrUnavailable)
		a.reserve("b", 5).gives(5, 5).tells(50)
		a.settle("b", 0).fails(budget.ErrUnavailable)
		a.settle("b", 0).gives(5, 0).tells()
	}},
	{"of 1,000 operations whose answers are lost each is done once", "an outage multiplies costs and alerts", 0, func(c *checker) {
		c.tellOnce(losing(c.ledger), losing(c.store.Open()), 2)
	}},
}

// losing returns l, but the first answer to each operation with a hold is lost after it took place.
func losing(l budget.Ledger) budget.Ledger {
	return &losingLedger{Ledger: l, lost: make(map[string]bool)}
}

type losingLedger struct {
	budget.Ledger
	mu   sync.Mutex
	lost map[string]bool
}

func (l *losingLedger) Open(ctx context.Context, scopes ...budget.Scope) (budget.Account, budget.Balance, error) {
	a, b, err := l.Ledger.Open(ctx, scopes...)
	return &losingAccount{Account: a, ledger: l}, b, err
}

type losingAccount struct {
	budget.Account
	ledger *losingLedger
}

// answer loses the answer to an operation, or returns it the second time.
func (a *losingAccount) answer(operation, hold string, b budget.Balance, err error) (budget.Balance, error) {
	a.ledger.mu.Lock()
	defer a.ledger.mu.Unlock()
	if key := operation + hold; !a.ledger.lost[key] {
		a.ledger.lost[key] = true
		return budget.Balance{}, budget.ErrUnavailable
	}
	return b, err
}

func (a *losingAccount) Reserve(ctx context.Context, h budget.Hold) (budget.Balance, error) {
	b, err := a.Account.Reserve(ctx, h)
	return a.answer("reserve ", h.ID, b, err)
}

func (a *losingAccount) Settle(ctx context.Context, h budget.Hold, cost money.USD) (budget.Balance, error) {
	b, err := a.Account.Settle(ctx, h, cost)
	return a.answer("settle ", h.ID, b, err)
}

func (a *losingAccount) Release(ctx context.Context, h budget.Hold) (budget.Balance, error) {
	b, err := a.Account.Release(ctx, h)
	return a.answer("release ", h.ID, b, err)
}
