// Package board turns the last answers of one or many workers into rows, and rows into lines: a
// table of a given width, plain text or JSON. It makes no request and reads no clock.
package board

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/cmd/stagemeter/internal/feed"
)

// A Board holds the last answer of each worker. The zero value has no worker.
type Board struct {
	Workers []Worker
}

// A Worker is a process whose live page is asked.
type Worker struct {
	URL   *url.URL
	Name  string         // its host and prefix, as short as distinguishes it from the others
	Snap  *feed.Snapshot // its last answer; nil: it has not answered yet
	Heard time.Time      // when it came
	Err   string         // why it is lost; "" if it is not

	listed int  // jobs in the last answer that was not filtered
	cut    bool // the worker has more jobs than it sends
}

// A State is the state of the connection to a worker.
type State string

// A worker is waiting until its first answer or error.
const (
	Waiting State = "waiting"
	Live    State = "live"
	Lost    State = "lost"
)

// State returns the state of the worker.
func (w *Worker) State() State {
	switch {
	case w.Err != "":
		return Lost
	case w.Snap != nil:
		return Live
	default:
		return Waiting
	}
}

// New returns a board of workers that have not answered yet.
func New(urls []*url.URL) *Board {
	b := new(Board)
	for i, name := range names(urls) {
		b.Workers = append(b.Workers, Worker{URL: urls[i], Name: name})
	}
	return b
}

// names returns the host and prefix of each URL, without the port if several have the same one. If two of
// these are the same, it returns the URLs.
func names(urls []*url.URL) []string {
	ports := make(map[string]bool)
	for _, u := range urls {
		ports[u.Port()] = true
	}
	write := []func(*url.URL) string{
		func(u *url.URL) string { return u.Hostname() + u.Path },
		func(u *url.URL) string { return u.Host + u.Path },
		(*url.URL).String,
	}
	if len(urls) == 1 || len(ports) > 1 {
		write = write[1:]
	}
	var names []string
	for _, of := range write {
		names = nil
		for _, u := range urls {
			names = append(names, feed.Clean(strings.TrimSuffix(of(u), "/")))
		}
		if distinct := slices.Compact(slices.Sorted(slices.Values(names))); len(distinct) == len(urls) {
			break
		}
	}
	return names
}

// Clone returns a board that does not change with b.
func (b *Board) Clone() *Board {
	return &Board{Workers: slices.Clone(b.Workers)} // a snapshot never changes
}

// Answer takes an answer of worker i, or the error instead of one, that came at this time. match is
// the filter of the request.
func (b *Board) Answer(i int, at time.Time, match string, s *feed.Snapshot, err error) {
	w := &b.Workers[i]
	if err != nil {
		w.Err = err.Error()
		return
	}
	w.Snap, w.Heard, w.Err = s, at, ""
	if match == "" {
		w.listed = len(s.Jobs)
	}
	w.cut = s.Running > w.listed
}

// Match returns the filter to request from worker i, which is needed if it has more jobs than it
// sends. It is "" if the worker sends all its jobs, or if all of them pass.
func (b *Board) Match(i int, filter string) string {
	w := &b.Workers[i]
	if !w.cut || b.many() && contains(w.Name, filter) {
		return ""
	}
	return filter
}

// Answered reports whether any worker has answered and is not lost.
func (b *Board) Answered() bool {
	for i := range b.Workers {
		if b.Workers[i].State() == Live {
			return true
		}
	}
	return false
}

func (b *Board) many() bool { return len(b.Workers) > 1 }

func contains(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}
