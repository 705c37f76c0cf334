package editor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/instrument/money"
	"github.com/stagemeter/stagemeter/instrument/price"
	"github.com/stagemeter/stagemeter/semconv"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/media"
	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/paid"
	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/screen"
	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/store"
)

// tenSeconds is what ten seconds of sound cost.
const tenSeconds = instrument.Cent / 10

// A paidService is a transcription service, and an editor whose jobs only transcribe.
type paidService struct {
	*Editor
	rec   *instrumenttest.Recorder
	calls int // not for parallel calls
	said  *strings.Builder
}

// serve starts a service. answer gets the number of the call, from 1 on.
func serve(t *testing.T, answer func(call int, w http.ResponseWriter)) *paidService {
	t.Helper()
	s := &paidService{said: new(strings.Builder)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, _, err := r.FormFile("file"); err != nil {
			t.Errorf("a call without a recording: %v", err)
		}
		s.calls++
		answer(s.calls, w)
	}))
	t.Cleanup(server.Close)
	client, err := paid.NewClient(server.URL+"/v1", "key", price.Default())
	if err != nil {
		t.Fatal(err)
	}
	checkpoints, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "checkpoints.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := checkpoints.Close(); err != nil {
			t.Error(err)
		}
	})
	p, rec := instrumenttest.New(t, instrument.WithLedger(checkpoints.Ledger()))
	s.rec = rec
	s.Editor = &Editor{
		Pipeline: p, Checkpoints: checkpoints, Transcriber: client, Prices: price.Default(), Screen: screen.NewLines(s.said),
		State: t.TempDir(), Budget: instrument.Dollar, Lease: time.Minute,
	}
	return s
}

// transcribe runs the transcription of a job, from its checkpoint on, as a new process would.
func (s *paidService) transcribe(t *testing.T, ctx context.Context, sound []byte, heard ...media.Span) (transcript, error) {
	t.Helper()
	loud := instrument.LU(1)
	r := &run{Editor: s.Editor, task: Task{ID: "job"}, screen: s.Screen.Job("job"), scenes: scenes{Spread: &loud}}
	r.video = video{Source: media.Source{Length: heard[len(heard)-1].End, Heard: heard}}
	if err := errors.Join(os.MkdirAll(r.workspace("job"), 0o755), os.WriteFile(r.soundFile(), sound, 0o600),
		s.Checkpoints.Begin(t.Context(), "job", "")); err != nil {
		t.Fatal(err)
	}
	var err error
	if r.checkpoint, err = s.Checkpoints.Load(t.Context(), "job"); err != nil {
		t.Fatal(err)
	}
	err = s.Pipeline.RunJob(ctx, "job", r.transcription, instrument.WithBudget(r.Budget))
	kept, keptErr := s.Checkpoints.Load(t.Context(), "job")
	if keptErr != nil || kept.Cost != r.checkpoint.Cost {
		t.Errorf("the checkpoint has a cost of %v, %v, want %v", kept.Cost, keptErr, r.checkpoint.Cost)
	}
	return r.transcript, err
}

// cost returns what is stored as the cost of the job.
func (s *paidService) cost(t *testing.T) instrument.USD {
	t.Helper()
	c, err := s.Checkpoints.Load(context.WithoutCancel(t.Context()), "job")
	if err != nil {
		t.Fatal(err)
	}
	return c.Cost
}

func say(w http.ResponseWriter, text string) { sayBilled(w, text, nil) }

// sayBilled answers with a transcript, for which so many seconds are billed.
func sayBilled(w http.ResponseWriter, text string, seconds any) {
	w.Header().Set("Content-Type", "application/json")
	usage := map[string]any{"type": "duration", "seconds": seconds}
	_ = json.NewEncoder(w).Encode(map[string]any{"text": text, "usage": usage}) // an error shows in the client
}

// tones has tones from 0 to 10 s, from 20 to 30 s and from 40 to 50 s, and silence between them.
var tones = sync.OnceValue(func() []byte {
	part := func(seconds float64) float64 {
		if math.Mod(seconds, 20) >= 10 {
			return 0
		}
		return tone(seconds)
	}
	return samples(50*s, part, part)
})

