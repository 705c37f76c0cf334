package browser

import (
	"strings"
	"testing"
)

// The keyboard reaches everything.
func TestKeyboard(t *testing.T) {
	m := start(t)
	for _, id := range []string{"alpha-1", "beta-2", "gamma-3"} {
		_, job := m.p.StartJob(t.Context(), id)
		defer job.End(nil)
	}
	b := open(t, m.url)
	b.waitRows("alpha-1", "beta-2", "gamma-3")

	b.waitText(".jobs .sel", "alpha-1")
	for _, step := range []struct{ key, selects string }{
		{"j", "beta-2"}, {"j", "gamma-3"}, {"j", "gamma-3"}, {"k", "beta-2"}, {"k", "alpha-1"}, {"k", "alpha-1"}, {"j", "beta-2"},
	} {
		b.press(step.key)
		b.waitText(".jobs .sel", step.selects)
	}
	b.press("Enter")
	b.wait(`document.getElementById("drawer").open`)
	b.waitText("#h-job", "beta-2")
	b.updated(2) // it stays open
	if got := b.focus(); got != "h-job" {
		t.Errorf("in the drawer %q has the focus, want its heading", got)
	}
	b.press("j", "p", "/")
	b.updated(1)
	if got := b.text(link); !strings.Contains(got, "Live") {
		t.Errorf("keys of the page work below the drawer: %s", got)
	}
	b.press("Escape")
	b.wait(`!document.getElementById("drawer").open`)
	b.waitText(".jobs .sel", "beta-2")
	if got := eval[bool](b, "document.activeElement === document.body"); !got {
		t.Errorf("after the drawer %q has the focus, want nothing as before", b.focus())
	}
	b.press("p")
	b.waitText(link, "Paused")
	b.press("p")
	b.waitText(link, "Live")
}

// Tab goes through what can be used in the order in which it is seen, and the drawer gives the focus back.
func TestTabOrder(t *testing.T) {
	m := start(t)
	for _, id := range []string{"alpha-1", "beta-2"} {
		_, job := m.p.StartJob(t.Context(), id)
		defer job.End(nil)
	}
	b := open(t, m.url)
	b.waitRows("alpha-1", "beta-2")
	for _, want := range []string{
		"Skip to the jobs", "Pause p", "theme", "Metrics", "Health", "All", "Stalled", "Overdue", "Budget > 80 %", "filter", "alpha-1", "beta-2",
	} {
		b.press("Tab")
		if got := b.focus(); got != want {
			t.Fatalf("Tab leads to %q, want %q", got, want)
		}
		if !eval[bool](b, `(e => { const r = e.getBoundingClientRect(); return r.width > 0 && r.right > 0 && r.top >= 0 && getComputedStyle(e).outlineStyle !== "none" })(document.activeElement)`) {
			t.Errorf("%q is not seen to have the focus", want)
		}
	}
	b.press("Enter")
	b.waitText("#h-job", "beta-2")
	b.updated(1)
	for _, want := range []string{"Copy id", "Copy trace id", "Close Esc"} {
		b.press("Tab")
		if got := b.focus(); got != want {
			t.Fatalf("in the drawer Tab leads to %q, want %q", got, want)
		}
	}
	b.press("Enter")
	b.wait(`!document.getElementById("drawer").open`)
	if got := b.focus(); got != "beta-2" {
		t.Errorf("after the drawer %q has the focus, want what opened it", got)
	}
	b.updated(2)
	if got := b.focus(); got != "beta-2" {
		t.Errorf("after a snapshot %q has the focus", got)
	}
	b.shiftTab()
	if got := b.focus(); got != "alpha-1" {
		t.Errorf("back leads to %q", got)
	}
}
