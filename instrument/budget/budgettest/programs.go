package budgettest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/money"
)

var nan, inf = math.NaN(), math.Inf(1)

// many is the number of goroutines that use one account at once.
const many = 1000

// programs are the duties that take concurrency, several jobs, or a loop to check.
var programs = []duty{
	{"strict: of 1,000 calls at once those that fit pass, exactly", strict},
	{"strict: costs below the estimates never add up above the limit", strictToTheEnd},
	{"a hold that 1,000 goroutines reserve and settle counts once", sharedHold},
	{"a hold that 1,000 goroutines release frees once", sharedRelease},
	{"the newest limit holds for the opens before it", newestLimit},
	{"each crossing is found exactly once", crossings},
	{"runs that open one job at once share its account", concurrentOpens},
	{"an account lives as long as one of its opens", lastClose},
	{"a job is opened again after its end", reopen},
	{"ids may be anything", ids},
	{"jobs do not touch each other", separateJobs},
	{"sums beyond the range do not wrap around", overflow},
	{"what is tried again after its context was canceled counts once", canceled},
}

func strict(ctx context.Context, l budget.Ledger) error {
	const room, estimate = 37, 7
	account, err := l.Open(ctx, uniqueJob(), room*estimate+estimate-1)
	if err != nil {
		return err
	}
	var passed, refused atomic.Int64
	err = parallel(many, func(i int) error {
		b, err := account.Reserve(ctx, fmt.Sprint("hold-", i), estimate)
		switch {
		case err == nil:
			passed.Add(1)
		case errors.Is(err, budget.ErrExceeded):
			refused.Add(1)
		default:
			return err
		}
		if money.Sum(b.Spent, b.Held) > b.Limit {
			return fmt.Errorf("balance %s is over its limit", show(b))
		}
		return nil
	})
	if err == nil && (passed.Load() != room || refused.Load() != many-room) {
		err = fmt.Errorf("%d of %d calls passed and %d were refused, with room for %d", passed.Load(), many, refused.Load(), room)
	}
	return errors.Join(err, at(ctx, account, 0, room*estimate), account.Close(ctx))
}

func strictToTheEnd(ctx context.Context, l budget.Ledger) error {
	const limit, estimate, cost = 1000, 10, 7
	account, err := l.Open(ctx, uniqueJob(), limit)
	if err != nil {
		return err
	}
	var settled atomic.Int64
	err = parallel(many, func(i int) error {
		hold := fmt.Sprint("hold-", i)
		_, err := account.Reserve(ctx, hold, estimate)
		if errors.Is(err, budget.ErrExceeded) {
			return nil
		}
		if err != nil {
			return err
		}
		var b budget.Balance
		if i%5 == 0 {
			b, err = account.Release(ctx, hold)
		} else {
			settled.Add(1)
			b, err = account.Settle(ctx, hold, cost)
		}
		if err == nil && money.Sum(b.Spent, b.Held) > b.Limit {
			err = fmt.Errorf("balance %s is over its limit", show(b))
		}
		return err
	})
	return errors.Join(err, at(ctx, account, money.Mul(cost, settled.Load()), 0), account.Close(ctx))
}

func sharedHold(ctx context.Context, l budget.Ledger) error {
	account, err := l.Open(ctx, uniqueJob(), 10)
	if err != nil {
		return err
	}
	var booked atomic.Int64
	err = parallel(many, func(int) error {
		_, err := account.Reserve(ctx, "hold", 6)
		return err
	})
	err = errors.Join(err, at(ctx, account, 0, 6))
	err = errors.Join(err, parallel(many, func(int) error {
		b, err := account.Settle(ctx, "hold", 6)
		if b.Prior < b.Spent {
			booked.Add(1)
		}
		return err
	}))
	if n := booked.Load(); n != 1 {
		err = errors.Join(err, fmt.Errorf("%d settles of one hold say that they booked it (Prior < Spent), want 1", n))
	}
	return errors.Join(err, at(ctx, account, 6, 0), account.Close(ctx))
}

func sharedRelease(ctx context.Context, l budget.Ledger) error {
	account, err := l.Open(ctx, uniqueJob(), 10)
	if err != nil {
		return err
	}
	_, err = account.Reserve(ctx, "hold", 6)
	_, other := account.Reserve(ctx, "other", 1)
	err = errors.Join(err, other, parallel(many, func(int) error {
		_, err := account.Release(ctx, "hold")
		return err
	}))
	return errors.Join(err, at(ctx, account, 0, 1), account.Close(ctx))
}

