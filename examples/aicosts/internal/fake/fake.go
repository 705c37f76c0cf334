// Package fake answers as OpenAI, Anthropic, Gemini and Deepgram do, with the figures of usage in the
// places where theirs are, so that the examples run without keys and without cost.
package fake

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"time"
)

// Start starts the fake. It returns a transport that sends every request there, whatever its host,
// and a function that stops it.
func Start() (vendor http.RoundTripper, stop func()) {
	var kept atomic.Bool // what Anthropic's cache has
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/audio/transcriptions", openAITranscription)
	mux.HandleFunc("POST /v1/chat/completions", openAIChat)
	mux.HandleFunc("POST /v1/messages", func(w http.ResponseWriter, r *http.Request) { anthropicMessages(w, r, kept.Swap(true)) })
	mux.HandleFunc("POST /v1beta/models/{call}", gemini)
	mux.HandleFunc("POST /v1/listen", deepgramListen)
	server := httptest.NewServer(mux)
	return redirect{server}, server.Close
}

type redirect struct{ to *httptest.Server }

func (t redirect) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Host, r.URL.Scheme, r.URL.Host = r.URL.Host, "http", t.to.Listener.Addr().String()
	return t.to.Client().Transport.RoundTrip(r)
}

const (
	soundRate = 8000 // bytes a second of what Sound returns
	soundHead = 44   // bytes before them
)

// Sound returns silence as a WAV file: mono, 8,000 samples of 8 bits a second. It is made while it is
// read.
func Sound(length time.Duration) io.Reader {
	size := int64(length.Seconds() * soundRate)
	head := make([]byte, soundHead)
	copy(head, "RIFF")
	binary.LittleEndian.PutUint32(head[4:], uint32(soundHead-8+size))
	copy(head[8:], "WAVEfmt ")
	binary.LittleEndian.PutUint32(head[16:], 16) // bytes that follow
	binary.LittleEndian.PutUint16(head[20:], 1)  // PCM
	binary.LittleEndian.PutUint16(head[22:], 1)  // channel
	binary.LittleEndian.PutUint32(head[24:], soundRate)
	binary.LittleEndian.PutUint32(head[28:], soundRate)
	binary.LittleEndian.PutUint16(head[32:], 1) // byte a sample
	binary.LittleEndian.PutUint16(head[34:], 8) // bits a sample
	copy(head[36:], "data")
	binary.LittleEndian.PutUint32(head[40:], uint32(size))
	return io.MultiReader(bytes.NewReader(head), io.LimitReader(silence{}, size))
}

type silence struct{}

func (silence) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 128
	}
	return len(p), nil
}

// lengthOf returns how long the sound of a file of so many bytes is, in seconds.
func lengthOf(size int64) float64 { return float64(size-soundHead) / soundRate }

// decode reads a JSON request, and reports whether it could.
func decode(w http.ResponseWriter, r *http.Request, to any) bool {
	if err := json.NewDecoder(r.Body).Decode(to); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return false
	}
	return true
}

func answer(w http.ResponseWriter, body string) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, body)
}

// events sends each text as an event of a stream at once.
func events(w http.ResponseWriter, texts ...string) {
	w.Header().Set("Content-Type", "text/event-stream")
	for _, text := range texts {
		var head struct{ Type string }
		if json.Unmarshal([]byte(text), &head) == nil && head.Type != "" { // Anthropic's events have a name
			fmt.Fprintf(w, "event: %s\n", head.Type)
		}
		fmt.Fprintf(w, "data: %s\n\n", strings.TrimSpace(text))
		w.(http.Flusher).Flush()
	}
}
