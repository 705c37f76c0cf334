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

func (x row) MarshalJSON() ([]byte, error) {
	text, err := json.Marshal(plainRow(x))
	if err != nil {
		return nil, err
	}
	for _, part := range []struct {
		prefix string
		per    map[string]map[string]string
	}{{"per_", x.Per}, {"over_per_", x.OverPer}} {
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

func (x *row) UnmarshalJSON(text []byte) error {
	if err := json.Unmarshal(text, (*plainRow)(x)); err != nil {
		return err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return err
	}
	for name, value := range fields {
		to := &x.Per
		per, over := strings.CutPrefix(name, "over_per_")
		if over {
			to = &x.OverPer
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
	for i, r := range t.Rows {
		line, err := json.Marshal(r)
		if err != nil {
			return nil, err
		}
		b.Write(line)
		if i < len(t.Rows)-1 {
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
