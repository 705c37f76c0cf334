package paid

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
)

// Whatever page a refusal has, its status is known, and so is whether to try again.
func TestRefusalPages(t *testing.T) {
	for _, test := range []struct {
		status            int
		contentType, body string
		header            [2]string
		errorType, says   string
		again             bool
		wait              time.Duration
	}{
		{413, "text/html", "<html>413 Request Entity Too Large</html>", [2]string{}, "http_413", "text/html", false, 0},
		{400, "application/json", `{"error":{"message":"too short"}}`, [2]string{}, "http_400", "too short", false, 0},
		{422, "application/json", `{"detail":[{"msg":"field required"}]}`, [2]string{}, "http_422", "", false, 0},
		{401, "application/json", `{"error":`, [2]string{}, "http_401", "application/json", false, 0},
		{403, "", "", [2]string{}, "http_403", "Forbidden", false, 0},
		{429, "application/json", `{"error":{"message":"slow down"}}`, [2]string{"Retry-After", "20"}, "http_429", "slow down", true, 20 * time.Second},
		{429, "application/json", `{"error":"slow down"}`, [2]string{"Retry-After-Ms", "1.5"}, "http_429", "slow down", true, 1500 * time.Microsecond},
		{429, "", "", [2]string{"Retry-After", "3600"}, "http_429", "", false, time.Hour},
		{429, "", "", [2]string{"Retry-After", "1e300"}, "http_429", "", false, time.Hour},
		{429, "", "", [2]string{"Retry-After", "-5"}, "http_429", "", true, 0},
		{429, "", "", [2]string{"Retry-After", "NaN"}, "http_429", "", true, 0},
		{429, "", "", [2]string{"Retry-After", "soon"}, "http_429", "", true, 0},
		{503, "", "", [2]string{"Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT"}, "http_503", "", true, 0},
		{502, "text/html", "<html>", [2]string{}, "http_502", "text/html", true, 0},
		{501, "", "", [2]string{}, "http_501", "", false, 0},
		{304, "", "", [2]string{}, "http_304", "moved", false, 0},
	} {
		client, recording := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", test.contentType)
			if test.header[0] != "" {
				w.Header().Set(test.header[0], test.header[1])
			}
			w.WriteHeader(test.status)
			_, _ = io.WriteString(w, test.body) // an error shows in the client
		})
		_, err := client.Transcribe(t.Context(), recording, 12*time.Second)
		if instrument.ErrorType(err) != test.errorType || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%d %s gives %v of type %s, want %s that says %q", test.status, test.body, err, instrument.ErrorType(err), test.errorType, test.says)
		}
		if wait, again := RetryAfter(err); again != test.again || wait != test.wait {
			t.Errorf("%d with %q: again %v after %v, want %v after %v", test.status, test.header, again, wait, test.again, test.wait)
		}
	}
}

// A redirect is not followed: neither the recording nor the key goes to another place.
func TestRedirects(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s was sent elsewhere", r.Method, r.URL)
	}))
	defer elsewhere.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, to := range []string{elsewhere.URL + "/v1/audio/transcriptions", "/v2/audio/transcriptions"} {
			calls := 0
			client, recording := serve(t, func(w http.ResponseWriter, r *http.Request) {
				calls++
				http.Redirect(w, r, to, status)
			})
			_, err := client.Transcribe(t.Context(), recording, 12*time.Second)
			if want := "http_" + http.StatusText(status); calls != 1 || !strings.HasPrefix(instrument.ErrorType(err), "http_3") {
				t.Errorf("%d to %s: %d calls, %v of type %s, want one of type %s", status, to, calls, err, instrument.ErrorType(err), want)
			}
		}
	}
}

// A call is one attempt, however it fails: each attempt may be charged, so the budget has to be
// asked before each.
func TestOneAttempt(t *testing.T) {
	for _, status := range []int{408, 409, 429, 500, 503} {
		calls := 0
		client, recording := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			calls++
			w.Header().Set("X-Should-Retry", "true")
			w.WriteHeader(status)
		})
		if _, err := client.Transcribe(t.Context(), recording, 12*time.Second); err == nil || calls != 1 {
			t.Errorf("%d: %d attempts, %v", status, calls, err)
		}
	}
	client, recording := serve(t, func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) })
	_, err := client.Transcribe(t.Context(), recording, 12*time.Second)
	if _, again := RetryAfter(err); err == nil || !again {
		t.Errorf("a lost connection gives %v, again %v", err, again)
	}
}

func TestTooLarge(t *testing.T) {
	client, recording := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("something was sent") })
	if err := os.Truncate(recording, MaxBytes+1); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Transcribe(t.Context(), recording, 12*time.Second); instrument.ErrorType(err) != "http_413" {
		t.Errorf("got %v", err)
	}
}
