package report

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

// none is the level that silences a logger.
const none = "none"

// Levels returns the values that [NewLogger] takes as a level.
func Levels() []string { return []string{"debug", "info", "warn", "error", none} }

// NewLogger returns l, or [slog.Default] if l is nil, at a level of [Levels]. That level replaces
// the logger's own. The empty level keeps the logger's own. Its handler may panic or call
// runtime.Goexit.
func NewLogger(l *slog.Logger, level string) *slog.Logger {
	if l == nil {
		l = slog.Default()
	}
	l = slog.New(patient{l.Handler()})
	if !slices.Contains(Levels(), level) {
		return l
	}
	if level == none {
		return slog.New(slog.DiscardHandler)
	}
	var min slog.Level
	if err := min.UnmarshalText([]byte(level)); err != nil {
		return l
	}
	return slog.New(levelHandler{Handler: l.Handler(), min: min, force: true})
}

// Warnings returns l without the lines below a warning.
func Warnings(l *slog.Logger) *slog.Logger {
	return slog.New(levelHandler{Handler: l.Handler(), min: slog.LevelWarn})
}

// A levelHandler drops lines below min. Unless force is set, it also drops the lines that its
// Handler would drop.
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

// repeatAfter is how long a Repeated does not log the same error again.
const repeatAfter = 10 * time.Minute

// A Repeated logs errors that may return with every scrape or collection. The same error is logged
// again only after 10 minutes, or after another error. It is an otel.ErrorHandler and
// promhttp.Logger, and safe for concurrent use. Its lines have nothing secret of URLs, see Hide.
type Repeated struct {
	logger *slog.Logger
	msg    string

	mu   sync.Mutex
	last string
	at   time.Time
}

// NewRepeated returns a Repeated that logs errors to logger, each as a line with the message msg.
func NewRepeated(logger *slog.Logger, msg string) *Repeated {
	return &Repeated{logger: logger, msg: msg}
}

// Handle logs err. It ignores nil.
func (r *Repeated) Handle(err error) {
	if err != nil {
		r.log(err.Error())
	}
}

// Println logs v as one line.
func (r *Repeated) Println(v ...any) {
	r.log(strings.Join(strings.Fields(fmt.Sprintln(v...)), " "))
}

func (r *Repeated) log(text string) {
	text, _, _ = strings.Cut(text, " stack trace=") // each stack trace differs
	text = Hide(text)
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
