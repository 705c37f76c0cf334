package report

import (
	"context"
	"log/slog"
)

// A patient handler calls the program's slog.Handler in a goroutine of its own, which it waits for.
// So a handler, or a value that it resolves, that panics or calls runtime.Goexit loses its line, and
// not the scrape or the push that logs.
type patient struct{ handler slog.Handler }

func (h patient) Enabled(ctx context.Context, level slog.Level) (enabled bool) {
	apart(func() { enabled = h.handler.Enabled(ctx, level) })
	return enabled
}

func (h patient) Handle(ctx context.Context, r slog.Record) (err error) {
	apart(func() { err = h.handler.Handle(ctx, r) })
	return err
}

func (h patient) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := h
	apart(func() { with.handler = h.handler.WithAttrs(attrs) })
	return with
}

func (h patient) WithGroup(name string) slog.Handler {
	with := h
	apart(func() { with.handler = h.handler.WithGroup(name) })
	return with
}

// apart calls f in a goroutine of its own, and waits for it to return, to panic or to end.
func apart(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = recover() }()
		f()
	}()
	<-done
}
