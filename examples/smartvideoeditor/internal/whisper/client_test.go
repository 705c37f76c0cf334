package whisper

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/money"
)

func TestPrice(t *testing.T) {
	for _, test := range []struct {
		length time.Duration
		want   instrument.USD
	}{
		{0, 0},
		{time.Minute, 6 * instrument.Cent / 10},
		{61 * time.Second, 6_100_000 * money.Nano},
		{24 * time.Second, 2_400_000 * money.Nano},
		{3 * time.Hour, 108 * instrument.Cent},
	} {
		if got := Price(test.length); got != test.want {
			t.Errorf("Price(%v) = %v, want %v", test.length, got, test.want)
		}
	}
}

func TestTranscribe(t *testing.T) {
	var request http.Header
	client, recording := serve(t, func(w http.ResponseWriter, r *http.Request) {
		request = r.Header
		answer(w, 200, map[string]any{"text": "hello", "usage": map[string]any{"type": "duration", "seconds": 12}})
	})
	ctx := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled,
	}))
	got, err := client.Transcribe(ctx, recording)
	if want := (Transcript{Text: "hello", Billed: 12 * time.Second}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if got, want := request.Get("Authorization"), "Bearer key"; got != want {
		t.Errorf("Authorization is %q, want %q", got, want)
	}
	if got, want := request.Get("Traceparent"), "00-01000000000000000000000000000000-0200000000000000-01"; got != want {
		t.Errorf("traceparent is %q, want %q: the service continues the trace of the call", got, want)
	}
}

// A service that does not say the billed length is not free.
func TestNoUsage(t *testing.T) {
	client, recording := serve(t, func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, map[string]any{"text": "hello"}) })
	if got, err := client.Transcribe(t.Context(), recording); err != nil || got.Billed != 0 || got.Text != "hello" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestRefusals(t *testing.T) {
	for status, want := range map[int]string{401: "http_401", 400: "http_400"} {
		client, recording := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			answer(w, status, map[string]any{"error": map[string]any{"message": "the reason", "type": "invalid_request_error"}})
		})
		_, err := client.Transcribe(t.Context(), recording)
		if instrument.ErrorType(err) != want || !strings.Contains(err.Error(), "the reason") {
			t.Errorf("a %d gives %v of type %s, want %s and the service's words", status, err, instrument.ErrorType(err), want)
		}
	}
}

// The client tries again by itself; that is one call.
func TestRetry(t *testing.T) {
	tries := 0
	client, recording := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if tries++; tries == 1 {
			w.Header().Set("Retry-After-Ms", "1")
			answer(w, 429, map[string]any{"error": map[string]any{"message": "slow down"}})
			return
		}
		if _, _, err := r.FormFile("file"); err != nil {
			t.Errorf("the second try has no recording: %v", err)
		}
		answer(w, 200, map[string]any{"text": "hello"})
	})
	if got, err := client.Transcribe(t.Context(), recording); err != nil || got.Text != "hello" || tries != 2 {
		t.Errorf("got %+v, %v after %d tries", got, err, tries)
	}
}

func TestNoRecording(t *testing.T) {
	client, recording := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("something was sent") })
	if _, err := client.Transcribe(t.Context(), recording+".gone"); instrument.ErrorType(err) != "not_found" {
		t.Errorf("got %v", err)
	}
}

func serve(t *testing.T, handler http.HandlerFunc) (*Client, string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	recording := filepath.Join(t.TempDir(), "speech.flac")
	if err := os.WriteFile(recording, []byte("sound"), 0o600); err != nil {
		t.Fatal(err)
	}
	return NewClient(server.URL+"/v1", "key"), recording
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // an error shows in the client
}
