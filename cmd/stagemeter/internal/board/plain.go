package board

import (
	"io"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/stagemeter/stagemeter/cmd/stagemeter/internal/readable"
)

// Plain writes rows as a table, as wide as it needs to be, below notes: see Lost and Attention. It
// writes no escape codes.
func (b *Board) Plain(w io.Writer, notes []Line, rows []Row) error {
	var text strings.Builder
	for _, n := range notes {
		text.WriteString(n.String() + "\n")
	}
	if len(notes) > 0 && len(rows) > 0 {
		text.WriteString("\n")
	}
	switch {
	case len(rows) > 0:
		b.plainTable(&text, rows)
	case !b.Answered():
	case b.running() == 0:
		text.WriteString("No job is running.\n")
	default:
		text.WriteString("No job matches. " + readable.Count(b.running()) + " running.\n")
	}
	_, err := io.WriteString(w, text.String())
	return err
}

func (b *Board) running() int {
	n := 0
	for i := range b.Workers {
		if b.Workers[i].Snap != nil {
			n += b.Workers[i].Snap.Running
		}
	}
	return n
}

func (b *Board) plainTable(text *strings.Builder, rows []Row) {
	cells := [][columns]string{titles}
	for _, r := range rows {
		cells = append(cells, [columns]string{
			colWorker: b.Workers[r.Worker].Name, colID: orNone(r.Job.ID), colStage: stageTexts(r.Job)[0], colDone: doneTexts(r.Job)[0],
			colAge: readable.Length(r.Now - r.Job.Start), colETA: etaTexts(r.Job.ETA)[0], colSpent: spentTexts(r.Job)[0], colMarks: marksLong(marksOf(r)),
		})
	}
	var widths [columns]int
	for _, row := range cells {
		for i, cell := range row {
			widths[i] = max(widths[i], ansi.StringWidth(cell))
		}
	}
	for _, row := range cells {
		line := ""
		for i, cell := range row {
			if i != colWorker || b.many() {
				line += pad(cell, widths[i], false) + "  "
			}
		}
		text.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}
