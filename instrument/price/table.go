package price

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// maxTable is the most that [Parse] reads.
const maxTable = 32 << 20

// A Table has prices. It is immutable and safe for concurrent use. The zero Table and a nil one have
// none.
type Table struct {
	rows    map[key][]*row
	checked time.Time
}

type key struct{ provider, model string }

// Parse reads a table:
//
//	{"checked": "2026-11-27", "rows": [
//	  {"provider": "openai", "model": "gpt-4o", "aliases": ["gpt-4o-2024-08-06"],
//	   "per_1M": {"input": "2.50", "cache_read": "1.25", "output": "10"}, "per_1000": {"web_search": "10"},
//	   "source": "https://openai.com/api/pricing", "seen": "2026-11-27"},
//	  {"provider": "openai", "model": "whisper-1", "per_60_seconds": {"audio": "0.006"}}
//	]}
//
// docs/costs.md has all fields. Prices are decimal texts in US dollars, exact to nine decimals. An
// error names the row, the field and the value that is wrong; the table then has the rows that are
// right. Two rows that hold for the same call are an error.
func Parse(text []byte) (*Table, error) {
	t := &Table{rows: make(map[key][]*row)}
	if len(text) > maxTable {
		return t, fmt.Errorf("price: a table of %d bytes, want at most %d", len(text), maxTable)
	}
	var file struct {
		Checked string            `json:"checked"`
		Notice  string            `json:"notice"`
		Seed    string            `json:"seed"`
		Rows    []json.RawMessage `json:"rows"`
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&file); err != nil {
		return t, fmt.Errorf("price: not a table: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return t, errors.New("price: something follows the table")
	}
	var errs []error
	if file.Checked != "" {
		var err error
		if t.checked, err = time.Parse(time.DateOnly, file.Checked); err != nil {
			errs = append(errs, fmt.Errorf("price: checked is %.40q, want a day such as 2026-11-27", file.Checked))
		}
	}
	for i, raw := range file.Rows {
		r := new(row)
		err := r.UnmarshalJSON(raw)
		if err == nil {
			err = t.add(r)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("price: row %d, %.50q of %.50q: %w", i+1, r.model, r.provider, err))
		}
	}
	return t, errors.Join(errs...)
}

func (t *Table) add(r *row) error {
	for _, name := range append([]string{r.model}, r.aliases...) {
		k := key{r.provider, name}
		for _, other := range t.rows[k] {
			if other != r && other.tier == r.tier && other.region == r.region && other.variant == r.variant && other.overlaps(r) {
				return fmt.Errorf("%.50q has a price for these days already", name)
			}
		}
	}
	for _, name := range append([]string{r.model}, r.aliases...) {
		k := key{r.provider, name}
		if !slices.Contains(t.rows[k], r) {
			t.rows[k] = append(t.rows[k], r)
		}
	}
	return nil
}

func (r *row) overlaps(o *row) bool {
	return (r.to.IsZero() || o.from.Before(r.to)) && (o.to.IsZero() || r.from.Before(o.to))
}

// With returns a table in which the rows of other replace all rows of the same provider and model
// name. Other names of a model that is replaced, such as those of its snapshots, lead to the rows of
// other too, unless a row has that name for its own. A nil other changes nothing.
func (t *Table) With(other *Table) *Table {
	sum := &Table{rows: make(map[key][]*row)}
	for _, from := range []*Table{t, other} {
		if from == nil {
			continue
		}
		for k, rows := range from.rows {
			if from == t {
				rows = other.instead(rows)
			}
			sum.rows[k] = rows
		}
		if from.checked.After(sum.checked) {
			sum.checked = from.checked
		}
	}
	return sum
}

// instead returns the rows that replace those of a model, or the same rows.
func (t *Table) instead(rows []*row) []*row {
	if t != nil && len(rows) > 0 {
		if own := t.rows[key{rows[0].provider, rows[0].model}]; own != nil {
			return own
		}
	}
	return rows
}

// Checked returns the day on which the table was last checked, or the zero time.
func (t *Table) Checked() time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.checked
}

// FromEnv returns the prices that come with the package, over which those of the file that
// STAGEMETER_PRICES names are laid. With an error, which names the file, the table has all that
// could be read.
func FromEnv() (*Table, error) {
	table := Default()
	name := os.Getenv("STAGEMETER_PRICES")
	if name == "" {
		return table, nil
	}
	text, err := readFile(name)
	if err != nil {
		return table, fmt.Errorf("price: STAGEMETER_PRICES: %w", err)
	}
	own, err := Parse(text)
	if err != nil {
		err = fmt.Errorf("STAGEMETER_PRICES=%.200q: %w", name, err)
	}
	return table.With(own), err
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxTable+1))
}

// find returns the rows of a model: by its exact name, an alias, or its name without the day of a
// snapshot. A fine-tuned model, ft:gpt-4o-mini-2024-07-18:studio::id, is one of ft:gpt-4o-mini.
func (t *Table) find(provider, model string) []*row {
	if t == nil {
		return nil
	}
	k := key{strings.ToLower(provider), strings.ToLower(model)}
	if rows := t.rows[k]; rows != nil {
		return rows
	}
	if strings.HasPrefix(k.model, "ft:") {
		base, _, _ := strings.Cut(k.model[len("ft:"):], ":")
		k.model = k.model[:len("ft:")+len(base)]
		if rows := t.rows[k]; rows != nil {
			return rows
		}
	}
	if base, ok := withoutDay(k.model); ok {
		return t.rows[key{k.provider, base}]
	}
	return nil
}

// withoutDay cuts the day of a snapshot off a model's name: -2024-08-06, -20240806 or @20240806.
// Other endings tell models of other prices apart.
func withoutDay(model string) (string, bool) {
	for _, layout := range []string{"-2006-01-02", "-20060102", "@20060102"} {
		at := len(model) - len(layout)
		if at < 1 || model[at] != layout[0] || strings.Count(model[at+1:], "-") != strings.Count(layout[1:], "-") {
			continue
		}
		if _, err := time.Parse(layout, model[at:]); err == nil {
			return model[:at], true
		}
	}
	return "", false
}
