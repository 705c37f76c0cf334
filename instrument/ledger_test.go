package instrument_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

var errStore = errors.New("store is away")

// rejected is the answer of an API that did not do what it was asked, and does not charge for it.
var rejected error = &statusField{429}

// brokenLedger fails at one of its operations in one of the ways that the code of a user can; else it is a memory
// ledger.
type brokenLedger struct {
	budget.Ledger
	at  string // Open, Reserve, Settle, Release, Close
	how func() error
}

func (l brokenLedger) fail(op string) error {
	if op == l.at {
		return l.how()
	}
	return nil
}

func (l brokenLedger) Open(ctx context.Context, scopes ...budget.Scope) (budget.Account, budget.Balance, error) {
	if err := l.fail("Open"); err != nil {
		return nil, budget.Balance{}, err
	}
	a, b, err := l.Ledger.Open(ctx, scopes...)
	return brokenAccount{a, l}, b, err
}

type brokenAccount struct {
	budget.Account
	ledger brokenLedger
}

func (a brokenAccount) Reserve(ctx context.Context, h budget.Hold) (budget.Balance, error) {
	if err := a.ledger.fail("Reserve"); err != nil {
		return budget.Balance{}, err
	}
	return a.Account.Reserve(ctx, h)
}

func (a brokenAccount) Settle(ctx context.Context, h budget.Hold, cost instrument.USD) (budget.Balance, error) {
	if err := a.ledger.fail("Settle"); err != nil {
		return budget.Balance{}, err
	}
	return a.Account.Settle(ctx, h, cost)
}

func (a brokenAccount) Release(ctx context.Context, h budget.Hold) (budget.Balance, error) {
	if err := a.ledger.fail("Release"); err != nil {
		return budget.Balance{}, err
	}
	return a.Account.Release(ctx, h)
}

func (a brokenAccount) Close(ctx context.Context, final bool) error {
	if err := a.ledger.fail("Close"); err != nil {
		return err
	}
	return a.Account.Close(ctx, final)
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
				useLedger(t, brokenLedger{budget.NewMemoryLedger(), op, how})
				if len(reports.all()) == 0 {
					t.Error("otel.Handle was not told")
				}
			})
		}
	}
	t.Run("Open gives nothing", func(t *testing.T) {
		reports := captureReports(t)
		useLedger(t, emptyLedger{})
		if got := reports.all(); len(got) == 0 || !strings.Contains(got[0], `no budget for job "job-1" until the ledger answers: ledger unavailable: Ledger.Open gave no account`) {
			t.Errorf("otel.Handle was told %q", got)
		}
	})
	t.Run("Open gives a nil pointer", func(t *testing.T) {
		reports := captureReports(t)
		useLedger(t, emptyLedger{(*brokenAccount)(nil)})
		if len(reports.all()) == 0 {
			t.Error("otel.Handle was not told")
		}
	})
}

type emptyLedger struct{ account budget.Account }

func (l emptyLedger) Open(context.Context, ...budget.Scope) (budget.Account, budget.Balance, error) {
	return l.account, budget.Balance{}, nil
}

func (l emptyLedger) Forget(context.Context, budget.Kind, string) error { return nil }