const s = time.Second

// A job that dies after a part goes on behind it. The part is not sent again, and its cost is
// neither lost nor counted twice.
func TestTranscriptionGoesOn(t *testing.T) {
	service := serve(t, func(call int, w http.ResponseWriter) {
		switch call {
		case 1, 3, 4:
			say(w, fmt.Sprintf("part%d", call))
		default:
			w.WriteHeader(http.StatusBadRequest)
		}
	})
	sound, heard := tones(), []media.Span{span(0, 10*s), span(20*s, 30*s), span(40*s, 50*s)}
	if _, err := service.transcribe(t, t.Context(), sound, heard...); instrument.ErrorType(err) != "http_400" {
		t.Fatalf("got %v", err)
	}
	if got := service.cost(t); got != tenSeconds {
		t.Errorf("the first part has cost %v, want %v", got, tenSeconds)
	}
	got, err := service.transcribe(t, t.Context(), sound, heard...)
	if err != nil || got.Text != "part1 part3 part4" || service.calls != 4 {
		t.Errorf("got %+v, %v after %d calls: the first part is sent once", got, err, service.calls)
	}
	if got := service.cost(t); got != 3*tenSeconds {
		t.Errorf("three parts have cost %v, want %v", got, 3*tenSeconds)
	}
	if got := service.rec.Counter("video_processing_cost_usd_total"); got != 0.003 {
		t.Errorf("counted are $%v, want $0.003", got)
	}
	c, err := service.Checkpoints.Load(t.Context(), "job")
	if err != nil {
		t.Fatal(err)
	}
	r := &run{checkpoint: c}
	if r.fill(); len(r.report.Stages) != 1 || r.report.Stages[0].Name != Transcription {
		t.Errorf("the stages are %+v: a part is none", r.report.Stages)
	}
}

// When the second part is sent, the first is already safe: the process may be killed.
func TestPartsAreKeptAtOnce(t *testing.T) {
	var service *paidService
	service = serve(t, func(call int, w http.ResponseWriter) {
		c, err := service.Checkpoints.Load(context.Background(), "job")
		if err != nil || len(c.Stages) != call-1 || c.Cost != money.Mul(tenSeconds, int64(call-1)) {
			t.Errorf("in call %d the checkpoint is %+v, %v", call, c, err)
		}
		say(w, "word")
	})
	if _, err := service.transcribe(t, t.Context(), tones(), span(0, 10*s), span(20*s, 30*s), span(40*s, 50*s)); err != nil {
		t.Error(err)
	}
}

// A part that is silence costs nothing, and nor does a part that the file does not have.
func TestSilenceIsNotSent(t *testing.T) {
	service := serve(t, func(call int, w http.ResponseWriter) { say(w, "word") })
	sound := tones()
	got, err := service.transcribe(t, t.Context(), sound, span(0, 10*s), span(11500*time.Millisecond, 19*s), span(20500*time.Millisecond, 21*s), span(100*s, 200*s))
	if err != nil || got.Text != "word word" || service.calls != 2 || service.cost(t) != tenSeconds+tenSeconds/10 {
		t.Errorf("got %+v, %v for %v after %d calls", got, err, service.cost(t), service.calls)
	}

	service = serve(t, func(int, http.ResponseWriter) { t.Error("something was sent") })
	got, err = service.transcribe(t, t.Context(), sound, span(11500*time.Millisecond, 19*s), span(31*s, 39*s))
	if err != nil || got.Skipped == "" || service.cost(t) != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
}

