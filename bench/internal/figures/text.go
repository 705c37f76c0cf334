package figures

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// WriteText writes a section for a terminal.
func WriteText(w io.Writer, s Section) {
	fmt.Fprintf(w, "\n== %s\n", s.Title)
	for _, t := range s.Tables {
		writeTable(w, t)
	}
	if len(s.Goals) > 0 {
		writeTable(w, goalTable(s))
	}
	for _, n := range s.Notes {
		fmt.Fprintf(w, "\n  note: %s\n", n)
	}
}

func writeTable(w io.Writer, t Table) {
	fmt.Fprintf(w, "\n%s\n", t.Title)
	rows := append([][]string{t.Columns}, t.Rows...)
	widths := make([]int, len(t.Columns))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				line.WriteString("  " + cell + pad)
			} else {
				line.WriteString("  " + pad + cell)
			}
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}
