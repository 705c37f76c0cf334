package figures

import (
	"fmt"
	"slices"

	"github.com/stagemeter/stagemeter/bench/internal/rounds"
)

// A Kind is the goals of one kind: the worst of them, the one in the middle, and how many are met.
type Kind struct {
	Worst    Goal
	Middle   float64
	Met, All int
	values   []float64
}

// Verdict is "met", "missed", or how many of the cases are met.
func (k Kind) Verdict() string {
	switch {
	case k.Met == k.All:
		return "met"
	case k.All == 1:
		return "missed"
	default:
		return fmt.Sprintf("met in %d of %d", k.Met, k.All)
	}
}

// Kinds sums the goals of sections up, in their order.
func Kinds(sections ...Section) []Kind {
	var kinds []Kind
	at := make(map[string]int)
	for _, s := range sections {
		for _, g := range s.Goals {
			i, ok := at[g.Kind]
			if !ok {
				i = len(kinds)
				at[g.Kind] = i
				kinds = append(kinds, Kind{Worst: g})
			}
			k := &kinds[i]
			k.All++
			if g.Met() {
				k.Met++
			}
			if g.Value > k.Worst.Value {
				k.Worst = g
			}
			k.values = append(k.values, g.Value)
			k.Middle = rounds.SpreadOf(slices.Clone(k.values)).Median
		}
	}
	return kinds
}

func goalTable(s Section) Table {
	t := Table{Title: "Goals", Columns: []string{"", "worst case", "median case", "at most", "", "the worst case is"}}
	for _, k := range Kinds(s) {
		t.Add(k.Worst.Kind, k.Worst.figure(k.Worst.Value), k.Worst.figure(k.Middle), k.Worst.figure(k.Worst.Limit),
			k.Verdict(), k.Worst.Case)
	}
	return t
}

// Line says in one line how a kind of goals stands.
func (k Kind) Line() string {
	return fmt.Sprintf("%s: %s, at most %s (%s; %s)", k.Worst.Kind, k.Worst.figure(k.Worst.Value), k.Worst.figure(k.Worst.Limit),
		k.Verdict(), k.Worst.Case)
}
