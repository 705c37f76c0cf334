package paid

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
)

// Services that answer with success, and with something that is no transcript.
func TestNoTranscript(t *testing.T) {
	for _, test := range []struct{ name, contentType, body, says string }{
		{"nothing", "application/json", "", "empty"},
		{"white space", "application/json", " \n", "empty"},
		{"an error", "application/json", `{"error":{"message":"overloaded","type":"server_error"}}`, "overloaded"},
		{"an error as text", "application/json", `{"error":"overloaded"}`, "overloaded"},
		{"an error of another shape", "application/json", `{"error":{"reason":"overloaded"}}`, "overloaded"},
		{"a text and an error", "application/json", `{"text":"","error":{"message":"overloaded"}}`, "overloaded"},
		{"a detail", "application/json", `{"detail":"overloaded"}`, "overloaded"},
		{"no text", "application/json", `{"usage":{"type":"duration","seconds":3}}`, "no transcript"},
		{"the text null", "application/json", `{"text":null}`, "no transcript"},
		{"a number", "application/json", `{"text":7}`, "no transcript"},
		{"null", "application/json", `null`, "no transcript"},
		{"a list", "application/json", `["hello"]`, "no transcript"},
		{"cut off", "application/json", `{"text":"hel`, "no transcript"},
		{"two answers", "application/json", `{"text":"a"}{"text":"b"}`, "no transcript"},
		{"a page", "text/html", "<html><title>Sign in</title>", "<html>"},
		{"a page called JSON", "application/json", "<html><title>Sign in</title>", "<html>"},
		{"the bare text", "text/plain", "hello", "hello"},
	} {
		client, recording := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", test.contentType)
			_, _ = io.WriteString(w, test.body) // an error shows in the client
		})
		got, err := client.Transcribe(t.Context(), recording, 12*time.Second)
		var invalid *AnswerError
		if !errors.As(err, &invalid) || instrument.ErrorType(err) != "invalid_answer" || !reflect.DeepEqual(got, Transcript{}) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s gives %+v, %v of type %s, want an invalid_answer that says %q", test.name, got, err, instrument.ErrorType(err), test.says)
		}
		if _, again := RetryAfter(err); again {
			t.Errorf("%s: the call is made again, although it was answered and may be paid", test.name)
		}
	}
}

// What is odd about an answer and does not matter costs no transcript that is paid.
func TestOddTranscripts(t *testing.T) {
	for _, test := range []struct {
		contentType, body string
		want              Transcript
	}{
		{"application/json", `{"text":""}`, Transcript{}},
		{"application/json", `{"text":" hello\n","error":null}`, Transcript{Text: "hello"}},
		{"text/html", `{"text":"hello"}`, Transcript{Text: "hello"}},
		{"", "\uFEFF" + `{"text":"hello"}`, Transcript{Text: "hello"}},
		{"application/json", `{"text":"hello","usage":{"type":"duration","seconds":2.5}}`, Transcript{Text: "hello", Billed: 2500 * time.Millisecond}},
		{"application/json", `{"text":"hello","usage":{"seconds":2.5}}`, Transcript{Text: "hello"}},
		{"application/json", `{"text":"hello","duration":2.5}`, Transcript{Text: "hello", Billed: 3 * time.Second}},
		{"application/json", `{"text":"hello","duration":2.5,"usage":{"type":"duration","seconds":4}}`, Transcript{Text: "hello", Billed: 4 * time.Second}},
		{"application/json", `{"text":"hello","duration":"long","usage":null}`, Transcript{Text: "hello"}},
		{"application/json", `{"text":"hello","segments":[{"id":0,"start":0.5,"end":2,"text":" hello "}]}`,
			Transcript{Text: "hello", Utterances: []Utterance{{time.Second / 2, 2 * time.Second, "hello"}}}},
		{"application/json", `{"text":"hello","segments":[{"start":2,"end":1,"text":"hello"}]}`, Transcript{Text: "hello"}},
		{"application/json", `{"text":"hello","segments":[{"start":-2,"end":1,"text":"hello"}]}`, Transcript{Text: "hello"}},
		{"application/json", `{"text":"hello","segments":[{"start":0,"end":1e99,"text":"hello"}]}`, Transcript{Text: "hello"}},
		{"application/json", `{"text":"hello","segments":{"start":"now"}}`, Transcript{Text: "hello"}},
		{"application/json", `{"text":"hello","usage":{"type":"tokens","input_tokens":9,"seconds":3}}`, Transcript{Text: "hello"}},
		{"application/json", `{"text":"hello","usage":null}`, Transcript{Text: "hello"}},
		{"application/json", `{"text":"hello","usage":"free"}`, Transcript{Text: "hello"}},
		{"application/json", `{"text":"hello","usage":{"type":"duration","seconds":null}}`, Transcript{Text: "hello"}},
		{"application/json", `{"text":"hello","usage":{"type":"duration","seconds":"3"}}`, Transcript{Text: "hello"}},
		{"application/json", `{"text":"hello","usage":{"type":"duration","seconds":0}}`, Transcript{Text: "hello"}},
		{"application/json", `{"text":"hello","usage":{"type":"duration","seconds":-3}}`, Transcript{Text: "hello"}},
		{"application/json", `{"text":"hello","usage":{"type":"duration","seconds":1e300}}`, Transcript{Text: "hello"}},
		{"application/json", `{"text":"hello","usage":{"type":"duration","seconds":1e999}}`, Transcript{Text: "hello"}},
	} {
		client, recording := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", test.contentType)
			_, _ = io.WriteString(w, test.body) // an error shows in the client
		})
		if got, err := client.Transcribe(t.Context(), recording, 12*time.Second); err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s gives %+v, %v, want %+v", test.body, got, err, test.want)
		}
	}
}

