package browser

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/chromedp"

	"github.com/stagemeter/stagemeter/exporters"
	"github.com/stagemeter/stagemeter/exporters/livepage"
)

// The page stands behind the password of the web config file, and so does its stream.
func TestPassword(t *testing.T) {
	const secret = "$2a$04$YrU2NrydJ1EGu5m.Njd9q.E7Nqh6LuZLGsSZDnn/mR1QKjmP0wOq2"
	file := filepath.Join(t.TempDir(), "web.yml")
	if err := os.WriteFile(file, []byte("basic_auth_users:\n  prometheus: "+secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m := start(t, exporters.WithWebConfigFile(file))
	_, job := m.p.StartJob(t.Context(), "video-1.mp4")
	defer job.End(nil)

	stranger := newTab(t, m.url)
	stranger.expect(`401`, `ERR_INVALID_AUTH_CREDENTIALS`)
	_ = chromedp.Do(stranger.ctx, chromedp.Navigate(m.url)) // is refused
	stranger.wait(`document.readyState === "complete" && document.documentElement && !/video-1|Running/.test(document.documentElement.textContent)`)

	b := newTab(t, m.url)
	asked := 0
	err := chromedp.Listen(b.ctx, func(event any) {
		switch e := event.(type) {
		case *fetch.EventAuthRequired:
			asked++
			go func() {
				_, _ = chromedp.Call(b.ctx, fetch.ContinueWithAuth, fetch.ContinueWithAuthParams{RequestID: e.RequestID,
					AuthChallengeResponse: &fetch.AuthChallengeResponse{Response: "ProvideCredentials", Username: "prometheus", Password: "secret"}})
			}()
		case *fetch.EventRequestPaused:
			go func() {
				_, _ = chromedp.Call(b.ctx, fetch.ContinueRequest, fetch.ContinueRequestParams{RequestID: e.RequestID})
			}()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	call(b, fetch.Enable, fetch.EnableParams{HandleAuthRequests: new(true)})
	b.do(chromedp.Navigate(m.url))
	b.waitText(link, "Live")
	b.waitText(rows, "video-1.mp4")
	_, later := m.p.StartJob(t.Context(), "video-2.mp4")
	defer later.End(nil)
	b.waitRows("video-1.mp4", "video-2.mp4") // by the stream
	call(b, fetch.Disable, struct{}{})
	b.openJob("video-2.mp4")
	if asked != 1 {
		t.Errorf("the browser asks for the password %d times, want once", asked)
	}
}

// The page works below any prefix of a server of the program's own, also without the slash at its end.
func TestPrefix(t *testing.T) {
	m := start(t)
	page, err := livepage.New(nil, m.p)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/ops/", http.StripPrefix("/ops", page))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: mux}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	_, job := m.p.StartJob(t.Context(), "video-1.mp4")
	defer job.End(nil)

	base := "http://" + listener.Addr().String()
	for _, at := range []string{"/ops/", "/ops"} {
		b := open(t, base+at)
		b.waitText(link, "Live")
		b.waitRows("video-1.mp4")
		if got := eval[string](b, "location.pathname"); got != "/ops/" {
			t.Errorf("%s leads to %s", at, got)
		}
		if got := b.texts("header nav a"); len(got) != 0 {
			t.Errorf("it has links to %q, which this server does not have", got)
		}
		if got := eval[string](b, `document.querySelector("footer a").pathname`); got != "/ops/live/snapshot.json" {
			t.Errorf("its JSON is at %s", got)
		}
	}
}
