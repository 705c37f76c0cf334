package editor

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/price"
	"github.com/stagemeter/stagemeter/semconv"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/media"
	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/paid"
)

const (
	// said is a stream with two titles, a summary and 1,000 tokens in and 20 out.
	said = `data: {"model":"gpt-4o-mini","choices":[{"index":0,"delta":{"content":"{\"titles\":[\"One\",\"Two\"],\"summary\":\"Both.\"}"}}]}

data: {"model":"gpt-4o-mini","choices":[],"usage":{"prompt_tokens":1000,"completion_tokens":20}}

data: [DONE]

`
	saidCost = 162 * instrument.Dollar / 1_000_000
)

// A chatService is a chat model, and an editor whose jobs only title.
type chatService struct {
	*paidService
	asked []string // the bodies of the calls
}

// serveChat starts a chat model. answer gets the number of the call, from 1 on.
func serveChat(t *testing.T, answer func(call int, w http.ResponseWriter)) *chatService {
	t.Helper()
	s := &chatService{paidService: serve(t, nil)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		s.asked = append(s.asked, string(body))
		answer(len(s.asked), w)
	}))
	t.Cleanup(server.Close)
	client, err := paid.NewClient(server.URL+"/v1", "key", price.Default())
	if err != nil {
		t.Fatal(err)
	}
	s.Describer = client
	return s
}

func tell(_ int, w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = io.WriteString(w, said) // an error shows in the client
}

// title runs the titling of a job, from its checkpoint on, as a new process would.
func (s *chatService) title(t *testing.T, ctx context.Context, heard transcript) (*run, error) {
	t.Helper()
	r := &run{Editor: s.Editor, task: Task{ID: "job"}, screen: s.Screen.Job("job"), transcript: heard}
	r.scenes.Segments = []media.Segment{{End: 3 * time.Second, Score: 1}, {Start: 3 * time.Second, End: 7 * time.Second, Score: 1}}
	if err := s.Checkpoints.Begin(t.Context(), "job", ""); err != nil {
		t.Fatal(err)
	}
	var err error
	if r.checkpoint, err = s.Checkpoints.Load(t.Context(), "job"); err != nil {
		t.Fatal(err)
	}
	err = s.Pipeline.RunJob(ctx, "job", r.titling, instrument.WithBudget(s.Budget))
	r.fill()
	return r, err
}

// spoken has an utterance in each of the two scenes, and one on their border.
var spoken = transcript{Text: "first second third", Utterances: []paid.Utterance{
	{Start: 0, End: time.Second, Text: "first"}, {Start: 2 * time.Second, End: 5 * time.Second, Text: "second"}, {Start: 5 * time.Second, End: 6 * time.Second, Text: "third"},
}}

// Each highlight gets a title, from what is said in it. A job that goes on does not ask again.
func TestTitling(t *testing.T) {
	service := serveChat(t, tell)
	for range 2 {
		r, err := service.title(t, t.Context(), spoken)
		want := description{Summary: "Both.", Tokens: paid.Tokens{Input: 1000, Output: 20}, Chapters: []chapter{{0, "One"}, {3 * time.Second, "Two"}}}
		if err != nil || !reflect.DeepEqual(r.description, want) {
			t.Fatalf("got %+v, %v, want %+v", r.description, err, want)
		}
		if len(r.report.Chapters) != 2 || r.report.Chapters[1].Seconds != 3 || r.report.InputTokens != 1000 || r.report.OutputTokens != 20 || r.report.Notes != nil {
			t.Errorf("the report is %+v", r.report)
		}
	}
	if len(service.asked) != 1 || !strings.Contains(service.asked[0], `\"chapters\":[\"first\",\"second third\"]`) || !strings.Contains(service.asked[0], `first\\nsecond\\nthird`) {
		t.Errorf("asked were %q", service.asked)
	}
	if got := service.rec.Counter("video_processing_cost_usd_total", semconv.AttrAPI.String(paid.OpenAI)); instrument.Dollars(got) != saidCost {
		t.Errorf("counted are $%v, want %v", got, saidCost)
	}
	if err := service.Pipeline.Close(t.Context()); err != nil { // settles the call in the ledger, which the stream's end does not wait for
		t.Error(err)
	}
	if got := service.cost(t); got != saidCost {
		t.Errorf("the job has cost %v, want %v", got, saidCost)
	}
}

// A reel does without titles, and its notes say why. A run that goes on asks again.
func TestTitlingFails(t *testing.T) {
	for _, test := range []struct {
		name   string
		budget instrument.USD
		calls  int
		says   string
		word   string
		answer func(call int, w http.ResponseWriter)
	}{
		{"a service that is broken", instrument.Dollar, 3, "500", "http_500", func(_ int, w http.ResponseWriter) { w.WriteHeader(500) }},
		{"a service without a chat model", instrument.Dollar, 1, "404", "http_404", func(_ int, w http.ResponseWriter) { w.WriteHeader(404) }},
		{"an answer that is none", instrument.Dollar, 1, "empty", "invalid_answer", func(int, http.ResponseWriter) {}},
		{"a budget that is used up", instrument.Dollar / 10_000, 0, "budget exceeded", "budget_exceeded", nil},
	} {
		service := serveChat(t, test.answer)
		service.Budget = test.budget
		r, err := service.title(t, t.Context(), spoken)
		if err != nil || len(service.asked) != test.calls || len(r.report.Notes) != 1 || !strings.Contains(r.report.Notes[0], test.says) {
			t.Errorf("%s: %v after %d calls, with the notes %q", test.name, err, len(service.asked), r.report.Notes)
		}
		if got := service.rec.Counter("video_processing_errors_total", semconv.AttrStage.String(Titling), semconv.AttrErrorType.String(test.word)); got != 1 {
			t.Errorf("%s: %v errors of type %s are counted in the stage", test.name, got, test.word)
		}
		again := serveChat(t, tell)
		again.Editor.Checkpoints, again.Editor.Pipeline = service.Checkpoints, service.Pipeline
		if r, err := again.title(t, t.Context(), spoken); err != nil || len(r.description.Chapters) != 2 || r.report.Notes != nil {
			t.Errorf("%s: the next run has %+v, %v", test.name, r.description, err)
		}
	}
}

// A job that is canceled while the model answers is canceled, and not titled.
func TestTitlingIsCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	service := serveChat(t, func(_ int, w http.ResponseWriter) {
		w.Header().Set("Content-Type", "text/event-stream")
		_ = http.NewResponseController(w).Flush()
		cancel()
		time.Sleep(100 * time.Millisecond)
	})
	if _, err := service.title(t, ctx, spoken); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if c, err := service.Checkpoints.Load(t.Context(), "job"); err != nil || len(c.Stages) > 0 {
		t.Errorf("kept is %+v, %v", c, err)
	}
}

// Where nothing is said, and where no model is, nothing is asked.
func TestNothingToTitle(t *testing.T) {
	service := serveChat(t, func(int, http.ResponseWriter) { t.Error("something was sent") })
	r, err := service.title(t, t.Context(), transcript{})
	if err != nil || r.description.Skipped == "" || r.report.Notes != nil {
		t.Errorf("got %+v, %v", r.description, err)
	}
	without := serveChat(t, nil)
	without.Describer = nil
	r, err = without.title(t, t.Context(), spoken)
	if err != nil || !strings.Contains(r.description.Skipped, "-chat-url") || r.report.Notes != nil {
		t.Errorf("got %+v, %v", r.description, err)
	}
}
