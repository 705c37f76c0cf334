package browser

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"

	"github.com/stagemeter/stagemeter/instrument"
)

// openJob opens a job of the page by its name.
func (b *tab) openJob(id string) {
	b.t.Helper()
	b.waitText("main", id)
	b.set(fmt.Sprintf(`[...document.querySelectorAll("main .link")].find(e => e.textContent === %q).click()`, id))
	b.waitText("#h-job", id)
}

// The drawer shows a job's stages beside their usual lengths, its calls and its trace.
func TestDrawer(t *testing.T) {
	b := open(t, busy.url)
	b.openJob(keynote)
	b.waitText("#drawer .waterfall", "rendering")
	b.waitText("#drawer .waterfall", "normalization")
	for selector, want := range map[string]string{
		".detail .top":      "running",
		".detail .top code": busy.trace(keynote),
		".facts":            `of \$2\.00 left`,
		".waterfall":        `analysis .*[\d.]+ s .*usual \d+ [hms]`,
		"section[aria-labelledby=h-stages] .head": "usual: the median of up to 2[0-9] earlier runs",
		"section[aria-labelledby=h-calls]":        `Paid calls 3 .*(whisper transcription [\d.]+ (ms|s) \d+ ms \$0\.104 ?){3}`,
	} {
		b.wait(fmt.Sprintf(`/%s/.test(words(document.querySelector("#drawer").querySelector(%q)))`, want, selector))
	}
	if n := eval[int](b, `document.querySelectorAll("#drawer .waterfall .usual").length`); n < 4 {
		t.Errorf("%d stages have a bar of their usual length", n)
	}
	if n := eval[int](b, `document.querySelectorAll("#drawer .waterfall .call").length`); n != 3 {
		t.Errorf("%d paid calls are marked, want 3", n)
	}
}

// An address leads to a job, while it lives and after it, in the process that it was of.
func TestDeepLink(t *testing.T) {
	m := start(t)
	ctx, job := m.p.StartJob(t.Context(), "video-1.mp4")
	pay(ctx, "whisper", instrument.Cent)
	b := open(t, m.url)
	b.openJob("video-1.mp4")
	b.wait(`/^#job=\d+&of=\d{13}$/.test(location.hash)`)
	address := eval[string](b, "location.href")
	b.press("Escape")
	b.wait(`location.hash === ""`)

	b = open(t, address)
	b.waitText("#drawer .sub", "running")
	job.End(nil)
	b.waitText("#drawer .sub", "completed")
	b.do(chromedp.Reload())
	b.waitText("#drawer .sub", "completed")
	b.waitText("#drawer", "whisper")

	b = open(t, m.url+"#job=4711")
	b.expect(`live/job.json\?run=4711`) // 404
	b.waitText("#h-job", "This job is no longer kept")
	b = open(t, regexp.MustCompile(`of=\d+`).ReplaceAllString(address, "of=1700000000000"))
	b.waitText("#h-job", "The process has restarted")
	b.press("Escape")
	b.wait(`!document.getElementById("drawer").open`)
}

// Ids are copied to the clipboard, and a click beside the drawer closes it.
func TestCopyAndClickBeside(t *testing.T) {
	b := open(t, busy.url)
	for _, name := range []string{"clipboard-read", "clipboard-write"} {
		allowed := browser.SetPermissionParams{Permission: &browser.PermissionDescriptor{Name: name}, Setting: "granted", BrowserContextID: chromedp.FromContext(b.ctx).BrowserContextID}
		if _, err := chromedp.CallBrowser(b.ctx, browser.SetPermission, allowed); err != nil {
			t.Fatal(err)
		}
	}
	b.openJob(keynote)
	for i, want := range []string{keynote, busy.trace(keynote)} {
		b.click(fmt.Sprintf("#drawer .btn:nth-of-type(%d)", i+1))
		b.waitText(fmt.Sprintf("#drawer .btn:nth-of-type(%d)", i+1), "Copied")
		if got := eval[string](b, "navigator.clipboard.readText()"); got != want {
			t.Errorf("copied %q, want %q", got, want)
		}
	}
	b.do(chromedp.MouseClickXY(20, 500))
	b.wait(`!document.getElementById("drawer").open`)
}
