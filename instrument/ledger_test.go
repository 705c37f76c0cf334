package instrument_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

func TestMemoryLedger(t *testing.T) {
	instrumenttest.TestLedger(t, func(*testing.T) instrument.Ledger { return instrument.NewMemoryLedger() })
}

// An account is forgotten with its last run: a worker that runs for months does not grow by every job.
func TestMemoryLedgerForgetsAnAccountWithItsLastRun(t *testing.T) {
	ctx := t.Context()
	l := instrument.NewMemoryLedger()
	first, err := l.Open(ctx, "job-1", dollar)
	if err != nil {
		t.Fatal(err)
	}
	second, err := l.Open(ctx, "job-1", dollar)
	if err != nil {
		t.Fatal(err)
	}
	spend(t, first, "a", 60*cent)
	if err := first.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if got := spend(t, second, "b", 10*cent); got.Spent != 70*cent {
		t.Errorf("while a run lives the account has spent %s, want $0.70", got.Spent)
	}
	if err := second.Close(ctx); err != nil {
		t.Fatal(err)
	}
	third, err := l.Open(ctx, "job-1", dollar)
	if err != nil {
		t.Fatal(err)
	}
	if got := spend(t, third, "a", 5*cent); got.Spent != 5*cent {
		t.Errorf("a new account has spent %s, want $0.05", got.Spent)
	}
	// A call that outlives its job settles where it reserved, and not with the job that has come since.
	if got := spend(t, second, "late", 25*cent); got.Spent != 95*cent {
		t.Errorf("the closed account has spent %s, want $0.95", got.Spent)
	}
	if got := spend(t, third, "c", 0); got.Spent != 5*cent {
		t.Errorf("a late call of the run before has spent from the new account: %s", got.Spent)
	}
}

// A job with millions of calls must not keep millions of ids, nor lose a hold that is open for long.
func TestMemoryLedgerForgetsOldHoldsThatEnded(t *testing.T) {
	ctx := t.Context()
	a, err := instrument.NewMemoryLedger().Open(ctx, "job-1", instrument.Unlimited)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Reserve(ctx, "open", 7); err != nil {
		t.Fatal(err)
	}
	const remembered, calls = 1024, 3*1024 + 10
	for i := range calls {
		spend(t, a, fmt.Sprint("call-", i), 1)
	}
	if got := spend(t, a, fmt.Sprint("call-", calls-remembered), 1); got.Spent != calls {
		t.Errorf("a hold among the last %d counts twice: %d, want %d", remembered, got.Spent, calls)
	}
	if got := spend(t, a, fmt.Sprint("call-", calls-remembered-1), 1); got.Spent != calls+1 {
		t.Errorf("a hold before the last %d is still kept", remembered)
	}
	if got, err := a.Settle(ctx, "open", 7); err != nil || got.Held != 0 || got.Spent != calls+8 {
		t.Errorf("the open hold settled as %+v, %v", got, err)
	}
}

func spend(t *testing.T, a instrument.Account, hold string, cost instrument.USD) instrument.Balance {
	t.Helper()
	b, err := a.Settle(t.Context(), hold, cost)
	if err != nil {
		t.Fatalf("settle %s: %v", hold, err)
	}
	return b
}

var errStore = errors.New("store is away")

// rejected is the answer of an API that did not do what it was asked, and does not charge for it.
var rejected error = &statusField{429}

// brokenLedger fails at one of its operations in one of the ways that the code of a user can; else it is a memory
// ledger.
type brokenLedger struct {
	instrument.Ledger
	at  string // Open, Reserve, Settle, Release, Close
	how func() error
}

func (l brokenLedger) fail(op string) error {
	if op == l.at {
		return l.how()
	}
	return nil
}

func (l brokenLedger) Open(ctx context.Context, job string, limit instrument.USD) (instrument.Account, error) {
	if err := l.fail("Open"); err != nil {
		return nil, err
	}
	a, err := l.Ledger.Open(ctx, job, limit)
	return brokenAccount{a, l}, err
}

type brokenAccount struct {
	instrument.Account
	ledger brokenLedger
}

func (a brokenAccount) Reserve(ctx context.Context, hold string, amount instrument.USD) (instrument.Balance, error) {
	if err := a.ledger.fail("Reserve"); err != nil {
		return instrument.Balance{}, err
	}
	return a.Account.Reserve(ctx, hold, amount)
}