// A service with a lower limit gets smaller parts.
func TestTooLargeForTheService(t *testing.T) {
	limit, calls, refused := int64(400<<10), 0, 0
	service := serve(t, nil)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n, err := io.Copy(io.Discard, r.Body); n > limit || err != nil {
			refused++
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		calls++
		say(w, fmt.Sprintf("part%d", calls))
	}))
	defer server.Close()
	client, err := paid.NewClient(server.URL, "key", price.Default())
	if err != nil {
		t.Fatal(err)
	}
	service.Transcriber = client
	sound := samples(41*s, noise, noise) // 32 KB a second
	got, err := service.transcribe(t, t.Context(), sound, span(0, 41*s))
	if err != nil || got.Text != "part1 part2 part3 part4" || refused != 3 || service.cost(t) != 4*tenSeconds+tenSeconds/10 {
		t.Errorf("got %+v, %v for %v after %d refusals: what is refused costs nothing, halves have whole seconds", got, err, service.cost(t), refused)
	}

	limit, calls, refused = 1000, 0, 0
	service = serve(t, nil)
	service.Transcriber = client
	if got, err := service.transcribe(t, t.Context(), sound, span(0, 21*s)); instrument.ErrorType(err) != "http_413" || refused != 2 {
		t.Errorf("got %+v, %v after %d refusals: a service that takes nothing is not asked for ever", got, err, refused)
	}
}

// Each attempt that may have been charged is booked, and no other.
func TestAttempts(t *testing.T) {
	for _, test := range []struct {
		reason   string
		statuses []int
		budget   instrument.USD
		calls    int
		cost     instrument.USD
		wantErr  string
	}{
		{"a refusal costs nothing", []int{429, 200}, instrument.Dollar, 2, tenSeconds, ""},
		{"a broken service may have charged", []int{503, 200}, instrument.Dollar, 2, 2 * tenSeconds, ""},
		{"the budget has only one attempt", []int{503, 200}, tenSeconds, 1, tenSeconds, "budget_exceeded"},
		{"a mistake is not repeated", []int{400, 200}, instrument.Dollar, 1, 0, "http_400"},
	} {
		service := serve(t, func(call int, w http.ResponseWriter) {
			if status := test.statuses[call-1]; status != http.StatusOK {
				w.WriteHeader(status)
				return
			}
			say(w, "word")
		})
		service.Budget = test.budget
		got, err := service.transcribe(t, t.Context(), tones(), span(0, 10*s))
		if service.calls != test.calls || service.cost(t) != test.cost || (err == nil) != (test.wantErr == "") {
			t.Errorf("%s: got %+v, %v after %d calls for %v, want %d for %v", test.reason, got, err, service.calls, service.cost(t), test.calls, test.cost)
		}
		if err != nil && instrument.ErrorType(err) != test.wantErr {
			t.Errorf("%s: %v has the type %s, want %s", test.reason, err, instrument.ErrorType(err), test.wantErr)
		}
		if calls := service.rec.Counter("video_processing_api_calls_total", semconv.AttrAPI.String(paid.Whisper)); int(calls) < test.calls {
			t.Errorf("%s: %v calls are counted, want %d", test.reason, calls, test.calls)
		}
	}
}

// A job that is canceled between two attempts is canceled at once, and not failed.
func TestCanceledBetweenAttempts(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	service := serve(t, func(_ int, w http.ResponseWriter) {
		w.Header().Set("Retry-After", "50")
		w.WriteHeader(http.StatusTooManyRequests)
		time.AfterFunc(100*time.Millisecond, cancel)
	})
	_, err := service.transcribe(t, ctx, tones(), span(0, 10*s))
	if !errors.Is(err, context.Canceled) || service.rec.Counter("video_processing_jobs_total", semconv.AttrStatus.String("canceled")) != 1 {
		t.Errorf("got %v", err)
	}
}

// A service that the user's prices call free needs no budget, whatever it says that it bills.
func TestFreeService(t *testing.T) {
	free, err := price.Parse([]byte(`{"rows": [{"provider": "openai", "model": "whisper-1", "free": true}]}`))
	if err != nil {
		t.Fatal(err)
	}
	service := serve(t, nil)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		sayBilled(w, "word", 10)
	}))
	defer server.Close()
	client, err := paid.NewClient(server.URL, "key", free)
	if err != nil {
		t.Fatal(err)
	}
	service.Transcriber, service.Prices, service.Budget = client, free, 0
	got, err := service.transcribe(t, t.Context(), tones(), span(0, 10*s))
	if err != nil || got.Text != "word" || got.Sent != 10*s || service.cost(t) != 0 {
		t.Errorf("got %+v, %v for %v", got, err, service.cost(t))
	}
	if n := service.rec.Counter("video_processing_api_unpriced_total"); n != 0 {
		t.Errorf("%v calls are unpriced", n)
	}
}

