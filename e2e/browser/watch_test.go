package browser

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// The checks that hold for all tests find what they are for: on a page that does all that must not be.
func TestProblemsAreSeen(t *testing.T) {
	bad := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; connect-src 'self' http://localhost:*; require-trusted-types-for 'script'")
			_, _ = io.WriteString(w, `<!doctype html><link rel="icon" href="data:,"><p id="p">text</p><script src="/bad.js"></script><script>inline = 1</script>`)
		case "/bad.js":
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = io.WriteString(w, `
				fetch("http://localhost:1/").catch(() => {});
				console.error("a complaint");
				p.setAttribute("style", "color: red");
				setTimeout(() => { throw new TypeError("a fault") });
				Promise.reject(new Error("nobody's"));
				try { p.innerHTML = "<b>" } catch {}
				try { eval("1") } catch {}
				document.title = "done";`)
		default:
			http.NotFound(w, r)
		}
	}))
	defer bad.Close()
	b := open(t, bad.URL+"/")
	b.wait(`document.title === "done"`)
	for _, want := range []string{
		"request: http://localhost:1/", "console: \"a complaint\"", "a fault", "nobody's", "policy:\" \"script-src-elem\" \"inline\"", "policy:\" \"style-src-attr\"", "policy:\" \"require-trusted-types-for\"",
	} {
		b.waitProblem(want)
	}
	b.expect(`.`)
}

// waitProblem waits until a problem with a text was seen.
func (b *tab) waitProblem(text string) {
	b.t.Helper()
	var all []string
	for range 400 {
		all = b.unexpected()
		for _, p := range all {
			if strings.Contains(p, text) {
				return
			}
		}
		b.set("new Promise(done => setTimeout(done, 50))")
	}
	b.t.Errorf("not seen: %s, but\n%s", text, strings.Join(all, "\n"))
}
