package instrument_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.uber.org/goleak"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// TestMain plays the programs that tests run in a process of their own, and checks that nothing leaves a goroutine
// behind.
func TestMain(m *testing.M) {
	if os.Getenv(noKeyVariable) != "" {
		instrument.ForgetClientTraceKey()
	}
	if name := os.Getenv(crashVariable); name != "" {
		crashes[name]()
		os.Exit(0)
	}
	if name := os.Getenv(programVariable); name != "" {
		programs[name]()
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

const (
	cent   = instrument.Cent
	dollar = instrument.Dollar
)

// whisper is the published price of whisper-1.
var whisper = money.PerMinute(6 * money.Cent / 10)

// Amounts that are none.
var (
	notANumber = instrument.Dollars(math.NaN())
	infinite   = instrument.Dollars(math.Inf(1))
)

// recordErrorIn records an error in a stage that survives it.
func recordErrorIn(ctx context.Context, stage string, err error) {
	ctx, s := instrument.StartStage(ctx, stage)
	instrument.RecordError(ctx, err)
	s.End(nil)
}

// vp is the Prometheus name of a metric.
func vp(name string) string { return "video_processing_" + name }

// label selects series.
func label(key, value string) attribute.KeyValue { return attribute.String(key, value) }

// reports is what otel.Handle was told during a test.
type reports struct {
	mu   sync.Mutex
	errs []string
}

// captureReports collects what goes to otel.Handle until the test ends.
func captureReports(t *testing.T) *reports {
	r := &reports{}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.errs = append(r.errs, err.Error())
	}))
	t.Cleanup(func() {
		otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { fmt.Fprintln(os.Stderr, "otel:", err) }))
	})
	return r
}

func (r *reports) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.errs)
}

// expect fails the test unless there were exactly as many reports as texts, each holding its text.
func (r *reports) expect(t *testing.T, texts ...string) {
	t.Helper()
	got := r.all()
	ok := len(got) == len(texts)
	for i := 0; ok && i < len(got); i++ {
		ok = strings.Contains(got[i], texts[i])
	}
	if !ok {
		t.Errorf("otel.Handle was told\n\t%q\nwant\n\t%q", got, texts)
	}
}

// recovered is the value that f panics with, or nil.
func recovered(f func()) (v any) {
	defer func() { v = recover() }()
	f()
	return nil
}

// apart runs f in a goroutine of its own, which f may end, and waits.
func apart(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}
