package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// notice goes with what was taken from genai-prices.
const notice = "Most rows come from genai-prices, which is under the MIT License: Copyright (c) Pydantic Services Inc. 2025 to present. NOTICE.txt has its text."

// table is prices.json.
type table struct {
	Checked string `json:"checked"`
	Notice  string `json:"notice"`
	Seed    string `json:"seed"`
	Rows    []row  `json:"rows"`
}

// row is a row of prices.json. Prices are in fields such as per_1M.
type row struct {
	Provider  string            `json:"provider"`
	Model     string            `json:"model"`
	Aliases   []string          `json:"aliases,omitempty"`
	From      string            `json:"from,omitempty"`
	To        string            `json:"to,omitempty"`
	Tier      string            `json:"tier,omitempty"`
	Region    string            `json:"region,omitempty"`
	Variant   string            `json:"variant,omitempty"`
	Over      int64             `json:"over_input_tokens,omitempty"`
	Times     map[string]string `json:"times,omitempty"`
	Free      bool              `json:"free,omitempty"`
	MaxInput  int64             `json:"max_input_tokens,omitempty"`
	MaxOutput int64             `json:"max_output_tokens,omitempty"`
	Source    string            `json:"source"`
	Seen      string            `json:"seen,omitempty"`

	Per     map[string]map[string]string `json:"-"`
	OverPer map[string]map[string]string `json:"-"`
}

type plainRow row

func (r row) MarshalJSON() ([]byte, error) {
	text, err := json.Marshal(plainRow(r))
	if err != nil {
		return nil, err
	}
	for _, part := range []struct {
		prefix string
		per    map[string]map[string]string
	}{{"per_", r.Per}, {"over_per_", r.OverPer}} {
		for _, per := range slices.Sorted(maps.Keys(part.per)) {
			prices, err := json.Marshal(part.per[per])
			if err != nil {
				return nil, err
			}
			text = fmt.Appendf(text[:len(text)-1], ",%q:%s}", part.prefix+per, prices)
		}
	}
	return text, nil
}

func (r *row) UnmarshalJSON(text []byte) error {
	if err := json.Unmarshal(text, (*plainRow)(r)); err != nil {
		return err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return err
	}
	for name, value := range fields {
		to := &r.Per
		per, over := strings.CutPrefix(name, "over_per_")
		if over {
			to = &r.OverPer
		} else if per, over = strings.CutPrefix(name, "per_"); !over {
			continue
		}
		if *to == nil {
			*to = make(map[string]map[string]string)
		}
		var prices map[string]string
		if err := json.Unmarshal(value, &prices); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		(*to)[per] = prices
	}
	return nil
}

// text is one row a line, sorted, so that a difference is easy to read.
func (t table) text() ([]byte, error) {
	rows := t.Rows
	t.Rows = nil
	head, err := json.Marshal(struct {
		Checked string `json:"checked"`
		Notice  string `json:"notice"`
		Seed    string `json:"seed"`
	}{t.Checked, t.Notice, t.Seed})
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s,\"rows\":[\n", head[:len(head)-1])
	for i, r := range rows {
		line, err := json.Marshal(r)
		if err != nil {
			return nil, err
		}
		b.Write(line)
		if i < len(rows)-1 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
	b.WriteString("]}\n")
	return b.Bytes(), nil
}

func readTable(file string) (t table, err error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return t, nil
	}
	if err != nil {
		return t, err
	}
	return t, json.Unmarshal(text, &t)
}

// overrides are prices that are kept by hand.
type overrides struct {
	Rows []row
	// Drop has models of the seed that nobody can tell the price of.
	Drop []struct{ Provider, Model, Why string }
}

func readOverrides(file string) (o overrides, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return o, err
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	if err := dec.Decode(&o); err != nil {
		return o, fmt.Errorf("%s: %w", file, err)
	}
	for _, r := range o.Rows {
		if r.Source == "" || r.Seen == "" {
			return o, fmt.Errorf("%s: %s of %s needs a source and the day on which it was seen", file, r.Model, r.Provider)
		}
	}
	return o, nil
}

// build makes the table of a seed and the overrides. The names of an override are its own: the seed
// keeps no row and no alias of them.
func build(seed []provider, version string, over overrides, now time.Time) (t table, notes []string, err error) {
	t = table{Checked: now.Format(time.DateOnly), Notice: notice, Seed: version}
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
	for _, p := range seed {
		if providers[p.ID] == "" {
			continue
		}
		// A name that is a model's own is no alias of another's.
		own := make(map[string]bool)
		for _, m := range p.Models {
			own[strings.ToLower(m.ID)] = true
		}
		aliases := make(map[string]bool)
		for _, m := range p.Models {
			m.ID = strings.ToLower(m.ID)
			rows, left := rowsOf(p, m, "genai-prices "+version, now)
			notes = append(notes, left...)
			if len(rows) == 0 || taken[name(rows[0].Provider, m.ID)] {
				continue
			}
			kept := slices.DeleteFunc(rows[0].Aliases, func(a string) bool {
				return taken[name(rows[0].Provider, a)] || own[a] || aliases[a]
			})
			for _, a := range kept {
				aliases[a] = true
			}
			for i := range rows {
				rows[i].Aliases = kept
			}
			t.Rows = append(t.Rows, rows...)
		}
	}
	slices.SortStableFunc(t.Rows, func(a, b row) int {
		return strings.Compare(strings.Join([]string{a.Provider, a.Model, a.Tier, a.Region, a.Variant, a.From}, "\x00"),
			strings.Join([]string{b.Provider, b.Model, b.Tier, b.Region, b.Variant, b.From}, "\x00"))
	})
	slices.Sort(notes)
	return t, notes, nil
}
