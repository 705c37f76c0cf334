package sdktest

import (
	"context"
	"io"
	"net/http"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/genai"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/aihttp"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// A streamer opens a stream, reads its first event, and returns a function that closes it.
type streamer struct {
	name  string
	start string // the first event
	open  func(ctx context.Context, w wiring) (closing func() error, err error)
}

var streamers = []streamer{
	{"openai-go", event(`{"model":"gpt-4o","choices":[{"index":0,"delta":{"content":"y"}}]}`), func(ctx context.Context, w wiring) (func() error, error) {
		client := w.openAI()
		s := client.Chat.Completions.NewStreaming(ctx, chatParams)
		return s.Close, first(s)
	}},
	{"openai-go responses", "event: response.created\n" + event(`{"type":"response.created","response":{"id":"r","model":"gpt-4o","usage":null}}`), func(ctx context.Context, w wiring) (func() error, error) {
		client := w.openAI()
		s := client.Responses.NewStreaming(ctx, responsesParams)
		return s.Close, first(s)
	}},
	{"anthropic", messageStart, func(ctx context.Context, w wiring) (func() error, error) {
		client := w.anthropic()
		s := client.Messages.NewStreaming(ctx, messageParams)
		return s.Close, first(s)
	}},
	{"go-openai", event(`{"model":"gpt-4o","choices":[{"index":0,"delta":{"content":"y"}}]}`), func(ctx context.Context, w wiring) (func() error, error) {
		s, err := w.goOpenAI().CreateChatCompletionStream(ctx, goChat)
		if err != nil {
			return nil, err
		}
		_, err = s.Recv()
		return s.Close, err
	}},
}

func first(s stream) error {
	if !s.Next() {
		return s.Err()
	}
	return nil
}

// lingers sends the first event, and then nothing until the client has gone.
func (s streamer) lingers() http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, s.start)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
}

// metered runs a function with a metered wiring in a job, waits until the call that it makes has
// ended, and looks for goroutines that are left.
func metered(t *testing.T, h http.HandlerFunc, run func(ctx context.Context, w wiring)) *instrumenttest.Recorder {
	t.Helper()
	before := goleak.IgnoreCurrent()
	ended := make(chan instrument.CallEvent, 10)
	p, rec := instrumenttest.New(t, instrument.WithEvents(instrument.Events{
		CallEnded: func(_ context.Context, e instrument.CallEvent) { ended <- e },
	}))
	f := newFake(t, h)
	ctx, job := p.StartJob(t.Context(), "job")
	run(ctx, wiring{client: f.client(aihttp.WithPrices(prices(t)))})
	select {
	case <-ended:
	case <-t.Context().Done():
		t.Fatal("the call has not ended")
	}
	job.End(nil)
	f.transport.CloseIdleConnections()
	f.server.Close()
	leavesNothing(t, before)
	if len(ended) != 0 || calls(rec) != 1 {
		t.Errorf("%d more calls have ended, of %v", len(ended), calls(rec))
	}
	return rec
}

// leavesNothing looks for goroutines that were not there before. A busy machine may take seconds to end
// those of a connection, which is longer than goleak waits by itself.
func leavesNothing(t *testing.T, before goleak.Option) {
	t.Helper()
	var err error
	for range 20 {
		if err = goleak.Find(before); err == nil {
			return
		}
	}
	t.Error(err)
}

// A stream whose caller goes leaves nothing running, and its call ends once.
func TestStreamsLeaveNothing(t *testing.T) {
	for _, s := range streamers {
		t.Run(s.name+" closed early", func(t *testing.T) {
			metered(t, s.lingers(), func(ctx context.Context, w wiring) {
				closing, err := s.open(ctx, w)
				if err != nil {
					t.Fatal(err)
				}
				if err := closing(); err != nil {
					t.Error(err)
				}
				_ = closing()
			})
		})
		t.Run(s.name+" never closed, its context ends", func(t *testing.T) {
			rec := metered(t, s.lingers(), func(ctx context.Context, w wiring) {
				ctx, cancel := context.WithCancel(ctx)
				defer cancel()
				if _, err := s.open(ctx, w); err != nil {
					t.Fatal(err)
				}
			})
			if s.name == "anthropic" && nano(rec) != 101_000 {
				t.Errorf("%d nano-dollars", nano(rec))
			}
		})
		t.Run(s.name+" canceled and closed", func(t *testing.T) {
			metered(t, s.lingers(), func(ctx context.Context, w wiring) {
				ctx, cancel := context.WithCancel(ctx)
				closing, err := s.open(ctx, w)
				if err != nil {
					t.Fatal(err)
				}
				cancel()
				_ = closing()
			})
		})
		t.Run(s.name+" canceled before its answer", func(t *testing.T) {
			came := make(chan struct{})
			metered(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				close(came)
				<-r.Context().Done()
			}, func(ctx context.Context, w wiring) {
				ctx, cancel := context.WithCancel(ctx)
				go func() { <-came; cancel() }()
				if _, err := s.open(ctx, w); err == nil {
					t.Error("a call whose context is over has an answer")
				}
			})
		})
	}
}

// A loop over a stream of genai that breaks closes it.
func TestBreakLeavesNothing(t *testing.T) {
	s := streamer{start: geminiStart}
	rec := metered(t, s.lingers(), func(ctx context.Context, w wiring) {
		client, err := w.genai(ctx, genai.ClientConfig{})
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range client.Models.GenerateContentStream(ctx, flash, genai.Text("x"), nil) {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
	})
	if nano(rec) != 102_000 || unpriced(rec) != 1 {
		t.Errorf("%d nano-dollars, %v calls without a price", nano(rec), unpriced(rec))
	}
}

// Calls that end as they should leave nothing either.
func TestCallsLeaveNothing(t *testing.T) {
	for _, a := range answers {
		t.Run(a.name, func(t *testing.T) {
			rec := metered(t, a.whole(), func(ctx context.Context, w wiring) {
				if err := a.call(ctx, w); err != nil {
					t.Error(err)
				}
			})
			if nano(rec) != cost || unpriced(rec) != 0 {
				t.Errorf("%d nano-dollars, %v calls without a price", nano(rec), unpriced(rec))
			}
		})
	}
}

// A refused call leaves nothing.
func TestRefusalsLeaveNothing(t *testing.T) {
	before := goleak.IgnoreCurrent()
	f := newFake(t, func(http.ResponseWriter, *http.Request) {})
	p, _ := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job", instrument.WithBudget(1))
	for _, c := range callers {
		_ = c.call(ctx, wiring{client: f.client(aihttp.WithPrices(prices(t)))})
	}
	job.End(nil)
	f.server.Close()
	leavesNothing(t, before)
}
