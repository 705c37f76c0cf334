package board

import (
	"slices"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/cmd/stagemeter/internal/feed"
	"github.com/stagemeter/stagemeter/cmd/stagemeter/internal/readable"
)

// Who returns the program and the process of the only worker, or the number of workers.
func (b *Board) Who() string {
	if len(b.Workers) == 1 {
		w := &b.Workers[0]
		if w.Snap == nil {
			return w.Name
		}
		return join(" ", string(w.Snap.Service.Name), string(w.Snap.Service.Instance), string(w.Snap.Service.Version))
	}
	states := make(map[State]int)
	for i := range b.Workers {
		states[b.Workers[i].State()]++
	}
	text := readable.Many(len(b.Workers), "worker")
	for _, s := range []State{Lost, Waiting} {
		if n := states[s]; n > 0 {
			text += ", " + readable.Count(n) + " " + string(s)
		}
	}
	return text
}

// Link returns the state of the workers at this time in a few words.
func (b *Board) Link(now time.Time) Span {
	var last time.Time
	lost, live := 0, 0
	for i := range b.Workers {
		w := &b.Workers[i]
		switch w.State() {
		case Live:
			live++
		case Lost:
			lost++
		case Waiting:
		}
		if w.Heard.After(last) {
			last = w.Heard
		}
	}
	switch {
	case live > 0 && lost > 0:
		return Span{"◐ " + readable.Count(live) + " of " + readable.Count(len(b.Workers)) + " live", Warn}
	case live > 0:
		return Span{"● live", Good}
	case lost > 0 && !last.IsZero():
		return Span{"✕ lost " + since(now, last), Bad}
	case lost > 0:
		return Span{"✕ no answer", Bad}
	default:
		return Span{"… connecting", Soft}
	}
}

// Summary returns one line about the jobs of the workers that have answered. shown is the number of
// rows on the screen.
func (b *Board) Summary(shown int) Line {
	running, listed, answered := 0, 0, 0
	var hour feed.Hour
	var budget *feed.Budget
	for i := range b.Workers {
		w := &b.Workers[i]
		if w.Snap == nil {
			continue
		}
		answered++
		running += w.Snap.Running
		listed += len(w.Snap.Jobs)
		h := w.Snap.Hour
		hour.Completed += h.Completed
		hour.Failed += h.Failed
		hour.Canceled += h.Canceled
		hour.Unpriced += h.Unpriced
		switch {
		case hour.Spent == nil:
			hour.Spent = h.Spent
		case h.Spent != nil:
			sum := readable.Plus(*hour.Spent, *h.Spent)
			hour.Spent = &sum
		}
		if !b.many() { // accounts may be shared: their sum would count them twice
			budget = w.Snap.Budget
		}
	}
	if answered == 0 {
		return nil
	}
	text := readable.Count(running) + " running"
	if shown < running {
		text = readable.Count(shown) + " of " + text
		if shown == listed {
			text += " (/ finds the others)"
		}
	}
	ended := []string{readable.Count(hour.Completed) + " completed"}
	if hour.Failed > 0 {
		ended = append(ended, readable.Count(hour.Failed)+" failed")
	}
	if hour.Canceled > 0 {
		ended = append(ended, readable.Count(hour.Canceled)+" canceled")
	}
	spent := readable.USD(hour.Spent)
	if hour.Unpriced > 0 && hour.Spent != nil {
		spent += " + " + readable.Many(hour.Unpriced, "unpriced call")
	}
	line := Line{{text, Strong}, {"  ·  last hour: " + strings.Join(ended, ", ") + ", " + spent, Normal}}
	if budget != nil {
		left := readable.Minus(budget.Limit, budget.Spent)
		line = append(line, Span{"  ·  budgets: " + readable.USD(&left) + " of " + readable.USD(&budget.Limit) + " left", Normal})
	}
	return line
}

// Lost returns a line for each worker that does not answer at this time.
func (b *Board) Lost(now time.Time) []Line {
	var lines []Line
	for i := range b.Workers {
		w := &b.Workers[i]
		switch {
		case w.State() != Lost:
		case w.Heard.IsZero():
			lines = append(lines, Line{{"✕ " + w.Name, Bad}, {" does not answer: " + w.Err, Soft}})
		default:
			lines = append(lines, Line{{"✕ " + w.Name, Bad}, {" lost for " + since(now, w.Heard) + ": " + w.Err, Soft}})
		}
	}
	return lines
}

// Attention returns a line for each job that needs a look, with the reason, the most urgent first.
// It leaves out jobs of lost workers, of which it may no longer be true.
func (b *Board) Attention() []Line {
	type of struct {
		worker int
		feed.Notice
	}
	var all []of
	for i := range b.Workers {
		if w := &b.Workers[i]; w.State() == Live {
			for _, n := range w.Snap.Attention {
				all = append(all, of{i, n})
			}
		}
	}
	urgency := []feed.Text{"stalled", "overdue", "over_budget"}
	rank := func(n of) int {
		if at := slices.Index(urgency, n.Kind); at >= 0 {
			return at
		}
		return len(urgency)
	}
	slices.SortStableFunc(all, func(x, y of) int { return rank(x) - rank(y) })
	var lines []Line
	for _, n := range all {
		name := orNone(n.Job)
		if b.many() {
			name = b.Workers[n.worker].Name + " " + name
		}
		lines = append(lines, b.reason(n.Notice, name+": "))
	}
	return lines
}

func (b *Board) reason(n feed.Notice, of string) Line {
	icon, tone := icons[n.Kind], Warn
	if icon == "" {
		icon = "!"
	}
	if n.Kind == "over_budget" {
		tone = Bad
	}
	return Line{{icon + " " + of, tone}, {string(n.Text), Soft}}
}

// AtMost returns the first n lines. If that leaves any out, the last one says how many.
func AtMost(lines []Line, n int) []Line {
	if len(lines) <= n || n <= 0 {
		return lines[:min(len(lines), max(n, 0))]
	}
	left := len(lines) - n + 1
	return append(slices.Clone(lines[:n-1]), Line{{"  and " + readable.Count(left) + " more", Soft}})
}

func since(now, then time.Time) string { return readable.Length(now.Sub(then).Milliseconds()) }

// join returns the words that are not empty.
func join(by string, words ...string) string {
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), by)
}
