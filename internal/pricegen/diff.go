package main

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// prices returns what a table's rows say, by a line that tells of what.
func (t table) prices() map[string]string {
	all := make(map[string]string)
	for _, r := range t.Rows {
		id := strings.Join(strings.Fields(strings.Join([]string{r.Provider, r.Model, r.Tier, r.Region, r.Variant, r.From}, " ")), " ") + ": "
		for prefix, per := range map[string]map[string]map[string]string{"": r.Per, "over " + strconv.FormatInt(r.Over, 10) + " ": r.OverPer} {
			for per, prices := range per {
				for unit, text := range prices {
					all[id+prefix+unit+" per "+per] = text
				}
			}
		}
		for name, factor := range r.Times {
			all[id+"times "+name] = factor
		}
		if r.Free {
			all[id+"free"] = "0"
		}
		if r.To != "" {
			all[id+"until"] = r.To
		}
	}
	return all
}

// diff prints what is new, gone or changed.
func diff(out io.Writer, was, is table) {
	old, now := was.prices(), is.prices()
	same := 0
	for _, line := range slices.Sorted(maps.Keys(union(old, now))) {
		before, had := old[line]
		after, has := now[line]
		switch {
		case !had:
			fmt.Fprintf(out, "new:     %s %s\n", line, after)
		case !has:
			fmt.Fprintf(out, "gone:    %s %s\n", line, before)
		case before != after:
			fmt.Fprintf(out, "changed: %s %s to %s%s\n", line, before, after, percent(before, after))
		default:
			same++
		}
	}
	fmt.Fprintf(out, "%d prices are as before, of %d\n", same, len(now))
}

func percent(before, after string) string {
	change := 100 * (number(after)/number(before) - 1)
	if math.IsNaN(change) || math.IsInf(change, 0) {
		return ""
	}
	return fmt.Sprintf(" (%+.1f %%)", change)
}

func union(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	if all == nil {
		all = make(map[string]string)
	}
	maps.Copy(all, b)
	return all
}

func number(s string) float64 {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return math.NaN()
	}
	return f
}