// The client takes no more than a bound of an answer, and waits no longer than a time for it.
func TestAnswersAreBounded(t *testing.T) {
	endless := func(w io.Writer, r *http.Request) {
		block := bytes.Repeat([]byte(" "), 64<<10)
		for range 16 << 10 { // 1 GB
			if _, err := w.Write(block); err != nil || r.Context().Err() != nil {
				return
			}
		}
		t.Error("the client has read a gigabyte")
	}
	drip := func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			_, _ = io.WriteString(w, " ") // an error ends the context
			_ = http.NewResponseController(w).Flush()
			time.Sleep(time.Millisecond)
		}
	}
	const short, long = 100 * time.Millisecond, time.Minute
	for _, test := range []struct {
		name, errorType     string
		begin, end, refusal time.Duration
		serve               http.HandlerFunc
	}{
		{"an answer that does not end", "invalid_answer", long, long, long, func(w http.ResponseWriter, r *http.Request) { endless(w, r) }},
		{"an answer that grows when it is unpacked", "invalid_answer", long, long, long, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			packed := gzip.NewWriter(w)
			endless(packed, r)
			_ = packed.Close() // the client has left
		}},
		{"an answer byte by byte", "timeout", long, short, long, drip},
		{"no answer", "timeout", short, long, long, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // else the server does not see that the client leaves
			<-r.Context().Done()
		}},
		{"an answer that breaks off", "invalid_answer", long, long, long, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"text":"hel`) // the client sees the end
		}},
		{"a refusal that does not end", "http_401", long, long, long, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(401)
			endless(w, r)
		}},
		{"a refusal byte by byte", "http_401", long, long, short, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(401)
			drip(w, r)
		}},
		{"endless headers", "error", long, long, long, func(w http.ResponseWriter, _ *http.Request) {
			for i := range 1000 {
				w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("x", 1000))
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			client, recording := serveWithin(t, limits{begin: test.begin, end: test.end, refusal: test.refusal}, test.serve)
			got, err := client.Transcribe(t.Context(), recording, 12*time.Second)
			if instrument.ErrorType(err) != test.errorType || !reflect.DeepEqual(got, Transcript{}) {
				t.Errorf("got %+v, %v of type %s, want %s", got, err, instrument.ErrorType(err), test.errorType)
			}
			if err != nil && len(err.Error()) > 4*maxText {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}

// Whatever comes is a transcript or an error, of which not much is repeated.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{"text":"hello","usage":{"type":"duration","seconds":3}}`, `{"error":{"message":"k3y"}}`, `{"text":null}`, "", "<html>", `{"error":[{"a":1}]}`, "k\x003y"} {
		f.Add([]byte(seed))
	}
	s := secrets{"k3y"}
	f.Fuzz(func(t *testing.T, answer []byte) {
		got, err := decode(answer, s)
		switch {
		case err == nil && (got.Billed < 0 || got.Billed > maxBilled):
			t.Errorf("%v are billed", got.Billed)
		case err != nil && (len(err.Error()) > 4*(maxReason+200) || strings.Contains(err.Error(), "k3y")):
			t.Errorf("the error is %v", err)
		}
	})
}
