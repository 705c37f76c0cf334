// Command smartvideoeditor makes a highlight reel of each video, with even sound, a transcript and
// titles. Package instrument measures its jobs, stages, paid calls and budgets, media quality,
// ffmpeg processes, pools and errors.
//
//	go run ./examples/smartvideoeditor [flags] [video ...]
//
// Without a video it makes one with speech. The transcription, and titles with a summary, are paid
// calls of OpenAI's API. Without -speech-url they go to a service of the program's own, which
// recognizes speech with pocketsphinx. That costs nothing, but is booked at the price of the real
// one.
//
// Every stage leaves a checkpoint. The same command continues where it was interrupted, even by
// kill -9, and does not repeat a job that is done.
//
// The exit status is 0 only if every job completed, 2 for wrong flags, else 1.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	config, err := parse(os.Args[1:], os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(0)
	case err != nil:
		fmt.Fprintln(os.Stderr, "smartvideoeditor:", err)
		os.Exit(2)
	}
	// The first signal cancels the jobs; the second one ends the program as if there were no
	// handler.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)

	completed, err := run(ctx, config, os.Stdout, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "smartvideoeditor:", err)
	}
	if err != nil || !completed {
		os.Exit(1)
	}
}