func newestLimit(ctx context.Context, l budget.Ledger) error {
	job := uniqueJob()
	first, err := l.Open(ctx, job, 10)
	if err != nil {
		return err
	}
	second, err := l.Open(ctx, job, 5)
	if err != nil {
		return errors.Join(err, first.Close(ctx))
	}
	b, err := first.Reserve(ctx, "hold", 6)
	if !errors.Is(err, budget.ErrExceeded) || b.Limit != 5 {
		err = fmt.Errorf("reserve 6n by an open with limit 10n, after one with 5n: balance %s, error %v", show(b), err)
	} else {
		err = nil
	}
	return errors.Join(err, first.Close(ctx), second.Close(ctx))
}

func crossings(ctx context.Context, l budget.Ledger) error {
	account, err := l.Open(ctx, uniqueJob(), many)
	if err != nil {
		return err
	}
	thresholds := [...]money.USD{1, many / 2, many * 8 / 10, many}
	var found [len(thresholds)]atomic.Int64
	err = parallel(many, func(i int) error {
		b, err := account.Settle(ctx, fmt.Sprint("hold-", i), 1)
		for t, x := range thresholds {
			if b.Prior < x && x <= b.Spent {
				found[t].Add(1)
			}
		}
		return err
	})
	for t, x := range thresholds {
		if n := found[t].Load(); n != 1 {
			err = errors.Join(err, fmt.Errorf("%d operations say that they reached %s (Prior < x ≤ Spent), want 1", n, nano(x)))
		}
	}
	return errors.Join(err, account.Close(ctx))
}

func concurrentOpens(ctx context.Context, l budget.Ledger) error {
	const opens, room = 100, 30
	job := uniqueJob()
	accounts := make([]budget.Account, opens)
	var passed atomic.Int64
	err := parallel(opens, func(i int) (err error) {
		if accounts[i], err = l.Open(ctx, job, room); err != nil {
			return err
		}
		_, err = accounts[i].Reserve(ctx, fmt.Sprint("hold-", i), 1)
		if errors.Is(err, budget.ErrExceeded) {
			return nil
		}
		passed.Add(1)
		return err
	})
	if err != nil {
		return err
	}
	if n := passed.Load(); n != room {
		err = fmt.Errorf("%d of %d runs passed, with room for %d", n, opens, room)
	}
	for _, a := range accounts {
		err = errors.Join(err, at(ctx, a, 0, room))
	}
	for _, a := range accounts {
		err = errors.Join(err, a.Close(ctx))
	}
	return err
}

func lastClose(ctx context.Context, l budget.Ledger) error {
	job := uniqueJob()
	first, err := l.Open(ctx, job, 10)
	if err != nil {
		return err
	}
	second, err := l.Open(ctx, job, 10)
	if err != nil {
		return err
	}
	_, err = first.Settle(ctx, "a", 6)
	err = errors.Join(err, at(ctx, second, 6, 0), first.Close(ctx), at(ctx, second, 6, 0))
	third, openErr := l.Open(ctx, job, 10)
	if openErr != nil {
		return errors.Join(err, openErr)
	}
	return errors.Join(err, at(ctx, third, 6, 0), second.Close(ctx), third.Close(ctx))
}

func reopen(ctx context.Context, l budget.Ledger) error {
	job := uniqueJob()
	for range 3 {
		account, err := l.Open(ctx, job, unlimited)
		if err != nil {
			return err
		}
		before, err := account.Release(ctx, "nobody")
		if err != nil {
			return err
		}
		_, err = account.Settle(ctx, "hold-"+uniqueJob(), 6)
		if err := errors.Join(err, at(ctx, account, money.Sum(before.Spent, 6), 0), account.Close(ctx)); err != nil {
			return err
		}
	}
	return nil
}

// hostile returns ids that a ledger must keep apart: separators and hash tags of key-value stores,
// ends of lines and strings, patterns, bytes that are not UTF-8, and 10 KB.
func hostile() []string {
	long := strings.Repeat("x", 10<<10)
	return []string{
		"{}", "{a}", "{b}", "{", "}", "a:b", "a", "a\n", "a\r\n", "a\x00", "a\x00b", " a", "a ", "A", "*", "?", "[a]",
		"a'b", `a"b`, "$(a)", "../a", "%s%n", "é", "e\u0301", "🎬", "\xff", "\xfe", long, long + "y", long + "z",
	}
}

