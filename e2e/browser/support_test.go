package browser

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/chromedp/cdproto/emulation"
)

func jsonOf(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // no test gives a value that has no JSON
	}
	return string(text)
}

// fill opens all streams that a page has, and returns what leaves them.
func fill(t *testing.T, url string) (leave func()) {
	t.Helper()
	transport := &http.Transport{}
	var bodies []func() error
	leave = func() {
		for _, end := range bodies {
			_ = end()
		}
		bodies = nil
		transport.CloseIdleConnections()
	}
	t.Cleanup(leave)
	for range 1000 {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := (&http.Client{Transport: transport}).Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode != http.StatusOK {
			_ = answer.Body.Close()
			return leave
		}
		bodies = append(bodies, answer.Body.Close)
	}
	t.Fatal("streams have no end")
	return leave
}

func withoutScripts(b *tab) {
	b.t.Helper()
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
}