func (a brokenAccount) Settle(ctx context.Context, hold string, cost instrument.USD) (instrument.Balance, error) {
	if err := a.ledger.fail("Settle"); err != nil {
		return instrument.Balance{}, err
	}
	return a.Account.Settle(ctx, hold, cost)
}

func (a brokenAccount) Release(ctx context.Context, hold string) (instrument.Balance, error) {
	if err := a.ledger.fail("Release"); err != nil {
		return instrument.Balance{}, err
	}
	return a.Account.Release(ctx, hold)
}

func (a brokenAccount) Close(ctx context.Context) error {
	if err := a.ledger.fail("Close"); err != nil {
		return err
	}
	return a.Account.Close(ctx)
}

// stubbornError is an error whose methods crash, as those of a nil pointer do.
type stubbornError struct{}

func (*stubbornError) Error() string   { panic("Error of an error") }
func (*stubbornError) Is(_ error) bool { panic("Is of an error") }

// A ledger that does not work costs the budget, and nothing else: every call is made, every result is as it was,
// every total is right, and the operator is told.
func TestABrokenLedgerChangesNothing(t *testing.T) {
	ways := map[string]func() error{
		"fails":                      func() error { return errStore },
		"panics":                     func() error { panic("ledger") },
		"fails with a hostile error": func() error { return &stubbornError{} },
	}
	for _, op := range []string{"Open", "Reserve", "Settle", "Release", "Close"} {
		for way, how := range ways {
			t.Run(op+" "+way, func(t *testing.T) {
				reports := captureReports(t)
				useLedger(t, brokenLedger{instrument.NewMemoryLedger(), op, how})
				if len(reports.all()) == 0 {
					t.Error("otel.Handle was not told")
				}
			})
		}
	}
	t.Run("Open gives nothing", func(t *testing.T) {
		reports := captureReports(t)
		useLedger(t, emptyLedger{})
		reports.expect(t, `no budget for job "job-1": Ledger.Open gave no account`)
	})
	t.Run("Open gives a nil pointer", func(t *testing.T) {
		reports := captureReports(t)
		useLedger(t, emptyLedger{(*brokenAccount)(nil)})
		if len(reports.all()) == 0 {
			t.Error("otel.Handle was not told")
		}
	})
}

type emptyLedger struct{ account instrument.Account }

func (l emptyLedger) Open(context.Context, string, instrument.USD) (instrument.Account, error) {
	return l.account, nil
}

// useLedger runs a job through every operation of a ledger and checks all but the budget.
func useLedger(t *testing.T, l instrument.Ledger) {
	t.Helper()
	p, rec := instrumenttest.New(t, instrument.WithLedger(l))
	err := p.RunJob(t.Context(), "job-1", func(ctx context.Context) error {
		text, err := instrument.RunCall(ctx, "whisper", func(string) instrument.USD { return 10 * cent },
			func(context.Context) (string, error) { return "hello", nil }, instrument.WithEstimate(20*cent))
		if text != "hello" || err != nil {
			t.Errorf("the call gave %q, %v", text, err)
		}
		_, err = instrument.RunCall(ctx, "whisper", nil,
			func(context.Context) (string, error) { return "", rejected }, instrument.WithEstimate(20*cent))
		if err != rejected {
			t.Errorf("the failing call gave %v", err)
		}
		instrument.Spend(ctx, "gpu", 5*cent)
		return errDecoder
	}, instrument.WithBudget(dollar))
	if err != errDecoder {
		t.Errorf("the job gave %v", err)
	}
	for _, want := range []struct {
		metric, key, value string
		n                  float64
	}{
		{"api_calls_total", "status", "success", 1},
		{"api_calls_total", "status", "error", 1},
		{"api_calls_total", "status", "refused", 0},
		{"cost_usd_total", "api", "whisper", 0.1},
		{"cost_usd_total", "api", "gpu", 0.05},
		{"jobs_total", "status", "failed", 1},
	} {
		if got := rec.Counter(vp(want.metric), label(want.key, want.value)); got != want.n {
			t.Errorf("%s{%s=%q} = %v, want %v", want.metric, want.key, want.value, got, want.n)
		}
	}
	if got := rec.Histogram(vp("cost_per_job_usd")); instrument.Dollars(got.Sum) != 15*cent {
		t.Errorf("cost of the job %v, want 0.15", got.Sum)
	}
	if got, _ := rec.Gauge(vp("jobs_in_progress")); got != 0 {
		t.Errorf("%v jobs in progress after the end", got)
	}
}

