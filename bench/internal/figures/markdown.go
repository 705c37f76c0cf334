package figures

import (
	"fmt"
	"io"
	"strings"
)

// WriteMarkdown writes the sections for docs/performance.md, with the chart first.
func WriteMarkdown(w io.Writer, about, chart string, sections []Section) {
	fmt.Fprintf(w, "%s\n\n", about)
	if chart != "" {
		fmt.Fprintf(w, "![Each kind of goal, as a ratio to the rival](%s)\n", chart)
	}
	for _, s := range sections {
		fmt.Fprintf(w, "\n### %s\n", s.Title)
		if s.Intro != "" {
			fmt.Fprintf(w, "\n%s\n", s.Intro)
		}
		for _, t := range s.Tables {
			markdownTable(w, t)
		}
		if len(s.Goals) > 0 {
			markdownTable(w, goalTable(s))
		}
		for _, n := range s.Notes {
			fmt.Fprintf(w, "\n- %s\n", n)
		}
	}
}

func markdownTable(w io.Writer, t Table) {
	fmt.Fprintf(w, "\n**%s**\n\n", t.Title)
	fmt.Fprintf(w, "| %s |\n|---%s|\n", strings.Join(t.Columns, " | "), strings.Repeat("|--:", len(t.Columns)-1))
	for _, row := range t.Rows {
		fmt.Fprintf(w, "| %s |\n", strings.Join(row, " | "))
	}
}
