package browser

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

const (
	width, height = 1480, 1000 // of the window
	phone         = 390        // the width of a phone
	patience      = 30 * time.Second
)

// before runs in each document before its own scripts. It has a function that returns the words of
// an element, turns each violation of the policy into an error, and measures the time from each
// event of a snapshot to the end of the layout.
const before = `
addEventListener("securitypolicyviolation", e => console.error("policy:", e.violatedDirective, e.blockedURI, e.sample));
window.words = e => {
  const all = [];
  const walker = e && document.createTreeWalker(e, NodeFilter.SHOW_TEXT);
  while (walker?.nextNode()) all.push(walker.currentNode.data);
  return all.join(" ").replace(/\s+/g, " ").trim();
};
window.snapshots = 0;
window.frames_ms = [];
const listen = EventSource.prototype.addEventListener;
EventSource.prototype.addEventListener = function (kind, f, ...more) {
  listen.call(this, kind, e => {
    const from = performance.now();
    f(e);
    queueMicrotask(() => queueMicrotask(() => {
      void document.body.offsetHeight;
      window.snapshots++;
      window.frames_ms.push(performance.now() - from);
    }));
  }, ...more);
};`

// A tab is one tab of the browser. At the end of its test it must have seen no exception, no error on the console, no
// violation of the policy, no dialog and no request to another host.
type tab struct {
	t    *testing.T
	ctx  context.Context
	host string // of the only addresses that may be asked for

	mu       sync.Mutex
	problems []string
	expected []*regexp.Regexp
}

// open opens a tab at an address, once it is loaded.
func open(t *testing.T, url string) *tab {
	t.Helper()
	b := newTab(t, url)
	b.do(chromedp.Navigate(url))
	return b
}

// newTab opens an empty tab, which may ask for what is below the host of the url.
func newTab(t *testing.T, url string) *tab {
	t.Helper()
	b := &tab{t: t, host: regexp.MustCompile(`^https?://[^/]*`).FindString(url) + "/"}
	ctx, cancel := chromedp.NewContext(chromium, chromedp.WithNewBrowserContext(), chromedp.WithListener(b.see))
	ctx, late := context.WithTimeout(ctx, 14*time.Minute)
	b.ctx = ctx
	t.Cleanup(func() {
		if t.Failed() {
			b.shoot("failed-" + strings.ReplaceAll(t.Name(), "/", "-"))
		}
		for _, p := range b.unexpected() {
			t.Error(p)
		}
		late()
		cancel()
	})
	call(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: before})
	return b
}

// see notes what must not happen.
func (b *tab) see(event any) {
	problem := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		problem = "exception: " + e.ExceptionDetails.Text
		if x := e.ExceptionDetails.Exception; x != nil {
			problem += " " + x.Description
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type != runtime.ConsoleAPICalledTypeError && e.Type != runtime.ConsoleAPICalledTypeWarning && e.Type != runtime.ConsoleAPICalledTypeAssert {
			return
		}
		problem = "console:"
		for _, arg := range e.Args {
			problem += fmt.Sprintf(" %s%s", arg.Value, arg.Description)
		}
	case *log.EventEntryAdded:
		if e.Entry.Level != log.EntryLevelError && e.Entry.Level != log.EntryLevelWarning {
			return
		}
		problem = fmt.Sprintf("log: %s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
	case *page.EventJavascriptDialogOpening:
		problem = "dialog: " + e.Message
	case *network.EventRequestWillBeSent:
		if url := e.Request.URL; strings.HasPrefix(url, b.host) || strings.HasPrefix(url, "data:") {
			return
		}
		problem = "request: " + e.Request.URL
	default:
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problems = append(b.problems, problem)
}

// expect says which problems belong to the test, such as errors of the network while there is no server.
func (b *tab) expect(patterns ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range patterns {
		b.expected = append(b.expected, regexp.MustCompile(p))
	}
}

// unexpected returns the problems so far that no test expects.
func (b *tab) unexpected() (all []string) {
	_, _ = chromedp.Run(b.ctx, chromedp.Evaluate[int]("0")) // events of before have arrived then
	b.mu.Lock()
	defer b.mu.Unlock()
next:
	for _, p := range b.problems {
		for _, e := range b.expected {
			if e.MatchString(p) {
				continue next
			}
		}
		all = append(all, p)
	}
	return all
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// set runs a script.
func (b *tab) set(js string) {
	b.t.Helper()
	b.do(chromedp.Evaluate[chromedp.Void](js))
}

// emulate sets the color scheme, and stops what moves, so that each picture is the same.
func (b *tab) emulate(scheme string) {
	b.t.Helper()
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
}

// size sets the size of the window.
func (b *tab) size(wide, high int64) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(wide, high))
}

// wait waits until a condition, an expression in JavaScript, holds.
func (b *tab) wait(condition string) {
	b.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("Boolean("+condition+")"))
		if ok {
			return
		}
		if time.Now().After(deadline) {
			text, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string](`document.body.innerText.slice(0, 3000)`))
			b.t.Fatalf("this never became true: %s (%v). The page says:\n%s", condition, err, text)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// waitText waits until the text of an element contains another one. The words of an
// element have a space between them wherever an element begins or ends.
func (b *tab) waitText(selector, text string) {
	b.t.Helper()
	b.wait(fmt.Sprintf(`words(document.querySelector(%q)).includes(%q)`, selector, text))
}

// text returns the words of an element.
func (b *tab) text(selector string) string {
	b.t.Helper()
	return eval[string](b, fmt.Sprintf(`words(document.querySelector(%q))`, selector))
}

// texts returns the words of all elements that a selector fits.
func (b *tab) texts(selector string) []string {
	b.t.Helper()
	return eval[[]string](b, fmt.Sprintf(`[...document.querySelectorAll(%q)].map(words)`, selector))
}

// click clicks the middle of an element.
func (b *tab) click(selector string) {
	b.t.Helper()
	b.wait(fmt.Sprintf(`document.querySelector(%q)`, selector))
	at := eval[[]float64](b, fmt.Sprintf(`(e => { e.scrollIntoView({ block: "center" }); const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2] })(document.querySelector(%q))`, selector))
	b.do(chromedp.MouseClickXY(at[0], at[1]))
}

// updated waits until the page has drawn n more snapshots.
func (b *tab) updated(n int) {
	b.t.Helper()
	seen := eval[int](b, "snapshots")
	b.wait(fmt.Sprintf("snapshots >= %d", seen+n))
}

// shoot keeps a picture of what the window shows.
func (b *tab) shoot(name string) {
	b.t.Helper()
	picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(shots, name+".png"), picture, 0o644)
	}
	if err != nil {
		b.t.Errorf("screenshot %s: %v", name, err)
	}
}

func eval[T any](b *tab, js string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%.200s: %v", js, err)
	}
	return v
}
