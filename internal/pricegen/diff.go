package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// prices returns the prices of a table's rows by a line that tells which they are.
func (t table) prices() map[string]string {
	all := make(map[string]string)
	for _, r := range t.Rows {
		id := strings.Join(strings.Fields(strings.Join([]string{r.Provider, r.Model, r.Tier, r.Region, r.Variant, r.From}, " ")), " ")
		for prefix, per := range map[string]map[string]map[string]string{"": r.Per, "over " + strconv.FormatInt(r.Over, 10) + " ": r.OverPer} {
			for per, prices := range per {
				for unit, text := range prices {
					all[id+": "+prefix+unit+" per "+per] = text
				}
			}
		}
		if r.Free {
			all[id+": free"] = "0"
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
			fmt.Fprintf(out, "changed: %s %s to %s (%+.1f %%)\n", line, before, after, 100*(number(after)/number(before)-1))
		default:
			same++
		}
	}
	fmt.Fprintf(out, "%d prices are as before, of %d\n", same, len(now))
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

// litellmUnits are the fields of litellm's file that have a unit of ours, and how many of it they
// are per.
var litellmUnits = map[string]struct {
	per   float64
	where []string // the keys of prices with which it is compared
}{
	"input_cost_per_token":            {1e6, []string{"input per 1M"}},
	"output_cost_per_token":           {1e6, []string{"output per 1M"}},
	"cache_read_input_token_cost":     {1e6, []string{"cache_read per 1M"}},
	"cache_creation_input_token_cost": {1e6, []string{"cache_write_5m per 1M"}},
	"input_cost_per_audio_token":      {1e6, []string{"input_audio per 1M"}},
	"output_cost_per_audio_token":     {1e6, []string{"output_audio per 1M"}},
	"input_cost_per_character":        {1e6, []string{"characters per 1M"}},
	"input_cost_per_second":           {3600, []string{"audio per 3600_seconds"}},
}

// compare prints where the table and a file of litellm differ by more than 1 %.
func compare(out io.Writer, t table, text []byte) error {
	var file map[string]map[string]json.RawMessage
	if err := json.Unmarshal(text, &file); err != nil {
		return fmt.Errorf("not a price file of litellm: %w", err)
	}
	compared, differ := 0, 0
	for _, r := range t.Rows {
		if r.To != "" || r.Tier != "" || r.Region != "" || r.Variant != "" {
			continue
		}
		theirs, ok := file[r.Model]
		if !ok {
			continue
		}
		for _, field := range slices.Sorted(maps.Keys(litellmUnits)) {
			var their float64
			if json.Unmarshal(theirs[field], &their) != nil || their == 0 {
				continue
			}
			u := litellmUnits[field]
			for per, prices := range r.Per {
				for unit, ours := range prices {
					if !slices.Contains(u.where, unit+" per "+per) {
						continue
					}
					compared++
					if their *= u.per; math.Abs(number(ours)/their-1) > 0.01 {
						differ++
						fmt.Fprintf(out, "%s %s: %s per %s: %s here, %s there\n", r.Provider, r.Model, unit, per, ours, strconv.FormatFloat(their, 'g', 6, 64))
					}
				}
			}
		}
	}
	fmt.Fprintf(out, "%d of %d prices that both have differ by more than 1 %%\n", differ, compared)
	return nil
}