// A ledger that would rather refuse work while its store is away says so with an error that matches.
func TestALedgerMayRefuseWhileItsStoreIsAway(t *testing.T) {
	reports := captureReports(t)
	closed := func() error { return fmt.Errorf("%w: %w", errStore, instrument.ErrBudgetExceeded) }
	p, rec := instrumenttest.New(t, instrument.WithLedger(brokenLedger{instrument.NewMemoryLedger(), "Reserve", closed}))
	ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(dollar))
	_, call, err := instrument.StartCall(ctx, "whisper")
	call.End(&err)
	job.End(nil)
	if !errors.Is(err, instrument.ErrBudgetExceeded) {
		t.Errorf("error %v, want a refusal", err)
	}
	if got := rec.Counter(vp("api_calls_total"), label("status", "refused")); got != 1 {
		t.Errorf("%v calls refused, want 1", got)
	}
	reports.expect(t)
}

// A canceled job has still spent: only the question before a call is bound to the caller's patience.
func TestLedgerIsAskedInTheCallersContextAndToldInOneThatLasts(t *testing.T) {
	l := &watchedLedger{Ledger: instrument.NewMemoryLedger()}
	p, _ := instrumenttest.New(t, instrument.WithLedger(l))
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), watched{}, "yes"))
	ctx, job := p.StartJob(ctx, "job-1", instrument.WithBudget(dollar))
	gone, settled, err := instrument.StartCall(ctx, "whisper", instrument.WithEstimate(cent))
	if err != nil {
		t.Fatal(err)
	}
	_, released, err := instrument.StartCall(ctx, "whisper", instrument.WithEstimate(cent))
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	instrument.Spend(gone, "gpu", cent)
	settled.End(nil)
	err = rejected
	released.End(&err)
	instrument.StartCall(ctx, "whisper", instrument.WithEstimate(cent))
	job.End(nil)

	want := []string{"Open lasts", "Release lasts", "Reserve", "Reserve", "Settle lasts", "Settle lasts", "Release lasts", "Reserve canceled", "Close lasts"}
	if got := fmt.Sprint(l.seen); got != fmt.Sprint(want) {
		t.Errorf("the ledger saw\n%s, want\n%s", got, fmt.Sprint(want))
	}
}

// watchedLedger notes which of its operations came with a context that has ended, or never will.
type watchedLedger struct {
	instrument.Ledger
	seen []string
}

type watched struct{}

func (l *watchedLedger) note(ctx context.Context, op string) {
	switch {
	case ctx.Value(watched{}) != "yes":
		op += " lost its values"
	case ctx.Err() != nil:
		op += " canceled"
	case ctx.Done() == nil:
		op += " lasts"
	}
	l.seen = append(l.seen, op)
}

func (l *watchedLedger) Open(ctx context.Context, job string, limit instrument.USD) (instrument.Account, error) {
	l.note(ctx, "Open")
	a, err := l.Ledger.Open(ctx, job, limit)
	return watchedAccount{a, l}, err
}

type watchedAccount struct {
	instrument.Account
	l *watchedLedger
}

func (a watchedAccount) Reserve(ctx context.Context, hold string, amount instrument.USD) (instrument.Balance, error) {
	a.l.note(ctx, "Reserve")
	return a.Account.Reserve(ctx, hold, amount)
}

func (a watchedAccount) Settle(ctx context.Context, hold string, cost instrument.USD) (instrument.Balance, error) {
	a.l.note(ctx, "Settle")
	return a.Account.Settle(ctx, hold, cost)
}

func (a watchedAccount) Release(ctx context.Context, hold string) (instrument.Balance, error) {
	a.l.note(ctx, "Release")
	return a.Account.Release(ctx, hold)
}

func (a watchedAccount) Close(ctx context.Context) error {
	a.l.note(ctx, "Close")
	return a.Account.Close(ctx)
}
