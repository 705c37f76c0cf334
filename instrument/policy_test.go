package instrument_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// While the store is away, or has lost the account, a call is refused with a typed error, and
// nothing else changes.
func TestLedgerClosed(t *testing.T) {
	for name, tt := range map[string]struct {
		cut  func(context.Context, string) error
		want error
	}{
		"away":                         {storeAway, budget.ErrUnavailable},
		"lost":                         {storeLost, budget.ErrLost},
		"away, says a wrapped refusal": {func(context.Context, string) error { return &budget.Error{Err: budget.ErrUnavailable} }, budget.ErrUnavailable},
		"lost, says a wrapped refusal": {func(context.Context, string) error { return &budget.Error{Err: budget.ErrLost} }, budget.ErrLost},
		"an error whose methods panic": {func(context.Context, string) error { return &stubbornError{} }, budget.ErrUnavailable},
		"the ledger panics":            {func(context.Context, string) error { panic("ledger") }, budget.ErrUnavailable},
	} {
		for _, at := range []string{"the call", "the start of the job"} {
			t.Run(name+" at "+at, func(t *testing.T) {
				reports := captureReports(t)
				w := newWire()
				p, rec := instrumenttest.New(t, instrument.WithLedger(w), instrument.WithLedgerPolicy(instrument.LedgerClosed()))
				if at != "the call" {
					w.set(tt.cut)
				}
				ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(dollar))
				if at == "the call" {
					instrument.Spend(ctx, "gpu", 10*cent)
					w.set(tt.cut)
				}
				_, call, err := instrument.StartCall(ctx, "gpt", instrument.WithMaxCost(30*cent))
				call.End(&err)
				var refusal *instrument.BudgetError
				if !errors.As(err, &refusal) || !errors.Is(refusal.Err, tt.want) || !errors.Is(err, instrument.ErrBudgetExceeded) {
					t.Fatalf("%v, want a refusal by %v", err, tt.want)
				}
				if refusal.Job != "job-1" || refusal.API != "gpt" || refusal.Limit != dollar || refusal.Asked != 30*cent {
					t.Errorf("refusal %+v", refusal)
				}
				if got := instrument.ErrorType(err); got != "ledger_unavailable" {
					t.Errorf("error_type %q", got)
				}
				if !strings.HasPrefix(err.Error(), `budget: job "job-1": a call of gpt for at most $0.30 was not made: `) {
					t.Errorf("message %s", err)
				}
				if got := rec.Counter(vp("api_calls_total"), label("status", "refused")); got != 1 {
					t.Errorf("%v calls refused, want 1", got)
				}
				if got := rec.Counter(vp("budget_exceeded_total")); got != 0 {
					t.Errorf("exceeded %v times, want 0: nobody knows", got)
				}
				if got := rec.Counter(vp("ledger_errors_total"), label("op", "reserve")); got != 1 {
					t.Errorf("%v failed reservations, want 1", got)
				}
				if len(reports.all()) == 0 {
					t.Error("otel.Handle was not told")
				}
				// The ledger answers again: so does the budget.
				w.set(nil)
				if err := buy(ctx, "gpt", 30*cent, instrument.WithMaxCost(30*cent)); err != nil {
					t.Errorf("afterwards: %v", err)
				}
				if err := buy(ctx, "gpt", dollar, instrument.WithMaxCost(dollar)); !errors.Is(err, instrument.ErrBudgetExceeded) || errors.Is(err, tt.want) {
					t.Errorf("afterwards: %v, want a refusal by the budget", err)
				}
				job.End(nil)
			})
		}
	}
}

// By default calls go on, and what they cost is booked once the ledger answers.
func TestLedgerOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		captureReports(t)
		w := newWire()
		w.set(storeAway)
		p, rec := instrumenttest.New(t, instrument.WithLedger(w))
		ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(dollar))
		for range 3 {
			if err := buy(ctx, "gpt", 60*cent, instrument.WithMaxCost(60*cent)); err != nil {
				t.Errorf("a call gave %v", err)
			}
		}
		err := errDecoder
		job.End(&err)
		if got, _ := rec.Gauge(vp("ledger_pending")); got != 3 {
			t.Errorf("%v pending, want 3", got)
		}
		w.set(nil)
		if err := p.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if bal := w.balance("job-1", dollar); bal.Spent != 180*cent || bal.Held != 0 {
			t.Errorf("%+v, want $1.80 spent", bal)
		}
		if got := rec.Counter(vp("budget_exceeded_total")); got != 1 {
			t.Errorf("exceeded %v times, want once, told with the settle that was tried again", got)
		}
		if got := w.ops("close to be kept"); got != 1 {
			t.Errorf("the account was closed %d times, want once, after its last cost", got)
		}
	})
}

