package browser

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/semconv"
)

// evil are texts that become more than a text where they are not taken as one.
var evil = []string{
	`<img src=x onerror="window.pwned=1;alert(1)">`,
	`</script><script>window.pwned=1;alert(1)</script>`,
	`"><svg onload=alert(1)>`,
	`javascript:alert(1)//`,
	"${window.pwned=1}{{window.pwned=1}}<!--?lit$1$-->",
	"\u202egpj.exe\u2066\u200f\x1b[31m\x00" + strings.Repeat("\u0300", 40),
	strings.Repeat("W", 5000),
	strings.Repeat("very long with spaces ", 300),
	"&lt;b&gt;&#x3c;i&#x3e;",
	"' onclick='alert(1)' x='",
}

// Ids and names of stages, APIs, job types, errors and pools are texts, whatever is in them: nothing runs, nothing is
// fetched, nothing moves out of the window.
func TestHostileTexts(t *testing.T) {
	m := start(t)
	for i, text := range evil {
		_, err := m.p.ObservePool(instrument.PoolDatabase, text, func() instrument.PoolStats { return instrument.PoolStats{Used: 1} })
		if err != nil {
			t.Fatal(err)
		}
		ctx, job := m.p.StartJob(t.Context(), text, instrument.WithJobType(text))
		ctx, stage := instrument.StartStage(ctx, text)
		instrument.ReportProgress(ctx, 1, 3)
		instrument.Spend(ctx, text, instrument.Cent)
		payUnknown(ctx, text)
		_ = instrument.RunCall(ctx, text, func(context.Context) error { return failure(text) })
		instrument.RecordLoudnessSpread(ctx, semconv.PhaseBefore, 9)
		instrument.RecordLoudnessSpread(ctx, semconv.PhaseAfter, 1)
		var failed error = failure(text)
		if i%2 == 0 {
			stage.End(&failed)
			job.End(&failed)
		} else {
			defer job.End(nil)
			defer stage.End(nil)
		}
	}
	b := open(t, m.url)
	b.waitText(rows, "</script>")
	b.waitText(".fin tbody", `<img src=x onerror="window.pwned=1;alert(1)">`)
	check := func(where string) {
		t.Helper()
		b.updated(1)
		for what, js := range map[string]string{
			"pictures, frames or scripts": `document.querySelectorAll("img, iframe, object, embed, link:not(head link), script:not(head script), [onerror], [onclick], [onload], b b, i i").length`,
			"links elsewhere":             `[...document.querySelectorAll("a")].filter(a => a.origin !== location.origin).length`,
			"script that ran":             `Number("pwned" in window)`,
			"characters that turn text":   `(document.body.textContent.match(/[\u202a-\u202e\u2066-\u2069\u200e\u200f\u0000-\u0008\u001b]/g) ?? []).length`,
		} {
			if n := eval[int](b, js); n != 0 {
				t.Errorf("%s: %d %s", where, n, what)
			}
		}
		b.fits(where)
		b.shoot("hostile-" + where)
	}
	check("list")
	for i := range evil {
		b.set(fmt.Sprintf(`[...document.querySelectorAll("main .c-id .link, main .fin .link")][%d].click()`, i))
		b.wait(`document.getElementById("drawer").open`)
		if i < 3 {
			check(fmt.Sprintf("drawer-%d", i))
		}
		b.press("Escape")
		b.wait(`!document.getElementById("drawer").open`)
	}
	b.size(phone, 844)
	check("phone")
	b.set(`document.querySelector("main .link").click()`)
	b.wait(`document.getElementById("drawer").open`)
	check("phone-drawer")
	b.size(width, height)

	// An address may be anybody's.
	b.press("Escape")
	b.wait(`!document.getElementById("drawer").open`)
	b.expect(`live/job.json`) // there is no such run
	for _, text := range evil[:5] {
		b.set(fmt.Sprintf(`location.hash = "#" + new URLSearchParams({ job: %[1]q, of: %[1]q, filter: %[1]q, only: %[1]q })`, text))
		b.wait(fmt.Sprintf(`document.getElementById("filter").value === %q`, text))
		b.wait(`document.getElementById("drawer").open`)
		b.updated(1)
		b.press("Escape")
		b.wait(`!document.getElementById("drawer").open && !location.hash.includes("job=")`)
	}
	check("address")
}
