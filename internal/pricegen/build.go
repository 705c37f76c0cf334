package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// build makes the table of a seed and the overrides. The names of an override are its own: the seed
// keeps no row and no alias of them.
func build(s seed, over overrides, now time.Time) (t table, notes []string, err error) {
	t = table{Checked: now.Format(time.DateOnly), Notice: notice, Seed: s.version}
	taken := make(map[string]bool)
	name := func(provider, model string) string { return provider + " " + strings.ToLower(model) }
	for _, r := range over.Rows {
		for _, m := range append([]string{r.Model}, r.Aliases...) {
			taken[name(r.Provider, m)] = true
		}
	}
	for _, d := range over.Drop {
		taken[name(d.Provider, d.Model)] = true
		notes = append(notes, fmt.Sprintf("left out: %s %s: %s", d.Provider, d.Model, d.Why))
	}
	t.Rows = append(t.Rows, over.Rows...)
	for _, p := range s.providers {
		if providers[p.ID] == "" {
			continue
		}
		rows, left := s.rowsOf(p, now, func(r row, m string) bool { return taken[name(r.Provider, m)] })
		t.Rows, notes = append(t.Rows, rows...), append(notes, left...)
	}
	for _, r := range over.Rules {
		var changed int
		if t.Rows, changed, err = r.apply(t.Rows); err != nil {
			return t, notes, err
		}
		if changed == 0 {
			notes = append(notes, fmt.Sprintf("the rule %q has nothing to say of any row", r.About))
		}
	}
	sortRows(t.Rows)
	slices.Sort(notes)
	return t, notes, nil
}

func sortRows(rows []row) {
	slices.SortStableFunc(rows, func(a, b row) int {
		return strings.Compare(strings.Join([]string{a.Provider, a.Model, a.Tier, a.Region, a.Variant, a.From}, "\x00"),
			strings.Join([]string{b.Provider, b.Model, b.Tier, b.Region, b.Variant, b.From}, "\x00"))
	})
}

// rowsOf returns the rows of a provider's models, but for those whose names are taken.
func (s seed) rowsOf(p provider, now time.Time, taken func(row, string) bool) (all []row, notes []string) {
	// A name that is a model's own is no alias of another's, and an alias is one model's.
	own, aliases := make(map[string]bool), make(map[string]bool)
	for _, m := range p.Models {
		own[strings.ToLower(m.ID)] = true
	}
	for _, m := range p.Models {
		m.ID = strings.ToLower(m.ID)
		rows, left := rowsOf(p, m, now)
		notes = append(notes, left...)
		if len(rows) == 0 || taken(rows[0], m.ID) {
			continue
		}
		kept := slices.DeleteFunc(rows[0].Aliases, func(a string) bool { return taken(rows[0], a) || own[a] || aliases[a] })
		for _, a := range kept {
			aliases[a] = true
		}
		for i := range rows {
			rows[i].Aliases, rows[i].Source, rows[i].Seen = kept, "genai-prices "+s.version, s.day
		}
		all = append(all, rows...)
	}
	return all, notes
}
