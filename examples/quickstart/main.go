// Command quickstart measures jobs that only pretend to work. Run it, and open the page that it prints.
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
	"github.com/stagemeter/stagemeter/instrument"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	tel, err := exporters.Start(ctx, exporters.WithServiceName("quickstart"))
	defer tel.Shutdown(ctx)
	if err != nil {
		fmt.Println("telemetry:", err) // the work goes on
	}
	if addr, ok := tel.Addr().(*net.TCPAddr); ok {
		fmt.Printf("metrics: http://localhost:%d/metrics (Ctrl-C ends)\n", addr.Port)
	}
	p, _ := instrument.New(instrument.WithMeterProvider(tel.MeterProvider()), instrument.WithTracerProvider(tel.TracerProvider()))
	for n := 1; ctx.Err() == nil; n++ {
		video := time.Duration(n%4+1) * time.Minute // each fourth one costs more than its budget allows
		err := p.RunJob(ctx, fmt.Sprint("video-", n), func(ctx context.Context) error { return transcribe(ctx, video) },
			instrument.WithVideoDuration(video), instrument.WithBudget(2*instrument.Cent))
		fmt.Printf("video-%d of %v: %s\n", n, video, cmp.Or(instrument.ErrorType(err), "completed"))
	}
}

func transcribe(ctx context.Context, video time.Duration) (err error) {
	ctx, stage := instrument.StartStage(ctx, "transcription")
	defer stage.End(&err)
	price := (6 * instrument.Cent / 10).Prorate(int64(video), int64(time.Minute))                  // $0.006 a minute
	call := func(context.Context) (string, error) { time.Sleep(time.Second); return "hello", nil } // your API client here
	_, err = instrument.RunCallValue(ctx, "whisper", func(string) instrument.USD { return price }, call, instrument.WithMaxCost(price))
	return err
}