// useLedger runs a job through every operation of a ledger and checks all but the budget.
func useLedger(t *testing.T, l budget.Ledger) {
	t.Helper()
	p, rec := instrumenttest.New(t, instrument.WithLedger(l), patient)
	err := p.RunJob(t.Context(), "job-1", func(ctx context.Context) error {
		text, err := instrument.RunCallValue(ctx, "whisper", func(string) instrument.USD { return 10 * cent },
			func(context.Context) (string, error) { return "hello", nil }, instrument.WithMaxCost(20*cent))
		if text != "hello" || err != nil {
			t.Errorf("the call gave %q, %v", text, err)
		}
		_, err = instrument.RunCallValue(ctx, "whisper", nil,
			func(context.Context) (string, error) { return "", rejected }, instrument.WithMaxCost(20*cent))
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
	p, rec := instrumenttest.New(t, instrument.WithLedger(brokenLedger{budget.NewMemoryLedger(), "Reserve", closed}))
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
func TestLedgerIsAskedInTheCallersContextAndToldInOneThatIsNotCanceled(t *testing.T) {
	l := &watchedLedger{Ledger: budget.NewMemoryLedger()}
	p, _ := instrumenttest.New(t, instrument.WithLedger(l), patient)
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), watched{}, "yes"))
	ctx, job := p.StartJob(ctx, "job-1", instrument.WithBudget(dollar))
	gone, settled, err := instrument.StartCall(ctx, "whisper", instrument.WithMaxCost(cent))
	if err != nil {
		t.Fatal(err)
	}
	_, released, err := instrument.StartCall(ctx, "whisper", instrument.WithMaxCost(cent))
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	instrument.Spend(gone, "gpu", cent)
	settled.End(nil)
	err = rejected
	released.End(&err)
	instrument.StartCall(ctx, "whisper", instrument.WithMaxCost(cent))
	job.End(nil)

	want := []string{"Open bounded", "Reserve bounded", "Reserve bounded", "Settle bounded", "Settle bounded", "Release bounded", "Reserve canceled", "Close bounded"}
	if got := fmt.Sprint(l.seen); got != fmt.Sprint(want) {
		t.Errorf("the ledger saw\n%s, want\n%s", got, fmt.Sprint(want))
	}
}

// A fan-out that is canceled must not look as if the ledger were away.
func TestCanceledCallerIsNoFailureOfTheLedger(t *testing.T) {
	for name, policy := range map[string]instrument.LedgerPolicy{"open": instrument.LedgerOpen(), "closed": instrument.LedgerClosed()} {
		t.Run(name, func(t *testing.T) {
			reports := captureReports(t)
			l := brokenLedger{budget.NewMemoryLedger(), "Reserve", func() error { return context.Canceled }}
			p, rec := instrumenttest.New(t, instrument.WithLedger(l), patient, instrument.WithLedgerPolicy(policy))
			ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(dollar))
			defer job.End(nil)
			over, cancel := context.WithCancel(ctx)
			cancel()
			_, call, err := instrument.StartCall(over, "gpt", instrument.WithMaxCost(cent))
			if (err != nil) != (name == "closed") {
				t.Errorf("StartCall gave %v", err)
			}
			err = context.Canceled
			call.End(&err)
			if got := rec.Counter(vp("ledger_errors_total"), label("op", "reserve")); got != 0 {
				t.Errorf("%v errors of the ledger counted, want none", got)
			}
			reports.expect(t)
		})
	}
}

// watchedLedger notes which of its operations came with a context that has ended, or that will by
// itself.
type watchedLedger struct {
	budget.Ledger
	seen []string
}

type watched struct{}

func (l *watchedLedger) note(ctx context.Context, op string) {
	switch {
	case ctx.Value(watched{}) != "yes":
		op += " lost its values"
	case ctx.Err() != nil:
		op += " canceled"
	}
	if _, bounded := ctx.Deadline(); bounded && ctx.Err() == nil {
		op += " bounded"
	}
	l.seen = append(l.seen, op)
}

func (l *watchedLedger) Open(ctx context.Context, scopes ...budget.Scope) (budget.Account, budget.Balance, error) {
	l.note(ctx, "Open")
	a, b, err := l.Ledger.Open(ctx, scopes...)
	return watchedAccount{a, l}, b, err
}

type watchedAccount struct {
	budget.Account
	l *watchedLedger
}

func (a watchedAccount) Reserve(ctx context.Context, h budget.Hold) (budget.Balance, error) {
	a.l.note(ctx, "Reserve")
	return a.Account.Reserve(ctx, h)
}

func (a watchedAccount) Settle(ctx context.Context, h budget.Hold, cost instrument.USD) (budget.Balance, error) {
	a.l.note(ctx, "Settle")
	return a.Account.Settle(ctx, h, cost)
}

func (a watchedAccount) Release(ctx context.Context, h budget.Hold) (budget.Balance, error) {
	a.l.note(ctx, "Release")
	return a.Account.Release(ctx, h)
}

func (a watchedAccount) Close(ctx context.Context, final bool) error {
	a.l.note(ctx, "Close")
	return a.Account.Close(ctx, final)
}
