package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
)

// overrides are prices and rules that are kept by hand. Each has the source that says so and the
// day on which it was seen there.
type overrides struct {
	Rows []row `json:"rows"`
	// Drop has models of the seed that nobody can tell the price of.
	Drop []struct{ Provider, Model, Why string } `json:"drop"`
	// Rules change rows or add some, one after the other.
	Rules []rule `json:"rules"`
}

// A rule says something of many rows at once. It has one of the fields that begin with "Copy",
// and those after it.
type rule struct {
	About    string   `json:"about"`    // what it says, for people
	Provider string   `json:"provider"` // whose rows
	Models   []string `json:"models"`   // patterns, as path.Match has them
	But      []string `json:"but"`      // patterns of models that are none
	Source   string   `json:"source"`
	Seen     string   `json:"seen"`

	// Copy gives units the price of another: {"input": ["input_image"]}. A unit that has one keeps it.
	Copy map[string][]string `json:"copy"`
	// Tiers adds rows for service tiers, whose tokens cost By times what they do in ordinary rows.
	// With Units, only those tokens are priced in that tier.
	Tiers []string `json:"tiers"`
	By    string   `json:"by"`
	Units []string `json:"units"`
	// Times gives rows named multipliers.
	Times map[string]string `json:"times"`
	// MaxOutput gives rows the tokens that an answer has at most.
	MaxOutput int64 `json:"max_output_tokens"`
	// To ends rows that are open: the vendor promises the price only until the day before.
	To string `json:"to"`
	// Like adds the token prices of another provider's ordinary rows, for models that this provider
	// has no row of.
	Like string `json:"like"`
	// Variant adds to rows a row of this variant, with the prices of Per in place of theirs. Rows that lack one of
	// the units are left alone.
	Variant string                       `json:"variant"`
	Per     map[string]map[string]string `json:"per"`
	// Regions makes of each row one a region, whose tokens cost so many times as much: {"global":
	// "1", "": "1.1"}.
	Regions map[string]string `json:"regions"`
}

func readOverrides(file string) (o overrides, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return o, err
	}
	return parseOverrides(file, text)
}

func parseOverrides(file string, text []byte) (o overrides, err error) {
	if err := json.Unmarshal(text, &o); err != nil {
		return o, fmt.Errorf("%s: %w", file, err)
	}
	// Rows have fields such as per_1M, so only what is around them can be strict.
	var around struct {
		Rows, Drop json.RawMessage
		Rules      []rule
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&around); err != nil {
		return o, fmt.Errorf("%s: %w", file, err)
	}
	return o, o.check(file)
}

func (o overrides) check(file string) error {
	var errs []error
	for _, r := range o.Rows {
		if r.Source == "" || r.Seen == "" {
			errs = append(errs, fmt.Errorf("%s: %s of %s needs a source and the day on which it was seen", file, r.Model, r.Provider))
		}
	}
	for _, d := range o.Drop {
		if d.Why == "" {
			errs = append(errs, fmt.Errorf("%s: why is %s of %s dropped?", file, d.Model, d.Provider))
		}
	}
	for _, r := range o.Rules {
		if err := r.check(); err != nil {
			errs = append(errs, fmt.Errorf("%s: the rule %q: %w", file, r.About, err))
		}
	}
	return errors.Join(errs...)
}

func (r rule) check() error {
	if r.About == "" || r.Provider == "" || len(r.Models) == 0 || r.Source == "" || r.Seen == "" {
		return errors.New("it needs what it is about, a provider, models, a source and the day on which it was seen")
	}
	for _, pattern := range slices.Concat(r.Models, r.But) {
		if _, err := path.Match(pattern, ""); err != nil {
			return fmt.Errorf("%q: %w", pattern, err)
		}
	}
	actions := 0
	for _, has := range []bool{r.Copy != nil, r.Tiers != nil, r.Times != nil, r.MaxOutput != 0, r.To != "", r.Like != "", r.Regions != nil, r.Variant != ""} {
		if has {
			actions++
		}
	}
	if actions != 1 || (r.Tiers != nil) != (r.By != "") || (r.Variant != "") != (r.Per != nil) || r.Units != nil && r.Tiers == nil {
		return errors.New("it does not say one thing")
	}
	return nil
}

func (r rule) names(model string) bool {
	return matches(r.Models, model) && !matches(r.But, model)
}

func matches(patterns []string, model string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { ok, _ := path.Match(p, model); return ok })
}