// A ledger that hangs, whatever its context says, must not hold up a job.
func TestLedgerThatHangs(t *testing.T) {
	for _, tt := range []struct {
		opts                   []instrument.Option
		start, call, end, last time.Duration
	}{
		{nil, 100 * time.Millisecond, 100 * time.Millisecond, 2 * time.Second, 0},
		{[]instrument.Option{instrument.WithLedgerTimeout(time.Second, 5*time.Second)}, time.Second, time.Second, 5 * time.Second, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			captureReports(t)
			w := newWire()
			hang := make(chan struct{})
			w.set(func(context.Context, string) error { <-hang; return nil })
			p, _ := instrumenttest.New(t, append(tt.opts, instrument.WithLedger(w))...)
			took := func(what string, want time.Duration, f func()) {
				t.Helper()
				start := time.Now()
				if f(); time.Since(start) != want {
					t.Errorf("%s took %s, want %s", what, time.Since(start), want)
				}
			}
			var ctx context.Context
			var job *instrument.Job
			var call *instrument.Call
			took("StartJob", tt.start, func() { ctx, job = p.StartJob(t.Context(), "job-1", instrument.WithBudget(dollar)) })
			took("StartCall", tt.call, func() { _, call, _ = instrument.StartCall(ctx, "gpt", instrument.WithMaxCost(cent)) })
			took("Call.End", tt.end, func() { call.End(nil) })
			err := errDecoder
			took("Job.End", tt.last, func() { job.End(&err) })
			close(hang)
			time.Sleep(time.Minute)
			synctest.Wait()
			if bal := w.balance("job-1", dollar); bal.Spent != cent || bal.Held != 0 {
				t.Errorf("%+v, want $0.01 spent in the end", bal)
			}
		})
	}
}

// A call that is refused since the answer did not come in time leaves nothing reserved.
func TestReservationOfARefusedCallIsReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		captureReports(t)
		w := newWire()
		p, _ := instrumenttest.New(t, instrument.WithLedger(w), instrument.WithLedgerPolicy(instrument.LedgerClosed()))
		ctx, album := p.StartJob(t.Context(), "album", instrument.WithBudget(dollar))
		ctx, track := p.StartJob(ctx, "track", instrument.WithBudget(dollar))
		n := 0
		w.set(func(_ context.Context, op string) error { // slow for the album only
			if op == "reserve" {
				if n++; n == 2 {
					time.Sleep(3 * time.Second)
				}
			}
			return nil
		})
		if err := buy(ctx, "gpt", cent, instrument.WithMaxCost(cent)); !errors.Is(err, budget.ErrUnavailable) {
			t.Fatalf("%v, want a refusal", err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		for _, id := range []string{"album", "track"} {
			if bal := w.balance(id, dollar); bal.Held != 0 || bal.Spent != 0 {
				t.Errorf("%s: %+v, want nothing held", id, bal)
			}
		}
		if got := w.ops("release"); got != 2 {
			t.Errorf("%d releases, want 2", got)
		}
		track.End(nil)
		album.End(nil)
	})
}

// What a hold says of its call, so that a lost attempt's cost can be found.
func TestHoldOfACall(t *testing.T) {
	w := newWire()
	p, _ := instrumenttest.New(t, instrument.WithLedger(w))
	ctx, album := p.StartJob(t.Context(), "album", instrument.WithBudget(dollar))
	inner, track := p.StartJob(ctx, "track", instrument.WithBudget(dollar))
	opts := []instrument.CallOption{instrument.WithMaxCost(30 * cent), instrument.WithMinCost(10 * cent)}
	_ = buy(inner, "gpt", cent, opts...)
	_ = buy(ctx, "gpu", cent, append(opts, instrument.WithLease(time.Minute))...)
	track.End(nil)
	album.End(nil)
	got := w.reserved()
	if len(got) != 3 || got[0] != got[1] || got[0].ID == got[2].ID || got[0].ID == "" {
		t.Fatalf("holds %+v, want two alike and another", got)
	}
	got[0].ID, got[2].ID = "", ""
	if want := (budget.Hold{Job: "track", API: "gpt", Amount: 30 * cent, Floor: 10 * cent, Lease: time.Hour}); got[0] != want {
		t.Errorf("%+v, want %+v", got[0], want)
	}
	if want := (budget.Hold{Job: "album", API: "gpu", Amount: 30 * cent, Floor: 10 * cent, Lease: time.Minute}); got[2] != want {
		t.Errorf("%+v, want %+v", got[2], want)
	}
}

func TestWhichClosesAreFinal(t *testing.T) {
	for _, tt := range []struct {
		reason string
		id     string
		err    error
		opts   []instrument.JobOption
		final  bool
	}{
		{"completed", "job-1", nil, nil, true},
		{"failed", "job-1", errDecoder, nil, false},
		{"canceled", "job-1", context.Canceled, nil, false},
		{"no id", "", errDecoder, nil, true},
		{"another's account", "job-1", nil, []instrument.JobOption{instrument.WithAccount("order")}, false},
	} {
		w := newWire()
		p, _ := instrumenttest.New(t, instrument.WithLedger(w))
		_, job := p.StartJob(t.Context(), tt.id, append(tt.opts, instrument.WithBudget(dollar))...)
		job.End(&tt.err)
		if got := w.ops("close for good") == 1; got != tt.final || w.ops("close") != 1 {
			t.Errorf("%s: final %v, want %v", tt.reason, got, tt.final)
		}
	}
}

