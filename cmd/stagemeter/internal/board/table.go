package board

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/stagemeter/stagemeter/cmd/stagemeter/internal/readable"
)

// The columns, from left to right. Their widths depend only on the width of the terminal and the
// names of the workers, so that nothing moves while somebody reads.
const (
	colWorker = iota
	colID
	colStage
	colDone
	colAge
	colETA
	colSpent
	colMarks
	columns
)

var titles = [columns]string{"WORKER", "JOB", "STAGE", "DONE", "AGE", "TIME TO GO", "SPENT", "MARKS"}

// narrowest are the widths in 60 cells. A column of width 0 is left out.
var narrowest = [columns]int{colWorker: 7, colID: 8, colStage: 9, colDone: 7, colETA: 11, colSpent: 9, colMarks: 1}

// A step adds or widens a column while there is room: only as a whole, or as far as the room
// allows.
type step struct {
	column, to int
	whole      bool
}

var steps = []step{
	{colID, 14, false}, {colMarks, 9, true}, {colStage, 11, false}, {colDone, 12, true}, {colSpent, 16, true}, {colID, 18, false},
	{colAge, 9, true}, {colWorker, 14, false}, {colStage, 14, false}, {colID, 24, false}, {colMarks, 20, false}, {colDone, 17, false},
	{colETA, 28, true}, {colSpent, 30, true}, {colStage, 20, false}, {colID, 32, false}, {colMarks, 40, false}, {colWorker, 28, false},
	{colDone, 25, false}, {colID, 64, false}, {colMarks, 80, false},
}

// pointer stands before the selected row, and as many spaces before others.
const pointer = "› "

// widths returns the width of each column in a terminal of so many cells.
func (b *Board) widths(cells int) [columns]int {
	w := narrowest
	longest := 0 // name of a worker
	if b.many() {
		for i := range b.Workers {
			longest = max(longest, ansi.StringWidth(b.Workers[i].Name))
		}
		w[colWorker] = max(min(w[colWorker], longest), len("WORKER"))
	} else {
		w[colWorker] = 0
	}
	room := cells - len([]rune(pointer)) + 1
	for _, n := range w {
		if n > 0 {
			room -= n + 1
		}
	}
	for _, s := range steps {
		if s.column == colWorker {
			s.to = min(s.to, longest)
		}
		more := s.to - w[s.column]
		if w[s.column] == 0 {
			more++ // and the space before it
		}
		if more > room && s.whole || more <= 0 || room <= 0 {
			continue
		}
		more = min(more, room)
		room -= more
		if w[s.column] == 0 {
			more--
		}
		w[s.column] += more
	}
	return w
}

// Head returns the line of titles for a terminal of so many cells.
func (b *Board) Head(cells int) Line {
	w := b.widths(cells)
	text := strings.Repeat(" ", len([]rune(pointer)))
	for i, title := range titles {
		if w[i] > 0 {
			if i == colMarks && w[i] < len(title) {
				title = ""
			}
			text += pad(title, w[i], false) + " "
		}
	}
	return Line{{strings.TrimRight(text, " "), Soft}}.Cut(cells)
}

// Line returns a row for a terminal of so many cells.
func (b *Board) Line(r Row, selected bool, cells int) Line {
	w := b.widths(cells)
	marks := marksOf(r)
	tone := func(t Tone) Tone {
		if r.Lost {
			return Soft
		}
		return t
	}
	line := Line{{strings.Repeat(" ", len([]rune(pointer))), Normal}}
	if selected {
		line = Line{{pointer, Strong}}
	}
	add := func(column int, t Tone, right bool, texts ...string) {
		if w[column] > 0 {
			line = append(line, Span{pad(fit(w[column], texts...), w[column], right), tone(t)}, Span{" ", Normal})
		}
	}
	id := Normal
	if selected {
		id = Strong
	}
	add(colWorker, Soft, false, clipLeft(b.Workers[r.Worker].Name, w[colWorker])) // names differ at their ends
	add(colID, id, false, orNone(r.Job.ID))
	add(colStage, Normal, false, stageTexts(r.Job)...)
	switch size := w[colDone] - len(" 99 %"); {
	case r.Job.Progress == nil:
		add(colDone, Soft, true, doneTexts(r.Job)...)
	case size >= 5:
		t := Good
		if r.Job.Stalled != 0 {
			t = Warn
		}
		line = append(line, Span{bar(*r.Job.Progress, size), tone(t)})
		line = append(line, Span{pad(doneTexts(r.Job)[0], len(" 99 %"), true), Normal}, Span{" ", Normal})
	default:
		add(colDone, Normal, true, doneTexts(r.Job)...)
	}
	add(colAge, Soft, false, readable.Length(r.Now-r.Job.Start))
	add(colETA, Normal, false, etaTexts(r.Job.ETA)...)
	cost := Normal
	switch {
	case over(r.Job):
		cost = Bad
	case near(r.Job) || r.Job.Unpriced > 0:
		cost = Warn
	}
	add(colSpent, cost, false, spentTexts(r.Job)...)
	add(colMarks, worst(marks), false, marksText(marks, w[colMarks]))
	return line.Cut(cells)
}
