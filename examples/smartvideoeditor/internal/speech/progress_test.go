package speech

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"testing"
)

// halfway recognizes in two steps.
type halfway struct{}

func (halfway) Recognize(_ context.Context, _ string, progress func(float64)) (Transcript, error) {
	progress(0.5)
	progress(1)
	return two, nil
}

// Only a request that asks for its progress gets it.
func TestProgress(t *testing.T) {
	server := httptest.NewServer(Handler(halfway{}, 1))
	defer server.Close()
	for _, test := range []struct {
		asked string
		want  []string
	}{{"", nil}, {"0", []string{"0.5000", "1.0000"}}} {
		var told []string
		r := upload(t, server.URL)
		r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
			Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
				if code != http.StatusProcessing {
					t.Errorf("status %d", code)
				}
				told = append(told, header.Get(ProgressHeader))
				return nil
			},
		}))
		if test.asked != "" {
			r.Header.Set(ProgressHeader, test.asked)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if !slices.Equal(told, test.want) || answer.StatusCode != http.StatusOK || answer.Header.Get(ProgressHeader) != "" {
			t.Errorf("asked %q: told %q and %s with %v, want %q", test.asked, told, answer.Status, answer.Header, test.want)
		}
	}
}
