package browser

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/stagemeter/stagemeter/exporters/livepage"
	"github.com/stagemeter/stagemeter/instrument"
)

// reported writes the report of a pipeline, and returns its address on the disk.
func reported(t *testing.T, p *instrument.Pipeline) string {
	t.Helper()
	var text bytes.Buffer
	if err := livepage.WriteReport(&text, p); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "run.html")
	if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return "file://" + path
}

// reportedBusy writes the report of the busy program, once the jobs that end have ended.
func reportedBusy(t *testing.T) string {
	t.Helper()
	for deadline := time.Now().Add(patience); busy.p.Snapshot(instrument.Query{}).EndedJobs < len(ended); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the jobs do not end")
		}
	}
	return reported(t, busy.p)
}

// openFile opens a file, which may ask for nothing besides.
func openFile(t *testing.T, url string, before ...func(*tab)) *tab {
	t.Helper()
	b := newTab(t, url)
	b.host, _, _ = strings.Cut(url, "#")
	for _, f := range before {
		f(b)
	}
	b.do(chromedp.Navigate(url))
	return b
}

// A report opens from a disk with nothing else. It is accessible and fits the window, light and dark, on a desk and on a
// phone.
func TestReport(t *testing.T) {
	b := openFile(t, reportedBusy(t))
	b.waitText(".figures", "unfinished")
	b.waitText(".run", keynote)
	b.waitText(".run", limited)
	if jobs, details := eval[int](b, `document.querySelectorAll(".run tbody tr").length`), eval[int](b, `document.querySelectorAll("details.job").length`); jobs < 10 || jobs != details {
		t.Errorf("%d jobs are in the table, and %d of them can be unfolded", jobs, details)
	}
	for look, want := range map[string]int{"fail": 1, "cut": 1} { // a canceled stage has not failed
		if n := eval[int](b, `document.querySelectorAll(".run .seg.`+look+`").length`); n != want {
			t.Errorf("%d stages look like %s, want %d", n, look, want)
		}
	}
	for _, screen := range []struct {
		name       string
		wide, high int64
	}{{"desk", width, 2400}, {"phone", phone, 844}} {
		for _, scheme := range []string{"light", "dark"} {
			b.size(screen.wide, screen.high)
			b.emulate(scheme)
			b.wait(fmt.Sprintf("innerWidth === %d && matchMedia(%q).matches", screen.wide, "(prefers-color-scheme: "+scheme+")"))
			b.accessible("report-" + scheme + "-" + screen.name)
		}
	}
}

// A job is unfolded by its name and by its address.
func TestReportUnfolds(t *testing.T) {
	url := reportedBusy(t)
	b := openFile(t, url)
	b.waitText(".run", good)
	b.wait(fmt.Sprintf(`![...document.querySelectorAll("details.job[open]")].some(e => e.textContent.includes(%q))`, good))
	b.set(fmt.Sprintf(`[...document.querySelectorAll(".run .link")].find(e => e.textContent === %q).click()`, good))
	b.wait(`document.querySelector(location.hash + "[open] .waterfall")`)
	b.waitText(eval[string](b, "location.hash"), good)
	b.wait(`document.activeElement.tagName === "SUMMARY"`)
	b.press("Enter")
	b.wait(`!document.querySelector(location.hash).open && !document.querySelector(location.hash + " .waterfall")`)

	linked := openFile(t, url+eval[string](b, "location.hash"))
	linked.wait(`document.querySelector(location.hash + "[open] .waterfall")`)
	linked.set(`[...document.querySelectorAll(".each .btn")].find(e => e.textContent === "Unfold all").click()`)
	linked.wait(`document.querySelectorAll("details.job:not([open])").length === 0`)
	linked.waitText(".each .btn", "Fold all")
}

// On paper all jobs are unfolded, and light. Then they are as they were.
func TestReportPrints(t *testing.T) {
	b := openFile(t, reportedBusy(t))
	b.emulate("dark")
	b.waitText(".run", keynote)
	open := eval[int](b, `document.querySelectorAll("details.job[open]").length`)
	b.set(`addEventListener("beforeprint", () => window.printed = [...document.querySelectorAll("details.job")].filter(e => e.open && e.querySelector(".waterfall, .empty")).length)`)
	paper := call(b, page.PrintToPDF, page.PrintToPDFParams{})
	if text, err := base64.StdEncoding.DecodeString(string(paper.Data)); err == nil && len(text) < 1000 {
		t.Errorf("the paper has %d bytes", len(text))
	}
	b.wait(`window.printed === document.querySelectorAll("details.job").length`)
	b.wait(fmt.Sprintf(`document.querySelectorAll("details.job[open]").length === %d`, open))
}

// Where no script may run, as in the preview of a mail, a report is a table of the jobs.
func TestReportWithoutScripts(t *testing.T) {
	b := openFile(t, reported(t, busy.p), withoutScripts)
	for _, want := range []string{keynote, good, failed, "unfinished", "completed", "$0.312"} {
		b.waitText("main table", want)
	}
	b.fits("report without scripts")
	b.shoot("report-no-script")
}

// Ids and names of a report are texts, whatever is in them.
func TestReportOfHostileTexts(t *testing.T) {
	m := start(t)
	for _, text := range evil {
		ctx, job := m.p.StartJob(t.Context(), text, instrument.WithJobType(text))
		ctx, stage := instrument.StartStage(ctx, text)
		payUnknown(ctx, text)
		var err error = failure(text)
		stage.End(&err)
		job.End(&err)
	}
	b := openFile(t, reported(t, m.p))
	b.waitText(".run", "</script>")
	b.set(`[...document.querySelectorAll(".each .btn")].at(0).click()`)
	b.wait(`document.querySelectorAll("details.job[open] .waterfall").length === ` + fmt.Sprint(len(evil)))
	if n := eval[int](b, `document.querySelectorAll("img, iframe, object, embed, link:not(head link), b b, i i").length + document.querySelectorAll("script").length - 2`); n != 0 || eval[bool](b, "Boolean(window.pwned)") {
		t.Errorf("%d elements are of texts", n)
	}
	for _, wide := range []int64{width, phone} {
		b.size(wide, 1000)
		b.wait(fmt.Sprintf("innerWidth === %d", wide))
		b.fits(fmt.Sprint("hostile report at ", wide))
	}
	b.shoot("report-hostile")
}
