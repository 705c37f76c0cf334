package speech

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

// scripted gives prepared answers, for the tests of the wire format.
type scripted struct {
	transcript Transcript
	err        error
}

func (s scripted) Recognize(context.Context, string, func(float64)) (Transcript, error) {
	return s.transcript, s.err
}

var two = Transcript{
	Duration: 61500 * time.Millisecond,
	Utterances: []Utterance{
		{Start: 0, End: 1500 * time.Millisecond, Text: "hello"},
		{Start: 1500 * time.Millisecond, End: 61 * time.Second, Text: "good bye"},
	},
}

func TestFormats(t *testing.T) {
	for _, test := range []struct{ format, contentType, want string }{
		{"", "application/json", `{"text":"hello good bye","usage":{"type":"duration","seconds":62}}`},
		{"json", "application/json", `{"text":"hello good bye","usage":{"type":"duration","seconds":62}}`},
		{"text", "text/plain; charset=utf-8", "hello good bye\n"},
		{"srt", "text/plain; charset=utf-8", "1\n00:00:00,000 --> 00:00:01,500\nhello\n\n2\n00:00:01,500 --> 00:01:01,000\ngood bye\n\n"},
		{"vtt", "text/plain; charset=utf-8", "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nhello\n\n00:00:01.500 --> 00:01:01.000\ngood bye\n\n"},
	} {
		answer := post(t, scripted{transcript: two}, form{"model": "whisper-1", "response_format": test.format, "file": "sound"})
		if answer.Code != http.StatusOK || answer.Header().Get("Content-Type") != test.contentType || answer.Body.String() != test.want {
			t.Errorf("response_format %q: %d %s %q, want %q", test.format, answer.Code, answer.Header().Get("Content-Type"), answer.Body, test.want)
		}
	}

	answer := post(t, scripted{transcript: two}, form{"model": "whisper-1", "response_format": "verbose_json", "file": "sound"})
	var verbose struct {
		Task, Language, Text string
		Duration             float64
		Segments             []map[string]any
		Usage                usage
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &verbose); err != nil {
		t.Fatal(err)
	}
	if verbose.Task != "transcribe" || verbose.Duration != 61.5 || len(verbose.Segments) != 2 || verbose.Usage.Seconds != 62 {
		t.Errorf("verbose_json is %s", answer.Body)
	}
	for _, field := range []string{"id", "seek", "start", "end", "text", "tokens", "temperature", "avg_logprob", "compression_ratio", "no_speech_prob"} {
		if _, ok := verbose.Segments[0][field]; !ok {
			t.Errorf("a segment has no %s, which the API has", field)
		}
	}
}

func TestErrors(t *testing.T) {
	short := scripted{transcript: Transcript{Duration: 50 * time.Millisecond}}
	for _, test := range []struct {
		name       string
		recognizer scripted
		form       form
		status     int
		param      string
	}{
		{"no model", scripted{}, form{"file": "x"}, 400, "model"},
		{"no file", scripted{}, form{"model": "whisper-1"}, 400, "file"},
		{"format", scripted{}, form{"model": "whisper-1", "file": "x", "response_format": "xml"}, 400, "response_format"},
		{"language", scripted{}, form{"model": "whisper-1", "file": "x", "language": "fr"}, 400, "language"},
		{"stream", scripted{}, form{"model": "whisper-1", "file": "x", "stream": "true"}, 400, "stream"},
		{"no audio", scripted{err: ErrNotAudio}, form{"model": "whisper-1", "file": "x"}, 400, "file"},
		{"short", short, form{"model": "whisper-1", "file": "x"}, 400, "file"},
		{"large", scripted{}, form{"model": "whisper-1", "file": strings.Repeat("x", maxUpload+1)}, 413, ""},
		{"very large", scripted{}, form{"model": "whisper-1", "file": strings.Repeat("x", maxForm+1)}, 413, ""},
		{"broken", scripted{err: errors.New("no ffmpeg")}, form{"model": "whisper-1", "file": "x"}, 500, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			checkError(t, post(t, test.recognizer, test.form), test.status, test.param)
		})
	}

	t.Run("elsewhere", func(t *testing.T) {
		checkError(t, serve(scripted{}, httptest.NewRequest(http.MethodGet, "/v1/models", nil)), 404, "")
	})
	t.Run("JSON", func(t *testing.T) {
		r := httptest.NewRequest(http.MethodPost, "/v1/audio/transcriptions", strings.NewReader("{}"))
		r.Header.Set("Content-Type", "application/json")
		checkError(t, serve(scripted{}, r), 415, "")
	})
	t.Run("cut off", func(t *testing.T) {
		upload := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\nhalf of"
		r := httptest.NewRequest(http.MethodPost, "/v1/audio/transcriptions", strings.NewReader(upload))
		r.Header.Set("Content-Type", "multipart/form-data; boundary=b")
		checkError(t, serve(scripted{}, r), 400, "")
	})
}

// checkError sees that an answer is an error in the shape that clients of OpenAI read.
func checkError(t *testing.T, answer *httptest.ResponseRecorder, status int, param string) {
	t.Helper()
	var body struct {
		Error *struct {
			Message, Type string
			Param         *string
		}
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &body); err != nil || body.Error == nil {
		t.Fatalf("answer %d %s: %v", answer.Code, answer.Body, err)
	}
	got := ""
	if body.Error.Param != nil {
		got = *body.Error.Param
	}
	if answer.Code != status || got != param || body.Error.Message == "" || body.Error.Type == "" {
		t.Errorf("answer %d %s, want %d about %q", answer.Code, answer.Body, status, param)
	}
}

// A file that is uploaded lies in the temporary folder only as long as it is needed.
func TestUploadsAreRemoved(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	large := strings.Repeat("x", 2*inMemory)
	post(t, scripted{transcript: two}, form{"model": "whisper-1", "file": large})
	post(t, scripted{err: ErrNotAudio}, form{"model": "whisper-1", "file": large})
	post(t, scripted{}, form{"file": large})
	left, err := os.ReadDir(folder)
	if err != nil || len(left) != 0 {
		t.Errorf("%d files are left, %v", len(left), err)
	}
}

type form map[string]string

func post(t *testing.T, recognizer Recognizer, fields form) *httptest.ResponseRecorder {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, value := range fields {
		var part io.Writer
		var err error
		if name == "file" {
			part, err = w.CreateFormFile(name, "../../speech.flac")
		} else {
			part, err = w.CreateFormField(name)
		}
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(part, value) // into memory
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/v1/audio/transcriptions", &body)
	r.Header.Set("Content-Type", w.FormDataContentType())
	return serve(recognizer, r)
}

func serve(recognizer Recognizer, r *http.Request) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	Handler(recognizer, 1).ServeHTTP(answer, r)
	return answer
}