func ids(ctx context.Context, l budget.Ledger) error {
	jobs := []string{""}
	for _, h := range hostile() {
		jobs = append(jobs, uniqueJob()+h, h+uniqueJob())
	}
	for _, job := range jobs {
		account, err := l.Open(ctx, job, unlimited)
		if err != nil {
			return fmt.Errorf("open job %.80q: %w", job, err)
		}
		before, err := account.Release(ctx, "nobody")
		if err != nil {
			return fmt.Errorf("job %.80q: %w", job, err)
		}
		b, err := account.Settle(ctx, "hold-"+uniqueJob(), 3)
		if err != nil || b.Spent != money.Sum(before.Spent, 3) {
			return fmt.Errorf("job %.80q: 3n on top of %s gave %s, error %v", job, show(before), show(b), err)
		}
		if err := account.Close(ctx); err != nil {
			return fmt.Errorf("close job %.80q: %w", job, err)
		}
	}
	account, err := l.Open(ctx, uniqueJob(), unlimited)
	if err != nil {
		return err
	}
	for i, hold := range hostile() {
		if _, err := account.Reserve(ctx, hold, money.USD(i)); err != nil {
			return fmt.Errorf("reserve hold %.80q: %w", hold, err)
		}
	}
	for i, hold := range hostile() {
		if _, err := account.Settle(ctx, hold, money.USD(i)); err != nil {
			return fmt.Errorf("settle hold %.80q: %w", hold, err)
		}
	}
	n := len(hostile())
	return errors.Join(at(ctx, account, money.Mul(money.Nano, int64(n*(n-1)/2)), 0), account.Close(ctx))
}

func separateJobs(ctx context.Context, l budget.Ledger) error {
	prefix := uniqueJob()
	accounts := make(map[string]budget.Account)
	for _, h := range hostile() {
		account, err := l.Open(ctx, prefix+h, unlimited)
		if err != nil {
			return fmt.Errorf("open job …%.80q: %w", h, err)
		}
		accounts[h] = account
	}
	for i, h := range hostile() {
		if _, err := accounts[h].Settle(ctx, "hold", money.USD(i)); err != nil {
			return fmt.Errorf("job …%.80q: %w", h, err)
		}
	}
	for i, h := range hostile() {
		if err := errors.Join(at(ctx, accounts[h], money.USD(i), 0), accounts[h].Close(ctx)); err != nil {
			return fmt.Errorf("job …%.80q: %w", h, err)
		}
	}
	return nil
}

// overflow leaves a ledger the choice to refuse a sum that it cannot hold, to stop at its largest,
// or to be larger.
func overflow(ctx context.Context, l budget.Ledger) error {
	account, err := l.Open(ctx, uniqueJob(), unlimited)
	if err != nil {
		return err
	}
	const large = unlimited / 3 * 2
	var last budget.Balance
	look := func(after string) error {
		b, err := account.Release(ctx, "nobody")
		if b.Spent < last.Spent || b.Held < 0 {
			err = errors.Join(err, fmt.Errorf("%s: balance %s after %s", after, show(b), show(last)))
		}
		last = b
		return err
	}
	for _, hold := range []string{"a", "b", "c"} {
		_, _ = account.Reserve(ctx, hold, large)
		if err := look("reserve " + hold); err != nil {
			return err
		}
	}
	for _, hold := range []string{"a", "b", "c", "d"} {
		_, _ = account.Settle(ctx, hold, large)
		if err := look("settle " + hold); err != nil {
			return err
		}
	}
	return account.Close(ctx)
}

func canceled(ctx context.Context, l budget.Ledger) error {
	account, err := l.Open(ctx, uniqueJob(), 10)
	if err != nil {
		return err
	}
	over, cancel := context.WithCancel(ctx)
	cancel()
	_, _ = account.Reserve(over, "a", 6)
	_, err = account.Reserve(ctx, "a", 6)
	err = errors.Join(err, at(ctx, account, 0, 6))
	_, _ = account.Settle(over, "a", 5)
	_, settleErr := account.Settle(ctx, "a", 5)
	return errors.Join(err, settleErr, at(ctx, account, 5, 0), account.Close(ctx))
}

// at returns an error unless an account has spent and holds this much.
func at(ctx context.Context, a budget.Account, spent, held money.USD) error {
	b, err := a.Release(ctx, "nobody")
	if err != nil {
		return err
	}
	if b.Spent != spent || b.Held != held || b.Prior != spent {
		return fmt.Errorf("balance %s, want {spent %s, held %s, prior %s}", show(b), nano(spent), nano(held), nano(spent))
	}
	return nil
}

// parallel runs n functions, which all start at the same moment, and returns the first error.
func parallel(n int, f func(i int) error) error {
	var wg sync.WaitGroup
	var once sync.Once
	var first error
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			if err := f(i); err != nil {
				once.Do(func() { first = err })
			}
		})
	}
	close(start)
	wg.Wait()
	return first
}
