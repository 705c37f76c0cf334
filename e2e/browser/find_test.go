package browser

import (
	"fmt"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
)

func (b *tab) waitRows(ids ...string) {
	b.t.Helper()
	b.wait(fmt.Sprintf(`JSON.stringify([...document.querySelectorAll(".jobs .c-id .link")].map(e => e.textContent)) === JSON.stringify(%s)`, jsonOf(ids)))
}

// The filter finds jobs by their id and by their stages, and is in the address.
func TestFilter(t *testing.T) {
	m := start(t)
	for _, id := range []string{"alpha-1", "beta-2", "BETA-3", "gamma-4"} {
		ctx, job := m.p.StartJob(t.Context(), id)
		defer job.End(nil)
		if id == "gamma-4" {
			_, stage := m.p.StartStage(ctx, "rendering")
			defer stage.End(nil)
		}
	}
	b := open(t, m.url)
	b.waitRows("alpha-1", "beta-2", "BETA-3", "gamma-4")

	b.press("/")
	b.press("b", "e", "t", "a")
	b.waitRows("beta-2", "BETA-3")
	if got := eval[string](b, `document.getElementById("filter").value`); got != "beta" {
		t.Errorf("the filter has %q", got)
	}
	b.wait(`location.hash === "#filter=beta"`)
	b.waitText("section h2 + .soft", "2 of 4")
	b.press("Escape")
	if got := b.focus(); got == "filter" {
		t.Error("Escape does not leave the filter")
	}
	b.press("j")
	b.waitText(".jobs .sel", "BETA-3") // the keys move within what is shown

	b.do(chromedp.Reload())
	b.waitRows("beta-2", "BETA-3")
	b.set(`location.hash = "#filter=render"`)
	b.waitRows("gamma-4")
	b.set(`location.hash = "#filter=nothing"`)
	b.waitText("main", "No job matches")
	b.shoot("nothing-found")
	b.click(".empty .btn")
	b.waitRows("alpha-1", "beta-2", "BETA-3", "gamma-4")
	b.wait(`location.hash === ""`)
}

// The buttons beside the filter show the jobs that need a look.
func TestOnly(t *testing.T) {
	b := open(t, busy.url)
	b.waitText(".attention", stuck)
	b.waitText(".attention", slow)
	for _, tt := range []struct {
		button int
		hash   string
		want   []string
	}{
		{2, "#only=stalled", []string{stuck}},
		{3, "#only=overdue", []string{slow}},
		{4, "#only=budget", []string{slow, dear}},
		{1, "", busyIDs},
	} {
		b.click(fmt.Sprintf(".chips button:nth-child(%d)", tt.button))
		b.waitRows(tt.want...)
		b.wait(fmt.Sprintf("location.hash === %q", tt.hash))
		pressed := eval[[]int](b, `[...document.querySelectorAll(".chips button")].flatMap((e, i) => e.ariaPressed === "true" ? [i + 1] : [])`)
		if !slices.Equal(pressed, []int{tt.button}) {
			t.Errorf("the buttons %v are pressed, want %d", pressed, tt.button)
		}
	}
}
