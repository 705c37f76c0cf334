package speech

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// upload is a request with a file.
func upload(t *testing.T, url string) *http.Request {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	_ = w.WriteField("model", "whisper-1") // into memory
	part, err := w.CreateFormFile("file", "speech.flac")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(part, "sound")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/audio/transcriptions", &body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", w.FormDataContentType())
	return r
}

// patient sees how many recordings are kept while it listens to one.
type patient struct {
	folder   string
	expected int
	most     int // one is listened to at a time
}

func (p *patient) Recognize(context.Context, string, func(float64)) (Transcript, error) {
	for range 20 {
		kept, err := os.ReadDir(p.folder)
		if err != nil {
			return Transcript{}, err
		}
		if p.most = max(p.most, len(kept)); p.most >= p.expected {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	return two, nil
}

// However many clients send at once, only a few recordings are kept, and each is heard.
func TestUploadsWait(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	const clients = 12
	recognizer := &patient{folder: folder, expected: clients}
	server := httptest.NewServer(Handler(recognizer, 1))
	defer server.Close()
	var wait sync.WaitGroup
	for range clients {
		r := upload(t, server.URL)
		wait.Go(func() {
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			defer answer.Body.Close()
			if body, err := io.ReadAll(answer.Body); err != nil || answer.StatusCode != http.StatusOK {
				t.Errorf("%s %s, %v", answer.Status, body, err)
			}
		})
	}
	wait.Wait()
	if recognizer.most > 4 {
		t.Errorf("%d recordings were kept at once, want at most 4", recognizer.most)
	}
}

// A client that does not send what it has announced loses its place.
func TestUploadIsBoundedInTime(t *testing.T) {
	h := &handler{recognizer: scripted{transcript: two}, slots: make(chan struct{}, 1), uploads: make(chan struct{}, 1), transfer: 100 * time.Millisecond}
	server := httptest.NewServer(h.mux())
	defer server.Close()
	slow, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	_, err = fmt.Fprint(slow, "POST /v1/audio/transcriptions HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000\r\n\r\n--b\r\n")
	if err != nil {
		t.Fatal(err)
	}
	if err := slow.SetReadDeadline(time.Now().Add(time.Minute)); err != nil { // so that the test fails and ends
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(slow); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 408 ") {
		t.Errorf("got %q, %v, want 408 and the end of the connection", answer, err)
	}

	// The time is for the upload, and not for the recognition.
	h.recognizer = waiting{3 * h.transfer}
	answer, err := http.DefaultClient.Do(upload(t, server.URL))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("a long recognition gives %s", answer.Status)
	}
}

// waiting needs a time to recognize, unless the client leaves.
type waiting struct{ time.Duration }

func (w waiting) Recognize(ctx context.Context, _ string, _ func(float64)) (Transcript, error) {
	select {
	case <-time.After(w.Duration):
		return two, nil
	case <-ctx.Done():
		return Transcript{}, ctx.Err()
	}
}

// The service unpacks nothing, and repeats no more than a few words of a request.
func TestOddRequests(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/v1/audio/transcriptions", strings.NewReader("\x1f\x8b"))
	r.Header.Set("Content-Type", "multipart/form-data; boundary=b")
	r.Header.Set("Content-Encoding", "gzip")
	checkError(t, serve(scripted{}, r), 415, "")

	long := strings.Repeat("long", 1<<18)
	for _, field := range []string{"language", "response_format"} {
		answer := post(t, scripted{}, form{"model": "whisper-1", "file": "x", field: long})
		if checkError(t, answer, 400, field); answer.Body.Len() > 1000 {
			t.Errorf("the error about %s has %d bytes", field, answer.Body.Len())
		}
	}
	checkError(t, post(t, scripted{err: ErrTooLong}, form{"model": "whisper-1", "file": "x"}), 400, "file")
}
