package paid

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument/price"
)

const (
	user     = "u5er-name"
	password = "p4ss w0rd"
	queryKey = "qu3ry/key"
	apiKey   = "sk-4pi-k3y"
	proxyKey = "pr0xy:k3y"
)

var basic = "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))

// discloses returns a secret that a text has, or "".
func discloses(text string) string {
	for _, secret := range []string{
		user, password, "p4ss%20w0rd", "p4ss+w0rd", "p4ss", queryKey, "qu3ry%2Fkey", "qu3ry", apiKey, "sk-4pi", proxyKey, strings.TrimPrefix(basic, "Basic "),
	} {
		if strings.Contains(text, secret) {
			return secret
		}
	}
	return ""
}

// No error shows a key, whatever goes wrong and whatever the service answers.
func TestNoErrorShowsAKey(t *testing.T) {
	repeat := func(r *http.Request) string {
		name, word, _ := r.BasicAuth()
		return fmt.Sprintf("no such key: %s of %s %s %s:%s %s", r.Header.Get("Authorization"), r.URL, r.URL.Query().Get("key"), name, word, r.Header.Get("X-Proxy-Key"))
	}
	t.Setenv("OPENAI_CUSTOM_HEADERS", "X-Proxy-Key: "+proxyKey+"\nX-Other: ")
	recording := filepath.Join(t.TempDir(), "speech.flac")
	if err := os.WriteFile(recording, []byte("sound"), 0o600); err != nil {
		t.Fatal(err)
	}
	refuse := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			answer(w, status, map[string]any{"error": map[string]any{"message": strings.Repeat("x", maxReason-30) + " " + repeat(r)}})
		}
	}
	for name, handler := range map[string]http.HandlerFunc{
		"a refusal":      refuse(401),
		"a false OK":     refuse(200),
		"a page":         func(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprintln(w, repeat(r)) },
		"another answer": func(w http.ResponseWriter, r *http.Request) { answer(w, 200, map[string]any{"detail": repeat(r)}) },
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://"+user+"@there/?key="+queryKey, http.StatusTemporaryRedirect)
		},
		"a broken redirect": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "http://"+user+":"+password+"@ there/%zz?key="+queryKey)
			w.WriteHeader(307)
		},
		"no HTTP": func(w http.ResponseWriter, r *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = fmt.Fprintf(conn, "HELLO %s\r\n\r\n", repeat(r)) // an error shows in the client
			_ = conn.Close()
		},
		"a hang-up": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(handler)
			defer server.Close()
			at := strings.TrimPrefix(server.URL, "http://")
			for _, base := range []string{
				"http://" + at + "/v1", "http://u5er-name:p4ss%20w0rd@" + at + "/v1?key=qu3ry%2Fkey",
			} {
				client, err := NewClient(base, apiKey, price.Default())
				if err != nil {
					t.Fatal(err)
				}
				_, err = client.Transcribe(t.Context(), recording, 12*time.Second)
				if err == nil {
					t.Fatal("no error")
				}
				if secret := discloses(fmt.Sprintf("%v %+v %#v", err, err, err.Error())); secret != "" {
					t.Errorf("the error shows %q: %v", secret, err)
				}
			}
		})
	}

	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = nobody.Close()
	client, err := NewClient("http://u5er-name:p4ss%20w0rd@"+nobody.Addr().String()+"/v1?key=qu3ry%2Fkey", apiKey, price.Default())
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Transcribe(t.Context(), recording, 12*time.Second)
	if secret := discloses(fmt.Sprint(err)); secret != "" || err == nil {
		t.Errorf("the error of a service that is away shows %q: %v", secret, err)
	}
	if _, again := RetryAfter(err); !again {
		t.Errorf("a service that is away is not asked again: %v", err)
	}
}

func TestURLs(t *testing.T) {
	for _, broken := range []string{
		"", "u5er-name:p4ss@host/v1", "://u5er-name:p4ss@host", "ftp://u5er-name:p4ss@host/", "http://u5er-name:p4ss w0rd@host/ v1",
		"http://u5er-name:p4ss@/v1", "http://host:port/v1?key=qu3ry", "https://host/v1?key=qu3ry%zz", "/v1?key=qu3ry",
	} {
		_, err := NewClient(broken, apiKey, price.Default())
		if err == nil {
			t.Errorf("%q is taken for a URL", broken)
		} else if secret := discloses(err.Error()); secret != "" {
			t.Errorf("the error of %q shows %q", broken, secret)
		}
	}
}

// The query and the user of the URL are for the service, and it gets them.
func TestURLIsSent(t *testing.T) {
	var got *http.Request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		_ = json.NewEncoder(w).Encode(map[string]any{"text": "hello"}) // an error shows in the client
	}))
	defer server.Close()
	recording := filepath.Join(t.TempDir(), "speech.flac")
	if err := os.WriteFile(recording, []byte("sound"), 0o600); err != nil {
		t.Fatal(err)
	}
	at := strings.TrimPrefix(server.URL, "http://")
	for _, test := range []struct{ base, authorization, uri string }{
		{"http://" + at + "/v1", "Bearer " + apiKey, "/v1/audio/transcriptions"},
		{"http://" + at + "/v1/", "Bearer " + apiKey, "/v1/audio/transcriptions"},
		{"http://" + at, "Bearer " + apiKey, "/audio/transcriptions"},
		{"http://" + at + "/v1?api-version=2&key=qu3ry%2Fkey", "Bearer " + apiKey, "/v1/audio/transcriptions?api-version=2&key=qu3ry%2Fkey"},
		{"http://u5er-name:p4ss%20w0rd@" + at + "/v1", basic, "/v1/audio/transcriptions"},
	} {
		client, err := NewClient(test.base, apiKey+"\n", price.Default())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Transcribe(t.Context(), recording, 12*time.Second); err != nil {
			t.Fatal(err)
		}
		if got.RequestURI != test.uri || got.Header.Get("Authorization") != test.authorization {
			t.Errorf("%s: got %s with %q, want %s with %q", test.base, got.RequestURI, got.Header.Get("Authorization"), test.uri, test.authorization)
		}
	}
}
