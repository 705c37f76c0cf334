package paid

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/price"
)

func TestTranscribe(t *testing.T) {
	var request http.Header
	client, recording := serve(t, func(w http.ResponseWriter, r *http.Request) {
		request = r.Header
		answer(w, 200, map[string]any{"text": "hello", "usage": map[string]any{"type": "duration", "seconds": 12}})
	})
	ctx := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled,
	}))
	got, err := client.Transcribe(ctx, recording, 12*time.Second)
	if want := (Transcript{Text: "hello", Billed: 12 * time.Second}); err != nil || !reflect.DeepEqual(got, want) {
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
	if got, err := client.Transcribe(t.Context(), recording, 12*time.Second); err != nil || got.Billed != 0 || got.Text != "hello" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestRefusals(t *testing.T) {
	for status, want := range map[int]string{401: "http_401", 400: "http_400"} {
		client, recording := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			answer(w, status, map[string]any{"error": map[string]any{"message": "the reason", "type": "invalid_request_error"}})
		})
		_, err := client.Transcribe(t.Context(), recording, 12*time.Second)
		if instrument.ErrorType(err) != want || !strings.Contains(err.Error(), "the reason") {
			t.Errorf("a %d gives %v of type %s, want %s and the service's words", status, err, instrument.ErrorType(err), want)
		}
	}
}

func TestNoRecording(t *testing.T) {
	client, recording := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("something was sent") })
	if _, err := client.Transcribe(t.Context(), recording+".gone", time.Second); instrument.ErrorType(err) != "not_found" {
		t.Errorf("got %v", err)
	}
}

// testKey is the key of the clients that serve makes.
const testKey = "key"

func serve(t *testing.T, handler http.HandlerFunc) (*Client, string) {
	t.Helper()
	return serveWithin(t, limits{begin: time.Minute, end: time.Minute, refusal: time.Minute, chat: time.Minute}, handler)
}

// serveWithin is serve for a client with limits of its own.
func serveWithin(t *testing.T, l limits, handler http.HandlerFunc) (*Client, string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	recording := filepath.Join(t.TempDir(), "speech.flac")
	if err := os.WriteFile(recording, []byte("sound"), 0o600); err != nil {
		t.Fatal(err)
	}
	client, err := newClient(server.URL+"/v1", testKey, price.Default(), l)
	if err != nil {
		t.Fatal(err)
	}
	return client, recording
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // an error shows in the client
}
