// Package figures shows what was measured: as text, as Markdown and as a chart.
package figures

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/bench/internal/rounds"
)

// A Section is what one part of the program has measured.
type Section struct {
	Name   string // on the command line
	Title  string
	Intro  string // one paragraph: what an operation is, what the rows are
	Tables []Table
	Goals  []Goal
	Notes  []string // what a reader has to know of this run
}

// A Table has one row for each rival or case.
type Table struct {
	Title   string
	Columns []string
	Rows    [][]string
}

// Add adds a row.
func (t *Table) Add(cells ...string) { t.Rows = append(t.Rows, cells) }

// A Goal is a figure of one case, and what it should be at most.
type Goal struct {
	Kind  string // what is compared with what; goals of one kind have one limit, and are shown by the worst of them
	Case  string
	Value float64
	Limit float64
	Unit  string // [Ratio], or one of what is no ratio
}

// Ratio is the unit of goals that compare with a rival. These are in the chart.
const Ratio = "×"

// Met tells whether the goal is.
func (g Goal) Met() bool { return g.Value <= g.Limit }

func (g Goal) figure(v float64) string {
	if g.Unit == "" || g.Unit == Ratio {
		return Figure(v) + g.Unit
	}
	return Figure(v) + " " + g.Unit
}

// Ratio adds a goal for a ratio. A ratio of 0, of rivals that did not take part, is left out.
func (s *Section) Ratio(kind, of string, value, limit float64) {
	if value > 0 {
		s.Goals = append(s.Goals, Goal{Kind: kind, Case: of, Value: value, Limit: limit, Unit: Ratio})
	}
}

// Absolute adds a goal for a figure that is no ratio.
func (s *Section) Absolute(kind, of string, value, limit float64, unit string) {
	s.Goals = append(s.Goals, Goal{Kind: kind, Case: of, Value: value, Limit: limit, Unit: unit})
}

// Note adds a note.
func (s *Section) Note(format string, args ...any) {
	s.Notes = append(s.Notes, fmt.Sprintf(format, args...))
}

// Figure is v with three digits that count.
func Figure(v float64) string {
	switch a := math.Abs(v); {
	case v == math.Trunc(v) && a < 1e6, a >= 100:
		return strconv.FormatFloat(math.Round(v), 'f', 0, 64)
	case a >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case a >= 1:
		return strconv.FormatFloat(v, 'f', 2, 64)
	default:
		return strconv.FormatFloat(v, 'g', 2, 64)
	}
}

// Duration is a time in ns as people say it.
func Duration(nanos float64) string {
	switch d := time.Duration(nanos); {
	case d < 10*time.Microsecond:
		return Figure(math.Round(nanos)) + " ns"
	case d < 10*time.Millisecond:
		return Figure(nanos/1e3) + " µs"
	case d < 10*time.Second:
		return Figure(nanos/1e6) + " ms"
	default:
		return Figure(nanos/1e9) + " s"
	}
}

// Times is a median with the quartiles around it.
func Times(s rounds.Spread) string {
	return fmt.Sprintf("%s (%s–%s)", Duration(s.Median), strings.Fields(Duration(s.Low))[0], Duration(s.High))
}

// Bytes is a size as people say it.
func Bytes(n float64) string {
	switch {
	case n < 10_000:
		return Figure(math.Round(n)) + " B"
	case n < 10_000_000:
		return Figure(n/1e3) + " kB"
	default:
		return Figure(n/1e6) + " MB"
	}
}
