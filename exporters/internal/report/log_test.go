package report

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
)

// The level of OTEL_LOG_LEVEL wins over the logger's own level, both ways.
func TestNewLogger(t *testing.T) {
	for _, tt := range []struct {
		level string
		want  string // initials of the levels that are logged
	}{
		{"", "IWE"}, {"debug", "DIWE"}, {"info", "IWE"}, {"warn", "WE"}, {"error", "E"}, {"none", ""}, {"unknown", "IWE"},
	} {
		book := &exportertest.LogBook{}
		if got := logged(book, NewLogger(book.Logger(), tt.level)); got != tt.want {
			t.Errorf("%q: logs %q, want %q", tt.level, got, tt.want)
		}
	}
	book := &exportertest.LogBook{}
	if got := logged(book, Warnings(book.Logger())); got != "WE" {
		t.Errorf("Warnings logs %q", got)
	}
	before := slog.Default()
	defer slog.SetDefault(before)
	slog.SetDefault(book.Logger())
	if got := logged(book, NewLogger(nil, "")); got != "IWE" {
		t.Errorf("nil is not the default logger: logs %q", got)
	}
}

// A handlerThat does f for each line.
type handlerThat struct {
	slog.Handler
	f func()
}

func (h handlerThat) Handle(context.Context, slog.Record) error { h.f(); return nil }

// valueThat does f when a handler resolves it.
type valueThat struct{ f func() }

func (v valueThat) LogValue() slog.Value { v.f(); return slog.Value{} }

// A handler that does not return costs its line, and not the goroutine that logs.
func TestHandlersThatDoNotReturn(t *testing.T) {
	for how, f := range map[string]func(){"panic": func() { panic("broken") }, "goexit": runtime.Goexit} {
		book := &exportertest.LogBook{}
		for where, log := range map[string]func(){
			"handler": func() { NewLogger(slog.New(handlerThat{book.Logger().Handler(), f}), "").Error("line") },
			"level":   func() { NewLogger(slog.New(handlerThat{book.Logger().Handler(), f}), "debug").Debug("line") },
			"value":   func() { NewLogger(book.Logger(), "").Error("line", "value", valueThat{f}) },
		} {
			returned, done := false, make(chan struct{})
			go func() {
				defer close(done)
				defer func() { _ = recover() }()
				log()
				returned = true
			}()
			<-done
			if !returned {
				t.Errorf("%s, %s: the goroutine is lost", where, how)
			}
		}
	}
}

// logged returns the initials of the levels that l logs to book.
func logged(book *exportertest.LogBook, l *slog.Logger) (initials string) {
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		before := book.Lines()
		l.With("a", 1).WithGroup("g").Log(context.Background(), level, "line", "b", 2)
		if book.Lines("a=1", "g.b=2") > before {
			initials += level.String()[:1]
		}
	}
	return initials
}

// The same error is logged once, until another one comes or time has passed.
func TestRepeated(t *testing.T) {
	book := &exportertest.LogBook{}
	r := NewRepeated(book.Logger(), "report")
	r.Handle(nil)
	for range 3 {
		r.Handle(errors.New("a"))
	}
	r.Println("b", "on\ntwo lines")
	r.Handle(errors.New("a"))
	if a, b := book.Lines("error=a"), book.Lines(`error="b on two lines"`); a != 2 || b != 1 {
		t.Errorf("%d and %d lines, want 2 and 1:\n%s", a, b, book)
	}
	r.at = time.Now().Add(-repeatAfter)
	r.Handle(errors.New("a"))
	if a := book.Lines("error=a"); a != 3 {
		t.Errorf("%d lines after %v, want 3", a, repeatAfter)
	}
}

// A foreign error is cut to one line of valid UTF-8, and keeps its chain.
func TestBrief(t *testing.T) {
	cause := errors.New("401 \xff\x1b[31m\n" + strings.Repeat("page ", 1000))
	err := Brief(cause)
	if text := err.Error(); len(text) > 600 || strings.ContainsAny(text, "\x1b\n") || !utf8.ValidString(text) || !strings.HasPrefix(text, "401 \uFFFD [31m page") || !strings.HasSuffix(text, "…") {
		t.Errorf("%q", text)
	}
	if !errors.Is(err, cause) {
		t.Error("the chain is lost")
	}
}

// No text shows the password of a URL, not even of one that cannot be parsed, nor a secret.
func TestBriefHidesSecrets(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{`Post "http://receiver:4318/v1/traces": EOF`, `Post "http://receiver:4318/v1/traces": EOF`},
		{`invalid proxy address "http://user:pass@proxy:1": no`, `invalid proxy address "http://…@proxy:1": no`},
		{`invalid proxy address "http://user:p ss/w@rd@proxy": no`, `invalid proxy address "http://…@proxy": no`},
		{`http://user@proxy`, `http://…@proxy`},
		{`"http://a/", ask me@example.com`, `"http://a/", ask me@example.com`},
		{`redis: invalid URL "redis://user:hunter2%@host/0"`, `redis: invalid URL "redis://…@host/0"`},
		{`parse "redis://user:hunter2@ho st:1/0": invalid`, `parse "redis://…@ho st:1/0": invalid`},
		{`parse "redis://user:hunter2": invalid port`, `parse "redis://user:…": invalid port`},
		{`parse "http://user:1hunter%40host:1/x": invalid port`, `parse "http://user:…/x": invalid port`},
		{`invalid proxy address "user:hunter2%zz@proxy:1": no`, `invalid proxy address "…@proxy:1": no`},
		{`Get "https://host/v1?api_key=hunter2&x=1": EOF`, `Get "https://host/v1?…": EOF`},
		{`https://host/#user:hunter2 fails`, `https://host/#… fails`},
		{`dial "http://host:4317", "[::1]:1": no`, `dial "http://host:4317", "[::1]:1": no`},
		{`http://host:4317: refused, http://[::1]:4317/a: refused`, `http://host:4317: refused, http://[::1]:4317/a: refused`},
		{"line 1: cannot unmarshal !!str `hunter2` into map[string]config.Secret", "line 1: cannot unmarshal !!str `…` into map[string]config.Secret"},
		{`token abc.def is not known, abc.def`, `token … is not known, …`},
		{strings.Repeat(" ", maxText-10) + "http://user:password@proxy", strings.Repeat(" ", maxText-10) + "http://…"},
	} {
		if got := Brief(errors.New(tt.text), "abc.def").Error(); got != tt.want && !strings.HasPrefix(tt.text, "  ") || strings.Contains(got, "hunter") || strings.Contains(got, "password") {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

// The error of a panic has its value, unless reading it could race.
func TestPanicked(t *testing.T) {
	cause := errors.New("cause")
	for _, tt := range []struct {
		value any
		want  string
	}{
		{"text", "a callback panicked: text"},
		{cause, "a callback panicked: cause"},
		{&struct{ n int }{1}, "a callback panicked with a *struct { n int }"},
		{7, "a callback panicked with a int"},
	} {
		if got := Panicked("a callback", tt.value).Error(); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
	if !errors.Is(Panicked("a callback", cause), cause) {
		t.Error("the chain is lost")
	}
}
