package sdktest

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"testing"

	"github.com/stagemeter/stagemeter/instrument/aihttp"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// serve answers with the golden file's answer, in pieces of a few bytes if it is a stream.
func (g golden) serve(t *testing.T) http.HandlerFunc {
	t.Helper()
	text := []byte(g.Response.Body)
	if g.Response.Packed != "" {
		var err error
		if text, err = base64.StdEncoding.DecodeString(g.Response.Packed); err != nil {
			t.Fatal(err)
		}
	}
	want := g.url(t)
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.Host != want.Host || r.URL.Path != want.Path {
			t.Errorf("the library has asked %s%s, want %s%s", r.Host, r.URL.Path, want.Host, want.Path)
		}
		for name, value := range g.Response.Headers {
			w.Header().Set(name, value)
		}
		rest := text
		for g.streams() && len(rest) > 50 {
			_, _ = w.Write(rest[:50])
			_ = http.NewResponseController(w).Flush()
			rest = rest[50:]
		}
		_, _ = w.Write(rest)
	}
}

// Whichever library makes the call, it costs what it should, and the library decodes what it decodes
// without us.
func TestGoldens(t *testing.T) {
	for _, g := range goldens(t) {
		for _, by := range g.players() {
			for _, layer := range []bool{false, true} {
				name := g.Name + "/" + by.library
				if layer {
					if !by.layers {
						continue
					}
					name += " by middleware"
				}
				t.Run(name, func(t *testing.T) { compare(t, g, by, layer) })
			}
		}
	}
}

func compare(t *testing.T, g golden, by player, layer bool) {
	options := []aihttp.Option{aihttp.WithPrices(g.table(t))}
	for host, provider := range g.Hosts {
		options = append(options, aihttp.WithHost(host, provider))
	}
	if g.Provider == "litellm" { // a proxy, which has no host of its own
		options = append(options, aihttp.WithHost(g.url(t).Host, g.Provider))
	}
	plain := newFake(t, g.serve(t))
	want, wantErr := by.play(t, t.Context(), wiring{client: plain.plain()}, g)

	f := newFake(t, g.serve(t))
	w := wiring{client: f.client(options...)}
	if layer {
		w = wiring{client: f.plain(), middleware: f.middleware(options...)}
	}
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job")
	if hint := g.hint(); hint != nil {
		ctx = aihttp.WithUsage(ctx, *hint)
	}
	got, err := by.play(t, ctx, w, g)
	job.End(nil)
	if fmt.Sprint(err) != fmt.Sprint(wantErr) || !reflect.DeepEqual(got, want) {
		t.Errorf("the library decodes\n%+v, %v\nwithout us\n%+v, %v", got, err, want, wantErr)
	}
	if wantErr != nil || len(want) == 0 { // the library does not understand the answer, and may not read it to its end
		return
	}
	cost, known := g.expected()
	if got := nano(rec); got != cost {
		t.Errorf("%d nano-dollars were booked, want %d", got, cost)
	}
	if known == (unpriced(rec) > 0) || calls(rec) != 1 {
		t.Errorf("%v of %v calls have no price; it is known: %v", unpriced(rec), calls(rec), known)
	}
}
