package board

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/stagemeter/stagemeter/cmd/stagemeter/internal/feed"
	"github.com/stagemeter/stagemeter/cmd/stagemeter/internal/readable"
)

// Find returns a job as its worker's last answer has it, running or ended, or nil.
func (b *Board) Find(key Key) *Row {
	w := &b.Workers[key.Worker]
	if w.Snap == nil || w.Snap.Service.Started != key.Started {
		return nil
	}
	for _, jobs := range [][]feed.Job{w.Snap.Jobs, w.Snap.Finished} {
		for i := range jobs {
			if jobs[i].Run == key.Run {
				return b.row(key, &jobs[i])
			}
		}
	}
	return nil
}

// Found returns the row of a job that its worker was asked for.
func (b *Board) Found(key Key, a *feed.Answer) *Row {
	r := b.row(key, &a.Job)
	r.Now = a.Now
	return r
}

func (b *Board) row(key Key, j *feed.Job) *Row {
	w := &b.Workers[key.Worker]
	return &Row{Job: j, Worker: key.Worker, Now: w.Snap.Now, Lost: w.State() == Lost, Key: key}
}

// Restarted reports whether the process of a job has been replaced by another one.
func (b *Board) Restarted(key Key) bool {
	w := &b.Workers[key.Worker]
	return w.Snap != nil && w.Snap.Service.Started != key.Started
}

// Detail returns all lines about one job: why it needs a look, its figures, stages, calls and
// errors.
func (b *Board) Detail(r Row) []Line {
	j := r.Job
	lines := []Line{{{orNone(j.ID), Strong}, {"  " + join("  ", stateText(j), marksLong(marksOf(r))), worst(marksOf(r))}}}
	about := []string{string(j.Type)}
	if b.many() {
		about = append([]string{b.Workers[r.Worker].Name}, about...)
	}
	if j.Trace != "" {
		about = append(about, "trace "+string(j.Trace))
	}
	if text := join("  ·  ", about...); text != "" {
		lines = append(lines, Line{{text, Soft}})
	}
	if w := &b.Workers[r.Worker]; w.State() == Live {
		for _, n := range w.Snap.Attention {
			if n.Run == j.Run {
				lines = append(lines, b.reason(n, ""))
			}
		}
	}
	lines = append(lines, nil)
	lines = append(lines, facts(r)...)
	lines = append(lines, section("STAGES", stageLines(r), j.MoreStages)...)
	lines = append(lines, section("PAID CALLS", callLines(r), j.MoreCalls)...)
	var errors [][]string
	for _, f := range j.Errors {
		errors = append(errors, []string{orNone(f.Type), orNone(f.Stage), readable.Count(f.Count)})
	}
	if len(errors) > 0 {
		errors = append([][]string{{"type", "stage", "count"}}, errors...)
		lines = append(lines, section("ERRORS", errors, j.MoreErrors)...)
	}
	return lines
}

func stateText(j *feed.Job) string {
	switch {
	case j.End == 0:
		return "running"
	case j.Error != "":
		return join(": ", string(j.Status), string(j.Error))
	default:
		return string(j.Status)
	}
}

func facts(r Row) []Line {
	j := r.Job
	fact := func(name string, values ...string) Line {
		return Line{{pad(name, 13, false), Soft}, {values[0], Normal}, {join("", values[1:]...), Soft}}
	}
	took, name := r.Now-j.Start, "Running for"
	if j.End != 0 {
		took, name = j.End-j.Start, "Took"
	}
	times := ""
	if j.Video > 0 {
		times = "  " + readable.Times(float64(took)/float64(j.Video)) + " the video's length"
	}
	lines := []Line{fact(name, readable.Length(took), times)}
	if j.End == 0 {
		lines = append(lines, fact("Progress", doneTexts(j)[0]))
		if e := j.ETA; e != nil {
			lines = append(lines, fact("Time to go", readable.Roughly(e.Left), "  "+readable.Range(e.Least, e.Most)+", by "+basis(e)))
		} else if j.Stalled != 0 {
			lines = append(lines, fact("Time to go", unknown, "  it makes no progress"))
		} else {
			lines = append(lines, fact("Time to go", unknown, "  no progress and no earlier runs yet"))
		}
	}
	spent := spentTexts(j)[0]
	if b := j.Budget; b != nil {
		left := readable.Minus(b.Limit, b.Spent)
		lines = append(lines, fact("Spent", spent, "  "+readable.USD(&left)+" left"))
	} else {
		lines = append(lines, fact("Spent", spent, "  no budget"))
	}
	video := unknown
	if j.Video > 0 {
		video = readable.Length(j.Video)
	}
	return append(lines, fact("Video", video))
}

// basis returns what an estimate rests on.
func basis(e *feed.ETA) string {
	if e.Runs == 0 {
		return "its own speed so far"
	}
	text := readable.Many(e.Runs, "earlier run")
	if e.Scaled {
		text += ", scaled by video length"
	}
	return text
}

func stageLines(r Row) [][]string {
	var rows [][]string
	for _, s := range r.Job.Stages {
		end, done := s.End, "done"
		if end == 0 {
			end, done = r.Now, "under way"
			if r.Job.End != 0 {
				end, done = r.Job.End, readable.None
			} else if s.Progress != nil {
				done = readable.Percent(*s.Progress)
			}
		}
		if s.Speed > 0 && s.End == 0 {
			done += " " + readable.Times(s.Speed)
		}
		usual := readable.None
		if s.Usual != nil {
			usual = readable.Length(s.Usual.P50)
		}
		var notes []string
		if s.Error != "" {
			notes = append(notes, string(s.Error))
		}
		if s.Stalled != 0 {
			notes = append(notes, icons["stalled"]+" stalled "+readable.Length(r.Now-s.Stalled))
		}
		if s.Overdue {
			notes = append(notes, icons["overdue"]+" overdue")
		}
		rows = append(rows, []string{strings.Repeat("  ", min(max(s.Depth, 0), 8)) + orNone(s.Name), readable.Length(end - s.Start), usual, done, strings.Join(notes, "  ")})
	}
	if len(rows) == 0 {
		return nil
	}
	return append([][]string{{"stage", "took", "usual", "done", ""}}, rows...)
}

func callLines(r Row) [][]string {
	var rows [][]string
	for _, c := range r.Job.Calls {
		took, cost := "under way", ""
		switch {
		case c.End == 0 && c.Most != nil:
			cost = "at most " + readable.USD(c.Most)
		case c.End == 0:
			cost = unknown
		default:
			took, cost = readable.Length(c.End-c.Start), readable.USD(c.Cost)
		}
		rows = append(rows, []string{orNone(c.API), orNone(c.Stage), readable.Length(c.Start - r.Job.Start), took, cost, string(c.Error)})
	}
	if len(rows) == 0 {
		return nil
	}
	return append([][]string{{"api", "stage", "after", "took", "cost", ""}}, rows...)
}

// section returns a titled table whose first row has the names of the columns.
func section(title string, rows [][]string, more int) []Line {
	lines := []Line{nil, {{title, Strong}}}
	if len(rows) == 0 {
		return append(lines, Line{{"none", Soft}})
	}
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = min(40, max(widths[i], ansi.StringWidth(cell)))
		}
	}
	for n, row := range rows {
		text := ""
		for i, cell := range row {
			text += pad(cell, widths[i], false) + "  "
		}
		tone := Normal
		if n == 0 {
			tone = Soft
		}
		lines = append(lines, Line{{strings.TrimRight(text, " "), tone}})
	}
	if more > 0 {
		lines = append(lines, Line{{"and " + readable.Count(more) + " more", Soft}})
	}
	return lines
}
