package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	promapi "github.com/prometheus/client_golang/api/prometheus/v1"
)

// run is the whole of it. When it returns, nothing that it started runs, and its folder is gone.
func run(ctx context.Context, o options) (err error) {
	if _, err := os.Stat("docs/prometheus/scrape.yml"); err != nil {
		return errors.New("run it at the top of the repository, as `make stack` does")
	}
	work, err := os.MkdirTemp("", "stack")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	at, err := takeAddresses(o.freePorts)
	if err != nil {
		return err
	}
	if err := build(ctx); err != nil {
		return err
	}
	if o.freePorts { // anew: building takes a while
		if at, err = takeAddresses(true); err != nil {
			return err
		}
	}
	files, err := at.files(work, o.freePorts, o.pictures != "")
	if err != nil {
		return err
	}

	var all group
	defer func() {
		if err := all.stop(); err != nil { // told also when a signal has ended the rest
			fmt.Fprintln(os.Stderr, "stack:", err)
		}
	}()
	if err := all.startServers(ctx, work, at, files); err != nil {
		return err
	}
	fmt.Println("working on the jobs: a talk, one whose transcription exceeds its budget, and a file that is no video")
	began := time.Now()
	if err := all.edit(ctx, work, at, o.jobs); err != nil {
		return err
	}
	during := promapi.Range{Start: began, End: time.Now().Add(pushWithin)}
	p, err := newFigures(at.prometheus)
	if err != nil {
		return err
	}
	fmt.Println("the jobs have ended; waiting for Prometheus to scrape the last of it")
	missing, err := p.settled(ctx, all.ended)
	if err != nil {
		return err
	}
	if err := p.print(ctx, os.Stdout, at); err != nil {
		return err
	}
	if o.pictures != "" {
		if missing != nil {
			return missing
		}
		if err := p.draw(ctx, o.pictures, during); err != nil {
			return err
		}
	}
	if o.once {
		return missing
	}
	if missing != nil {
		fmt.Fprintln(os.Stderr, "stack:", missing)
	}
	return hold(ctx, o.hold, all.ended)
}

// hold waits for the end: a signal, the time, or a program that ended by itself.
func hold(ctx context.Context, atMost time.Duration, ended <-chan error) error {
	var over <-chan time.Time
	if atMost > 0 {
		over = time.After(atMost)
		fmt.Printf("\nholding for %v; Ctrl-C ends it\n", atMost)
	} else {
		fmt.Print("\nCtrl-C ends it\n")
	}
	select {
	case <-ctx.Done():
		fmt.Println("\nending what was started")
		return nil
	case <-over:
		return nil
	case err := <-ended:
		return err
	}
}

// bin is where `make` builds to.
const bin = ".cache/bin"

// build brings the servers and the editor up to date, which takes seconds when they are.
func build(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(bin, "prometheus")); err != nil {
		fmt.Println("building Prometheus, the collector and the editor; the first time takes some minutes")
	}
	for _, args := range [][]string{
		{"scripts/servers.sh"},
		{"go", "build", "-buildvcs=false", "-o", bin + "/", "./examples/smartvideoeditor"},
	} {
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Stderr = os.Stderr
		if err := inGroup(cmd).Run(); err != nil {
			return fmt.Errorf("%v: %w", args, err)
		}
	}
	return nil
}
