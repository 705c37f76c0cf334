package browser

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
)

// accessible runs axe-core over what the tab shows, and checks that nothing of it has to be scrolled sideways.
func (b *tab) accessible(state string) {
	b.t.Helper()
	if eval[string](b, "typeof axe") == "undefined" {
		b.set(axe + ";0")
	}
	type result struct {
		Violations []struct {
			ID, Impact, Help string
			Nodes            []struct{ HTML, FailureSummary string }
		}
		Passes int
	}
	got := eval[result](b, `axe.run(document, { preload: false, resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })
		.then(r => ({ violations: r.violations, passes: r.passes.length }))`)
	if got.Passes < 20 {
		b.t.Errorf("%s: only %d rules were tried", state, got.Passes)
	}
	for _, v := range got.Violations {
		b.t.Errorf("%s: %s (%s): %s, %d times: %.300s: %.300s", state, v.ID, v.Impact, v.Help, len(v.Nodes), v.Nodes[0].HTML, v.Nodes[0].FailureSummary)
	}
	b.fits(state)
	b.shoot(state)
}

// fits checks that nothing is beside the window.
func (b *tab) fits(state string) {
	b.t.Helper()
	wide := eval[[]string](b, `document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("body *")]
		.filter(e => e.getBoundingClientRect().right > innerWidth && !e.closest(".scroll")).map(e => e.outerHTML.slice(0, 150))`)
	if len(wide) > 0 {
		b.t.Errorf("%s: these are wider than the window: %.600q", state, wide)
	}
}

// Each state is accessible and fits the window, light and dark, on a desk and on a phone. The screenshots are of these.
func TestLooks(t *testing.T) {
	idle := start(t)
	gone := startFixed(t)
	ctx, job := gone.p.StartJob(t.Context(), keynote, instrument.WithBudget(instrument.Dollar))
	defer job.End(nil)
	pay(ctx, "whisper", 31*instrument.Cent)

	live := open(t, busy.url)
	live.waitText(".attention", stuck)
	live.waitText(".attention", slow)
	drawer := open(t, busy.url)
	drawer.openJob(keynote)
	drawer.waitText(".waterfall", "rendering")
	empty := open(t, idle.url)
	empty.waitText("main", "No job is running")
	lost := open(t, gone.url)
	lost.expect(`ERR_`)
	lost.waitRows(keynote)
	shutDown(gone.tel)
	lost.waitText(link, "Disconnected")

	for _, screen := range []struct {
		name       string
		wide, high int64
	}{{"desk", width, 1640}, {"phone", phone, 844}} {
		for _, scheme := range []string{"light", "dark"} {
			for state, b := range map[string]*tab{"live": live, "drawer": drawer, "empty": empty, "lost": lost} {
				b.size(screen.wide, screen.high)
				b.emulate(scheme)
				b.wait(fmt.Sprintf("innerWidth === %d && matchMedia(%q).matches", screen.wide, "(prefers-color-scheme: "+scheme+")"))
				b.accessible(strings.Join([]string{state, scheme, screen.name}, "-"))
			}
		}
	}
}

// The theme follows the system, until one is chosen on the page; that is kept.
func TestTheme(t *testing.T) {
	m := start(t)
	b := open(t, m.url)
	b.waitText(link, "Live")
	const light, dark = "rgb(245, 246, 249)", "rgb(14, 19, 26)"
	is := func(want string) {
		t.Helper()
		b.wait(fmt.Sprintf(`getComputedStyle(document.body).backgroundColor === %q`, want))
	}
	b.emulate("light")
	is(light)
	b.emulate("dark")
	is(dark)
	b.press("t")
	is(light)
	b.set("location.reload()")
	b.wait(`document.querySelector("#link")?.textContent.includes("Live") && snapshots > 0`)
	is(light)
	b.click("#theme")
	is(dark)
	b.emulate("light") // what the system had too was no choice
	is(light)
}
