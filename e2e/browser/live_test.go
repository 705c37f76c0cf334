package browser

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/stagemeter/stagemeter/instrument"
)

// rows are the running jobs, figure the nth of the six figures.
const (
	rows    = ".jobs tbody tr"
	running = ".figure:nth-child(1) .v"
	done    = ".figure:nth-child(2) .v"
	spent   = ".figure:nth-child(3) .v"
	link    = "#link"
)

// A page that is open shows each job from its start to its end, without being loaded again.
func TestPageFollowsAJob(t *testing.T) {
	m := start(t)
	b := open(t, m.url)
	b.waitText("main", "No job is running")
	b.waitText(link, "Live")
	b.set("window.loaded = 'once'")

	ctx, job := m.p.StartJob(t.Context(), "video-1.mp4", instrument.WithBudget(instrument.Dollar))
	b.waitText(rows, "video-1.mp4")
	b.waitText(running, "1")
	ctx, stage := instrument.StartStage(ctx, "analysis")
	instrument.ReportProgress(ctx, 30, 100, instrument.WithSpeed(3.5))
	b.waitText(rows+" .c-prog", "analysis 30 % · 3.5×")
	instrument.ReportProgress(ctx, 60, 100)
	b.waitText(rows+" .c-prog", "analysis 60 %")
	instrument.Spend(ctx, "whisper", 25*instrument.Cent)
	b.waitText(rows+" .c-cost", "$0.25 of $1.00")
	b.wait(`document.querySelector(".c-cost [role=meter]").ariaValueNow === "25"`)
	b.wait(`document.title === "1 running · smartvideoeditor"`)

	stage.End(nil)
	job.End(nil)
	b.waitText(".fin tbody tr", "completed video-1.mp4")
	b.waitText(".fin tbody tr", "$0.25")
	b.waitText(running, "0")
	b.waitText(done, "1 100 % good")
	b.waitText(spent, "$0.25")
	if got := eval[string](b, "window.loaded"); got != "once" {
		t.Errorf("the page was loaded again: %q", got)
	}
}

// While the page is paused it shows what was, and goes on with what is.
func TestPause(t *testing.T) {
	m := start(t)
	ctx, job := m.p.StartJob(t.Context(), "video-1.mp4")
	defer job.End(nil)
	ctx, stage := instrument.StartStage(ctx, "analysis")
	defer stage.End(nil)
	instrument.ReportProgress(ctx, 30, 100)
	b := open(t, m.url)
	b.waitText(rows, "analysis 30 %")

	b.press("p")
	b.waitText(link, "Paused")
	instrument.ReportProgress(ctx, 70, 100)
	_, other := m.p.StartJob(t.Context(), "video-2.mp4")
	defer other.End(nil)
	b.updated(3)
	if got := b.texts(rows); len(got) != 1 || !strings.Contains(got[0], "analysis 30 %") {
		t.Errorf("a paused page shows %q", got)
	}
	b.shoot("paused")
	b.click("header button[aria-pressed=true]")
	b.waitText(link, "Live")
	b.waitText(rows, "analysis 70 %")
	b.wait(fmt.Sprintf(`document.querySelectorAll(%q).length === 2`, rows))
}

// A page whose process is away says so, keeps what it had, and is back by itself.
func TestReconnect(t *testing.T) {
	m := startFixed(t)
	_, job := m.p.StartJob(t.Context(), "video-1.mp4")
	defer job.End(nil)
	b := open(t, m.url)
	b.expect(`ERR_CONNECTION_REFUSED`, `ERR_INCOMPLETE_CHUNKED_ENCODING`, `ERR_CONNECTION_RESET`, `ERR_EMPTY_RESPONSE`)
	b.waitText(rows, "video-1.mp4")
	b.set("window.loaded = 'once'")

	shutDown(m.tel)
	b.waitText(link, "Disconnected")
	b.wait(`/No answer from the process for [\d.]+ (ms|s) \. What you see is from then/.test(words(document.querySelector(".lost")))`)
	b.wait(`/ [2-9](\.\d)? s \./.test(words(document.querySelector(".lost")))`) // it counts
	if got := b.text(rows); !strings.Contains(got, "video-1.mp4") {
		t.Errorf("what was is gone: %q", got)
	}
	if got := eval[string](b, `getComputedStyle(document.querySelector(".lost")).color`); got != "rgb(184, 40, 63)" {
		t.Errorf("the line is not red but %s", got)
	}
	_, later := m.p.StartJob(t.Context(), "video-2.mp4")
	defer later.End(nil)
	m.startAgain(t)
	b.waitText(link, "Live")
	b.wait(`!document.querySelector(".lost")`)
	b.wait(fmt.Sprintf(`document.querySelectorAll(%q).length === 2`, rows))
	if got := eval[string](b, "window.loaded"); got != "once" {
		t.Errorf("the page was loaded again: %q", got)
	}
}

// Where the process has no stream to spare, the page asks it every few seconds, and says so.
func TestPolling(t *testing.T) {
	m := start(t)
	_, job := m.p.StartJob(t.Context(), "video-1.mp4")
	defer job.End(nil)
	leave := fill(t, m.url+"live/events")
	b := open(t, m.url)
	b.expect(`live/events`) // is refused
	b.waitText(link, "Every 5 s")
	b.waitText(rows, "video-1.mp4")
	_, later := m.p.StartJob(t.Context(), "video-2.mp4")
	defer later.End(nil)
	b.wait(fmt.Sprintf(`document.querySelectorAll(%q).length === 2`, rows))
	leave()
}

// Without JavaScript there is a link to the same figures.
func TestWithoutScripts(t *testing.T) {
	m := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, job := m.p.StartJob(ctx, "video-1.mp4")
	defer job.End(nil)
	b := newTab(t, m.url)
	withoutScripts(b)
	b.expect(`favicon\.ico`) // the browser asks for it beside JSON
	b.do(chromedp.Navigate(m.url), chromedp.WaitVisible(chromedp.CSS("#app a")))
	b.shoot("no-javascript")
	b.do(chromedp.Click(chromedp.CSS("#app a")), chromedp.WaitVisible(chromedp.CSS("pre")))
	text, err := chromedp.Run(b.ctx, chromedp.Text(chromedp.CSS("pre")))
	if err != nil || !strings.Contains(text, `"id":"video-1.mp4"`) {
		t.Errorf("the link leads to %.200q, error %v", text, err)
	}
}