// The budget is asked for begun seconds, and what the service says it bills is booked if that can
// be true.
func TestBilledSeconds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "speech.flac")
	if err := os.WriteFile(path, []byte("sound"), 0o600); err != nil {
		t.Fatal(err)
	}
	made := recording{path: path, meter: meter{bytes: 2 * sampleRate * 91 / 10}} // 9.1 s
	ctx, cancel := context.WithCancel(t.Context())
	call := func(service *paidService) error {
		r := &run{Editor: service.Editor, task: Task{ID: "job"}}
		if err := service.Checkpoints.Begin(t.Context(), "job", ""); err != nil {
			t.Fatal(err)
		}
		return service.Pipeline.RunJob(ctx, "job", func(ctx context.Context) error {
			_, err := pay(ctx, func(ctx context.Context) (paid.Transcript, error) { return r.listen(ctx, made) })
			return err
		}, instrument.WithBudget(service.Budget))
	}
	for _, test := range []struct {
		seconds any
		want    instrument.USD
		says    string
	}{
		{nil, tenSeconds, ""},
		{9.5, 95 * tenSeconds / 100, ""},
		{10, tenSeconds, ""},
		{9, 9 * tenSeconds / 10, ""},
		{20, 2 * tenSeconds, "bills 20s"},
		{60, 6 * tenSeconds, "bills 1m0s"},
		{3600, tenSeconds, "booked are 10s"},
		{1e12, tenSeconds, ""},
		{-10, tenSeconds, ""},
		{0, tenSeconds, ""},
	} {
		service := serve(t, func(_ int, w http.ResponseWriter) { sayBilled(w, "word", test.seconds) })
		service.Budget = tenSeconds // exactly what is reserved
		if err := call(service); err != nil || service.cost(t) != test.want || !strings.Contains(service.said.String(), test.says) {
			t.Errorf("%v seconds are billed for 9.1: cost %v, %v, want %v; said %s", test.seconds, service.cost(t), err, test.want, service.said)
		}
		if got := service.rec.Counter("video_processing_cost_usd_total"); instrument.Dollars(got) != test.want {
			t.Errorf("%v seconds are billed: counted are $%v, want %v", test.seconds, got, test.want)
		}
	}
	service := serve(t, func(_ int, w http.ResponseWriter) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, `{"text":"hel`) // the client sees the end
	})
	if err := call(service); instrument.ErrorType(err) != "invalid_answer" || service.cost(t) != tenSeconds {
		t.Errorf("an answer that breaks off: cost %v, %v, want %v once", service.cost(t), err, tenSeconds)
	}

	service = serve(t, func(int, http.ResponseWriter) { t.Error("something was sent") })
	service.Budget = tenSeconds - 1
	if err := call(service); !errors.Is(err, instrument.ErrBudgetExceeded) {
		t.Errorf("9.1 s with a budget for less than ten give %v", err)
	}
	service.Budget, service.Prices = instrument.Dollar, nil
	var refused *instrument.BudgetError
	if err := call(service); !errors.As(err, &refused) || refused.Unpriced != "model" {
		t.Errorf("sound whose price nobody knows gives %v", err)
	}

	service = serve(t, func(_ int, w http.ResponseWriter) {
		_, _ = io.WriteString(w, `{"text":`) // an error shows in the client
		_ = http.NewResponseController(w).Flush()
		time.AfterFunc(100*time.Millisecond, cancel)
		<-ctx.Done()
	})
	if err := call(service); !errors.Is(err, context.Canceled) || service.cost(t) != tenSeconds {
		t.Errorf("a job that is canceled while the answer comes: cost %v, %v, want %v", service.cost(t), err, tenSeconds)
	}
}
