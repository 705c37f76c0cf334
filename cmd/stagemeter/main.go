// Stagemeter shows the jobs of one or many workers in a terminal: which run, what they cost, and
// when they will be done. It reads the JSON of their live pages, which docs/livepage.md describes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// The exit codes.
const (
	exitOK       = 0
	exitNoAnswer = 1 // no worker answered, or the output cannot be written
	exitUsage    = 2
)

const usage = `stagemeter shows what the workers of a pipeline do.

  stagemeter top [flags] [URL...]   the running jobs of one or many workers
  stagemeter version                the version of this program
  stagemeter help [command]         this text, or the flags of a command

The URLs are those of live pages: http://localhost:9099 if none is given.
https://github.com/stagemeter/stagemeter/blob/main/docs/livepage.md
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c := console{in: os.Stdin, out: os.Stdout, err: os.Stderr, getenv: os.Getenv}
	code := c.run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// A console has the input, the outputs and the environment of a command.
type console struct {
	in     io.Reader
	out    io.Writer
	err    io.Writer
	getenv func(string) string
}

// run runs a command and returns the code to exit with.
func (c console) run(ctx context.Context, args []string) int {
	if len(args) == 0 {
		_, _ = io.WriteString(c.err, usage)
		return exitUsage
	}
	switch args[0] {
	case "top":
		return c.top(ctx, args[1:])
	case "version", "-version", "--version":
		return c.print("stagemeter " + buildVersion() + "\n")
	case "help", "-h", "-help", "--help":
		if len(args) > 1 && args[1] == "top" {
			return c.top(ctx, []string{"-h"})
		}
		return c.print(usage)
	default:
		return c.misused(fmt.Errorf("there is no command %q", args[0]), "stagemeter help")
	}
}

func (c console) print(text string) int {
	if _, err := io.WriteString(c.out, text); err != nil {
		return exitNoAnswer
	}
	return exitOK
}

// misused reports wrong arguments and names the help about them.
func (c console) misused(err error, help string) int {
	if !errors.Is(err, flag.ErrHelp) {
		_, _ = fmt.Fprintf(c.err, "stagemeter: %v\nRun `%s`.\n", err, help)
	}
	return exitUsage
}

// buildVersion returns the version of the program and of Go, as the go command has recorded them.
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(unknown)"
	}
	return info.Main.Version + " " + info.GoVersion
}
