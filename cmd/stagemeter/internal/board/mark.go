package board

import (
	"strconv"
	"strings"

	"github.com/stagemeter/stagemeter/cmd/stagemeter/internal/feed"
	"github.com/stagemeter/stagemeter/cmd/stagemeter/internal/readable"
)

// A mark names something wrong or unusual about a job.
type mark struct {
	icon, long, short string
	tone              Tone
}

var icons = map[feed.Text]string{"stalled": "‖", "overdue": "◔", "over_budget": "$"}

// marksOf returns the marks of a row, the most urgent first.
func marksOf(r Row) []mark {
	var all []mark
	j := r.Job
	if r.Lost {
		all = append(all, mark{"✕", "worker lost", "lost", Bad})
	}
	if j.Stalled != 0 {
		all = append(all, mark{icons["stalled"], "stalled " + readable.Length(r.Now-j.Stalled), "stalled", Warn})
	}
	if j.Overdue != 0 {
		all = append(all, mark{icons["overdue"], readable.Times(j.Overdue) + " its usual", "overdue", Warn})
	}
	switch {
	case over(j):
		all = append(all, mark{icons["over_budget"], "over budget", "over", Bad})
	case near(j):
		share := strconv.Itoa(int(readable.Part(j.Budget.Spent, j.Budget.Limit)*100)) + " %"
		all = append(all, mark{icons["over_budget"], share + " of budget", share, Warn})
	}
	if j.Attempt > 1 {
		long, short := "attempt "+strconv.Itoa(j.Attempt), "try "+strconv.Itoa(j.Attempt)
		if j.MaxAttempts > 0 {
			long += " of " + strconv.Itoa(j.MaxAttempts)
		}
		all = append(all, mark{"↻", long, short, Soft})
	}
	if j.Unpriced > 0 {
		all = append(all, mark{"?", readable.Count(j.Unpriced) + " unpriced", "unpriced", Warn})
	}
	return all
}

// marksText returns the marks that fit into width cells, and how many it leaves out.
func marksText(all []mark, width int) string {
	if len(all) == 0 {
		return ""
	}
	if text := marksLong(all); fit(width, text, "") != "" {
		return text
	}
	for n := len(all); n > 0; n-- {
		var words []string
		for _, m := range all[:n] {
			words = append(words, m.icon+" "+m.short)
		}
		if n < len(all) {
			words = append(words, "+"+strconv.Itoa(len(all)-n))
		}
		if text := strings.Join(words, " "); fit(width, text, "") != "" {
			return text
		}
	}
	return fit(width, all[0].icon+" "+all[0].short, all[0].icon)
}

func marksLong(all []mark) string {
	var words []string
	for _, m := range all {
		words = append(words, m.icon+" "+m.long)
	}
	return strings.Join(words, "  ")
}

// worst returns the most urgent tone of the marks.
func worst(all []mark) Tone {
	tone := Normal
	for _, m := range all {
		tone = max(tone, m.tone)
	}
	return tone
}
