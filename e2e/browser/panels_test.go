package browser

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// row returns the text of the row of a job.
func (b *tab) row(id string) string {
	b.t.Helper()
	return eval[string](b, fmt.Sprintf(`words([...document.querySelectorAll("main tr")].find(e => e.querySelector(".link")?.textContent === %q))`, id))
}

// What is wrong, and all that is not, is on the page.
func TestPanels(t *testing.T) {
	b := open(t, busy.url)
	b.waitText(".attention", stuck)
	b.waitText(".attention", slow)
	b.wait(`document.querySelectorAll(".fin tbody tr").length === 6`)
	for id, want := range map[string]string{
		keynote: `rendering \d+ % · 13\.2× ≈ .*\$0\.312 of \$2\.00`,
		stuck:   `‖ stalled \d+ (s|m \d+ s) .*rendering 57 % – \$0\.18 of \$1\.00`,
		slow:    `◔ [\d.]+× its usual attempt 2 of 3 .*transcription \d+ %.*\$0\.87 of \$1\.00`,
		dear:    `over budget .*\$0\.61 of \$0\.60`,
		free:    `analysis \d+ % .*\$0 no budget`,
		priced:  `unpriced no budget`,
		fresh:   `\d+ % .* \$0 no budget`,
		good:    `✓ completed news-0930\.mp4 .*× \$0\.06 14\.6 → 0\.4 11 0\.92`,
		rented:  `✓ completed shorts-batch-22 .*× unpriced 6\.1 → 0\.2 4 0\.97`,
		failed:  `✕ rate_limited town-hall-q3\.mp4 .*× \$0\.09 – – –`,
	} {
		if got := b.row(id); !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("the row of %s is %q, want %s", id, got, want)
		}
	}
	for panel, want := range map[string]string{
		".attention":                 `‖ interview-berlin-cam2\.mov rendering has made no progress for .*; sleep pid \d+ is alive( and used no CPU)?.*◔ podcast-ep-118 transcription takes [\d.]+× its usual; 2\d of 2\d earlier runs were done by now.*\$ wedding-raw-18\.mp4 has spent`,
		".figures":                   `Running 7 3 need attention.*Finished, last hour 6 66 % good 1 failed · 1 canceled.*Spent, last hour \$0\.54\s.* 1 unpriced.*Budget left, running jobs \$[\d.]+ of \$4\.60.*1 call refused.*Errors, last hour 1 most: rate_limited in rendering`,
		"[aria-labelledby=h-apis]":   `gpu-rent 2 0 0 unpriced`,
		"[aria-labelledby=h-loud]":   `green zone ends at 2 LU`,
		"[aria-labelledby=h-high]":   `71 segments`,
		"[aria-labelledby=h-errors]": `rate_limited rendering 1`,
		"[aria-labelledby=h-proc]":   `\d+ sleep interview-berlin-cam2\.mov rendering`,
		"[aria-labelledby=h-pools]":  `database main 4 used · 6 idle of 10.*redis cache`,
	} {
		if got := b.text(panel); !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%s has %q, want %s", panel, got, want)
		}
	}
	for selector, want := range map[string]int{
		"[aria-labelledby=h-loud] circle": 8, "[aria-labelledby=h-high] rect": 10, ".jobs .seg.stall": 1, ".jobs .seg.eta": 0, ".jobs .now": 7,
	} {
		if n := eval[int](b, fmt.Sprintf("document.querySelectorAll(%q).length", selector)); n != want && want > 0 || n == 0 {
			t.Errorf("there are %d of %s, want %d", n, selector, want)
		}
	}
	if title := eval[string](b, "document.title"); !strings.HasPrefix(title, "(3!) 7 running") {
		t.Errorf("the title is %q", title)
	}
}
