// Command smartvideoeditor makes a highlight reel of each video that it is given, with even sound and a transcript, and
// is measured while it does: jobs, stages, paid calls and budgets, media quality, ffmpeg processes, pools, errors.
//
//	go run ./examples/smartvideoeditor [flags] [video ...]
//
// Without a video it makes one that speaks. The transcription is a paid call of OpenAI's API; without -speech-url it
// goes to a service of the program's own, which recognises speech with pocketsphinx and costs nothing but is priced
// like the real one.
//
// Every stage leaves a checkpoint. The same command goes on where it was interrupted, even by kill -9, and does not
// repeat a job that is done.
//
// The exit status is 0 only if every job completed, 2 if the flags make no sense, else 1.
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
	// The first signal cancels the jobs; the second one ends the program as if there were no handler.
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
