package instrument

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stagemeter/stagemeter/instrument/internal/remote"
	"github.com/stagemeter/stagemeter/semconv"
)

// A LedgerPolicy says what becomes of a paid call whose ledger cannot be asked: [LedgerOpen],
// [LedgerClosed] or [LedgerLease]. The ledger in memory always answers.
type LedgerPolicy struct {
	closed bool
	slice  USD
	leased bool
}

// LedgerOpen makes the call. What it costs is booked as soon as the ledger answers. Until then a
// budget may be overspent.
func LedgerOpen() LedgerPolicy { return LedgerPolicy{} }

// LedgerClosed refuses the call with a [*BudgetError] whose Err matches budget.ErrUnavailable, or
// budget.ErrLost if the ledger has lost the account.
func LedgerClosed() LedgerPolicy { return LedgerPolicy{closed: true} }

// WithLedgerPolicy says what becomes of a paid call whose ledger cannot be asked. The default is
// [LedgerOpen]. A job whose account could not be opened opens it at its next call.
func WithLedgerPolicy(policy LedgerPolicy) Option {
	return option(func(c *config) error {
		if policy.leased && (invalidReason(policy.slice) != "" || policy.slice == 0) {
			return fmt.Errorf("instrument: WithLedgerPolicy: a slice of %s is none; the default is used", policy.slice)
		}
		c.policy = policy
		return nil
	})
}

// WithLedgerTimeout bounds the operations of the ledger of [WithLedger]: to reserve those before a
// call (open, reserve, release), to settle those after it (settle, close). The defaults are 100 ms
// and 2 s. An operation that takes longer counts as failed, even if the ledger ignores its context.
func WithLedgerTimeout(reserve, settle time.Duration) Option {
	return option(func(c *config) error {
		var wrong []error
		for _, t := range []struct {
			name  string
			given time.Duration
			kept  *time.Duration
		}{{"reserve", reserve, &c.reserveTimeout}, {"settle", settle, &c.settleTimeout}} {
			if t.given <= 0 {
				wrong = append(wrong, fmt.Errorf("instrument: WithLedgerTimeout: %s is %s, which is not above 0; the default of %s is used", t.name, t.given, *t.kept))
				continue
			}
			*t.kept = t.given
		}
		return errors.Join(wrong...)
	})
}

// setLedger takes the ledger of the configuration into use.
func (p *Pipeline) setLedger(c config) {
	p.policy = c.policy
	if near, ok := c.ledger.(nearLedger); ok {
		p.near = near
		return
	}
	p.far = remote.New(c.ledger, remote.Config{
		Reserve: c.reserveTimeout,
		Settle:  c.settleTimeout,
		Count:   p.countLedger,
		Report:  func(err error) { handle(fmt.Errorf("instrument: %w", err)) },
	})
}

// countLedger counts an operation of the ledger that failed.
func (p *Pipeline) countLedger(op remote.Op) {
	p.inst.LedgerErrors.Add(context.Background(), 1, p.inst.LedgerErrors.With(semconv.LedgerOp(op)))
}
