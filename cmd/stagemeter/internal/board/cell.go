package board

import (
	"math"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/stagemeter/stagemeter/cmd/stagemeter/internal/feed"
	"github.com/stagemeter/stagemeter/cmd/stagemeter/internal/readable"
)

// unknown is written for unknown values, which are not 0.
const unknown = "unknown"

// stageOf returns the stage that a job is in, as the page chooses it, and how many run beside it.
func stageOf(j *feed.Job) (stage *feed.Stage, others int) {
	for i := range j.Stages {
		if s := &j.Stages[i]; s.End == 0 {
			stage = s
		}
	}
	for i := range j.Stages {
		if s := &j.Stages[i]; s.End == 0 && s != stage && s.Depth == stage.Depth {
			others++
		}
	}
	return stage, others
}

// stageTexts returns the stage of a job, the longest text first.
func stageTexts(j *feed.Job) []string {
	s, others := stageOf(j)
	if s == nil {
		return []string{readable.None}
	}
	name := orNone(s.Name)
	if others > 0 {
		name += " +" + readable.Count(others)
	}
	if s.Speed > 0 {
		return []string{name + " " + readable.Times(s.Speed), name}
	}
	return []string{name}
}

func orNone(t feed.Text) string {
	if t == "" {
		return readable.None
	}
	return string(t)
}

// doneTexts returns the progress of a job, the longest text first, or that of its stage if that of
// the job is unknown.
func doneTexts(j *feed.Job) []string {
	if j.Progress != nil {
		return []string{readable.Percent(*j.Progress)}
	}
	if s, _ := stageOf(j); s != nil && s.Progress != nil {
		return []string{"stage " + readable.Percent(*s.Progress), unknown}
	}
	return []string{unknown}
}

// bar returns a bar that takes width cells, filled by eighths of them.
func bar(share float64, width int) string {
	eighths := int(math.Floor(max(0, min(1, share)) * float64(width*8)))
	full := strings.Repeat("█", eighths/8)
	if part := eighths % 8; part > 0 {
		full += string(rune('█' + 8 - part))
	}
	return full + strings.Repeat("░", width-ansi.StringWidth(full))
}

// etaTexts returns how long a job still takes, the longest text first.
func etaTexts(e *feed.ETA) []string {
	if e == nil {
		return []string{unknown}
	}
	left := readable.Roughly(e.Left)
	if readable.About(e.Most) == readable.About(e.Left) {
		return []string{left}
	}
	return []string{left + ", up to " + readable.About(e.Most), left}
}

// spentTexts returns what is spent, held and allowed, the longest text first. If some calls have no
// price, a short text says that it is at least this much.
func spentTexts(j *feed.Job) []string {
	known := readable.USD(paid(j))
	full, least := known, known
	switch {
	case paid(j) == nil:
		full, least = readable.Unpriced, readable.Unpriced
	case j.Unpriced > 0:
		full, least = known+" + "+readable.Count(j.Unpriced)+" unpriced", "≥ "+known
	}
	b := j.Budget
	if b == nil {
		return []string{full, least, "…"}
	}
	of := " of " + readable.USD(&b.Limit)
	texts := []string{full + of, least + of, least, "…"}
	if b.Held > 0 {
		texts = append([]string{full + " + " + readable.USD(&b.Held) + " held" + of}, texts...)
	}
	return texts
}