// The threshold that a fleet reaches is told to one of its processes.
func TestCrossingIsCountedOnceInAFleet(t *testing.T) {
	w := newWire()
	total := 0.0
	var recs []*instrumenttest.Recorder
	for range 3 {
		p, rec := instrumenttest.New(t, instrument.WithLedger(w))
		ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(dollar))
		defer job.End(nil)
		instrument.Spend(ctx, "gpu", 60*cent)
		_ = buy(ctx, "gpt", cent, instrument.WithMaxCost(dollar))
		recs = append(recs, rec)
	}
	for _, rec := range recs {
		total += rec.Counter(vp("budget_exceeded_total"))
	}
	if total != 1 {
		t.Errorf("exceeded %v times in three processes, want once", total)
	}
}

func TestCloseSaysWhatIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reports := captureReports(t)
		w := newWire()
		p, rec := instrumenttest.New(t, instrument.WithLedger(w))
		ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(dollar))
		w.set(storeAway)
		instrument.Spend(ctx, "gpu", cent)
		failed := errDecoder
		job.End(&failed)
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for range 2 {
			err := p.Close(short)
			if !errors.Is(err, budget.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "1 settles and releases could not be delivered") {
				t.Errorf("%v", err)
			}
		}
		if got := rec.Counter(vp("ledger_errors_total"), label("op", "given_up")); got != 1 {
			t.Errorf("%v given up, want 1", got)
		}
		// Recordings still count, and what they cost is told to the ledger once.
		synctest.Wait() // the delivery that Close left behind
		w.set(nil)
		time.Sleep(2 * time.Second) // a ledger that keeps failing is left alone for a while
		instrument.Spend(ctx, "gpu", 2*cent)
		if bal := w.balance("job-1", dollar); bal.Spent != 2*cent {
			t.Errorf("%+v, want $0.02 spent", bal)
		}
		if got := rec.Counter(vp("cost_usd_total")); instrument.Dollars(got) != 3*cent {
			t.Errorf("cost %v, want 0.03", got)
		}
		if _, ok := rec.Gauge(vp("ledger_pending")); ok {
			t.Error("an observed series outlives Close")
		}
		reports.expect(t, "$0.01 of job \"job-1\" not settled", "cannot be delivered to the ledger: the pipeline is closed, and its time is over: context deadline exceeded")
	})
}

// With a slice in hand calls go on without the ledger, up to the slice.
func TestLedgerLease(t *testing.T) {
	for name, cut := range map[string]func(chan struct{}) error{
		"fails": func(chan struct{}) error { return errStore },
		"hangs": func(hang chan struct{}) error { <-hang; return errStore },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				captureReports(t)
				w := newWire()
				p, rec := instrumenttest.New(t, instrument.WithLedger(w), instrument.WithLedgerPolicy(instrument.LedgerLease(50*cent)))
				ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(dollar))
				call := func() error { return buy(ctx, "gpt", 10*cent, instrument.WithMaxCost(10*cent)) }
				if err := call(); err != nil {
					t.Fatal(err)
				}
				if asked := w.ops("reserve"); asked != 1 {
					t.Errorf("the ledger was asked for %d slices, want 1", asked)
				}
				hang := make(chan struct{})
				w.set(func(context.Context, string) error { return cut(hang) })
				made := 0
				var err error
				for range 10 {
					if err = call(); err != nil {
						break
					}
					made++
				}
				var refusal *instrument.BudgetError
				if made != 4 || !errors.As(err, &refusal) || !errors.Is(err, budget.ErrUnavailable) {
					t.Errorf("%d calls were made, then %v; want 4, and a refusal since the ledger is away", made, err)
				}
				w.set(nil)
				close(hang)
				time.Sleep(time.Minute)
				for range 10 {
					if err = call(); err != nil {
						break
					}
					made++
				}
				if made != 9 || errors.Is(err, budget.ErrUnavailable) || !errors.Is(err, instrument.ErrBudgetExceeded) {
					t.Errorf("%d calls were made in all, then %v; want 9 and a refusal by the budget", made, err)
				}
				if got := rec.Counter(vp("cost_usd_total")); instrument.Dollars(got) != dollar {
					t.Errorf("cost %v, want 1", got)
				}
				err = errDecoder
				job.End(&err)
				if err := p.Close(t.Context()); err != nil {
					t.Error(err)
				}
				if bal := w.balance("job-1", dollar); bal.Spent != dollar || bal.Held != 0 {
					t.Errorf("%+v, want $1.00 spent", bal)
				}
			})
		})
	}
}

func TestLedgerOptionsThatAreNone(t *testing.T) {
	for want, opt := range map[string]instrument.Option{
		"reserve is 0s":    instrument.WithLedgerTimeout(0, time.Second),
		"settle is -1s":    instrument.WithLedgerTimeout(time.Second, -time.Second),
		"a slice of $0.00": instrument.WithLedgerPolicy(instrument.LedgerLease(0)),
		"WithLedger(nil)":  instrument.WithLedger(nil),
	} {
		p, err := instrument.New(opt)
		if err == nil || !strings.Contains(err.Error(), want) || p == nil {
			t.Errorf("%v, want an error with %q", err, want)
		}
		if err := p.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
