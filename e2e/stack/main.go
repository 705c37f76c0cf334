// Command stack runs the whole of it on this machine, without containers: the smart video editor, a real Prometheus
// with docs/prometheus/scrape.yml and its alerts, and a real OpenTelemetry Collector with
// docs/collector/collector.yml.
//
//	make stack
//	make stack ARGS='-jobs 5 -hold 30m'
//	make stack ARGS='-once -pictures docs/images'
//
// It builds what it starts, works on jobs of which some fail and some exceed their budget, prints the key figures as
// Prometheus has them, and goes on until Ctrl-C or -hold is over. Whatever it started has then ended.
//
// With -pictures it also draws, from Prometheus's answers, the pictures that the README shows. For their curves it has
// Prometheus scrape each second.
//
// The exit status is 2 if the flags make no sense, and 1 if something could not be started, ended too early or has no
// figure or picture to show.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// options is the command line.
type options struct {
	jobs      int
	hold      time.Duration
	once      bool
	freePorts bool
	pictures  string
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("stack", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&o.jobs, "jobs", 3, "queue each of the three videos `N` times")
	flags.DurationVar(&o.hold, "hold", 0, "end by itself after this `duration` (default: on Ctrl-C)")
	flags.BoolVar(&o.once, "once", false, "end after the table")
	flags.BoolVar(&o.freePorts, "free-ports", false, "take free ports, with copies of the configuration files that name them")
	flags.StringVar(&o.pictures, "pictures", "", "draw pictures of the run into this `folder`, as SVG")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("%q: takes no arguments", flags.Args())
	case o.jobs < 1:
		return o, fmt.Errorf("-jobs %d: must be at least 1", o.jobs)
	case o.hold < 0:
		return o, fmt.Errorf("-hold %v: must not be negative", o.hold)
	}
	return o, nil
}

func main() {
	o, err := parse(os.Args[1:], os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(0)
	case err != nil:
		fmt.Fprintln(os.Stderr, "stack:", err)
		os.Exit(2)
	}
	// The first signal ends all in order. A second one ends this program at once, and the kernel the others with it.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop)
	if err := run(ctx, o); err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "stack:", err)
		os.Exit(1)
	}
}
