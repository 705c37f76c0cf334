// Command quickstart measures jobs that only pretend to work. Run it and open the live page it prints.
package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os/signal"
	"syscall"
	"time"

	"github.com/stagemeter/stagemeter/exporters"
	"github.com/stagemeter/stagemeter/exporters/livepage"
	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/money"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	tel, err := exporters.Start(ctx, exporters.WithServiceName("quickstart"))
	defer tel.Shutdown(ctx)
	if err = cmp.Or(err, livepage.Mount(tel, instrument.Default())); err != nil {
		fmt.Println("telemetry:", err) // the jobs run all the same
	}
	if addr, ok := tel.Addr().(*net.TCPAddr); ok {
		fmt.Printf("live page: http://localhost:%[1]d/ · metrics: http://localhost:%[1]d/metrics · Ctrl-C ends\n", addr.Port)
	}
	for n := 1; ctx.Err() == nil; n++ {
		video := time.Duration(n%4+1) * time.Minute // every fourth video costs more than its budget
		_ = instrument.RunJob(ctx, fmt.Sprint("video-", n), func(ctx context.Context) error {
			err := instrument.RunStage(ctx, "transcription", func(ctx context.Context) error { return transcribe(ctx, video) })
			outcome := instrument.OutcomeOf(ctx, err) // in the job, so that it is what the metrics count
			fmt.Printf("video-%d of %v: %s\n", n, video, cmp.Or(outcome.ErrorType, string(outcome.Attempt)))
			return err
		}, instrument.WithVideoDuration(video), instrument.WithBudget(2*instrument.Cent))
	}
}

func transcribe(ctx context.Context, video time.Duration) error {
	price := money.PerMinute(6 * money.Cent / 10).Of(video) // $0.006 a minute; instead of Sleep, call your API client
	return instrument.RunCall(ctx, "whisper", func(context.Context) error { time.Sleep(time.Second); return nil }, instrument.WithMaxCost(price))
}
