package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/term"

	"github.com/stagemeter/stagemeter/cmd/stagemeter/internal/board"
	"github.com/stagemeter/stagemeter/cmd/stagemeter/internal/feed"
	"github.com/stagemeter/stagemeter/cmd/stagemeter/internal/tui"
)

// top is `stagemeter top`.
func (c console) top(ctx context.Context, args []string) int {
	const help = "stagemeter help top"
	s, err := parse(args, c.getenv, c.out)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err != nil {
		return c.misused(err, help)
	}
	client, err := feed.NewClient(s.access)
	if err != nil {
		return c.misused(err, help)
	}
	workers := source{client, board.New(s.urls)}
	switch {
	case s.once:
		return c.once(ctx, s, workers)
	case s.json || s.plain || !c.interactive():
		return c.watch(ctx, s, workers)
	default:
		return c.screen(ctx, s, workers)
	}
}

// interactive reports whether input and output are a terminal that understands more than lines.
func (c console) interactive() bool {
	in, ok := c.in.(*os.File)
	if !ok || !term.IsTerminal(in.Fd()) {
		return false
	}
	out, ok := c.out.(*os.File)
	return ok && term.IsTerminal(out.Fd()) && c.getenv("TERM") != "dumb"
}

// A source requests the answers of the workers of a board.
type source struct {
	client *feed.Client
	board  *board.Board
}

func (s source) Snapshot(ctx context.Context, worker int, match string) (*feed.Snapshot, error) {
	return s.client.Snapshot(ctx, s.board.Workers[worker].URL, match)
}

func (s source) Job(ctx context.Context, worker int, run string) (*feed.Answer, error) {
	return s.client.Job(ctx, s.board.Workers[worker].URL, run)
}

// ask asks all workers at the same time, and those that have more jobs than they send once more for those
// that match.
func (s source) ask(ctx context.Context, filter string) {
	var wait sync.WaitGroup
	var mu sync.Mutex
	for i := range s.board.Workers {
		wait.Go(func() {
			match := ""
			for {
				snap, err := s.Snapshot(ctx, i, match)
				mu.Lock()
				s.board.Answer(i, time.Now(), match, snap, err)
				next := s.board.Match(i, filter)
				mu.Unlock()
				if err != nil || next == match || match != "" {
					return
				}
				match = next
			}
		})
	}
	wait.Wait()
}

// screen shows the workers until a key or a signal ends it.
func (c console) screen(ctx context.Context, s settings, workers source) int {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	model := tui.New(ctx, tui.Settings{Board: workers.board, Source: workers, Interval: s.interval, Filter: s.filter, Order: s.order, Now: time.Now})
	options := []tea.ProgramOption{tea.WithContext(ctx), tea.WithInput(c.in), tea.WithOutput(c.out)}
	if c.getenv("NO_COLOR") != "" {
		options = append(options, tea.WithColorProfile(colorprofile.ASCII))
	}
	_, err := tea.NewProgram(model, options...).Run()
	if err != nil && ctx.Err() == nil && !errors.Is(err, tea.ErrInterrupted) {
		_, _ = fmt.Fprintf(c.err, "stagemeter: %v\n", err)
		return exitNoAnswer
	}
	return exitOK
}

// once prints the answers of the workers. Workers that do not answer are named on standard error.
func (c console) once(ctx context.Context, s settings, workers source) int {
	workers.ask(ctx, s.filter)
	now, b := time.Now(), workers.board
	for i := range b.Workers {
		if w := &b.Workers[i]; w.Err != "" {
			_, _ = fmt.Fprintf(c.err, "stagemeter: %s: %s\n", feed.Clean(w.URL.String()), w.Err)
		}
	}
	if err := c.write(s, b, now, b.Attention()); err != nil {
		return c.unwritten(err)
	}
	if !b.Answered() {
		return exitNoAnswer
	}
	return exitOK
}

// watch prints the answers of the workers after each interval until ctx is done.
func (c console) watch(ctx context.Context, s settings, workers source) int {
	tick := time.NewTicker(s.interval)
	defer tick.Stop()
	for first := true; ; first = false {
		workers.ask(ctx, s.filter)
		if ctx.Err() != nil {
			return exitOK
		}
		now := time.Now()
		if !s.json {
			between := "\n"
			if first {
				between = ""
			}
			rows := len(workers.board.Rows(s.filter, s.order))
			line := between + now.Format(time.DateTime) + "  " + workers.board.Who() + "  " + workers.board.Summary(rows).String()
			if code := c.print(line + "\n"); code != exitOK {
				return code
			}
		}
		if err := c.write(s, workers.board, now, append(workers.board.Lost(now), workers.board.Attention()...)); err != nil {
			return c.unwritten(err)
		}
		select {
		case <-ctx.Done():
			return exitOK
		case <-tick.C:
		}
	}
}

func (c console) write(s settings, b *board.Board, now time.Time, notes []board.Line) error {
	rows := b.Rows(s.filter, s.order)
	if !s.json {
		return b.Plain(c.out, notes, rows)
	}
	text, err := b.JSON(rows, now)
	if err == nil {
		_, err = c.out.Write(text)
	}
	return err
}

func (c console) unwritten(err error) int {
	_, _ = fmt.Fprintf(c.err, "stagemeter: the output cannot be written: %v\n", err)
	return exitNoAnswer
}
