package exporters

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// logLevels are the values of OTEL_LOG_LEVEL.
var logLevels = []string{"debug", "info", "warn", "error", none}

// newLogger returns l, or the default logger, at the level of OTEL_LOG_LEVEL;
// an empty level leaves the logger's own.
func newLogger(l *slog.Logger, level string) *slog.Logger {
	if l == nil {
		l = slog.Default()
	}
	switch level {
	case "":
		return l
	case none:
		return slog.New(slog.DiscardHandler)
	}
	var min slog.Level
	if err := min.UnmarshalText([]byte(level)); err != nil {
		return l
	}
	return slog.New(levelHandler{Handler: l.Handler(), min: min, force: true})
}

// warnings returns l without what is below a warning.
func warnings(l *slog.Logger) *slog.Logger {
	return slog.New(levelHandler{Handler: l.Handler(), min: slog.LevelWarn})
}

// A levelHandler shows what is at least min, and, unless it is forced, what
// its handler would show too.
type levelHandler struct {
	slog.Handler
	min   slog.Level
	force bool
}

func (h levelHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= h.min && (h.force || h.Handler.Enabled(ctx, level))
}

func (h levelHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	h.Handler = h.Handler.WithAttrs(attrs)
	return h
}

func (h levelHandler) WithGroup(name string) slog.Handler {
	h.Handler = h.Handler.WithGroup(name)
	return h
}

// repeatAfter is how long a report is silent about the same error.
const repeatAfter = 10 * time.Minute

// A report logs errors that come again with every scrape or collection: one
// that repeats itself is logged every [repeatAfter]. It is promhttp's Logger
// and otel's ErrorHandler.
type report struct {
	logger *slog.Logger
	msg    string

	mu   sync.Mutex
	last string
	at   time.Time
}

// Handle logs err.
func (r *report) Handle(err error) {
	if err != nil {
		r.log(err.Error())
	}
}

// Println logs v in one line.
func (r *report) Println(v ...any) {
	r.log(strings.Join(strings.Fields(fmt.Sprintln(v...)), " "))
}

func (r *report) log(text string) {
	text, _, _ = strings.Cut(text, " stack trace=") // which differs each time
	r.mu.Lock()
	repeated := text == r.last && time.Since(r.at) < repeatAfter
	if !repeated {
		r.last, r.at = text, time.Now()
	}
	r.mu.Unlock()
	if !repeated {
		r.logger.Error(r.msg, "error", text)
	}
}
