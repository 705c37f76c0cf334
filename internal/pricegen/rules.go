package main

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
)

// apply returns the rows as the rule has them, and of how many rows it had something to say.
func (r rule) apply(rows []row) (out []row, changed int, err error) {
	if r.Like != "" {
		return r.applyLike(rows)
	}
	for _, x := range rows {
		if x.Provider != r.Provider || !r.names(x.Model) || x.Free || x.Tier != "" && (r.Tiers != nil || r.Regions != nil) {
			out = append(out, x)
			continue
		}
		made, err := r.change(x, rows)
		if err != nil {
			return rows, 0, fmt.Errorf("the rule %q: %s: %w", r.About, x.Model, err)
		}
		if len(made) > 0 {
			changed++
		} else {
			made = []row{x}
		}
		out = append(out, made...)
	}
	return out, changed, nil
}

// change returns the rows that take the place of one row; none if the rule does not change it.
func (r rule) change(x row, all []row) (made []row, err error) {
	y := x.clone()
	y.cite(r)
	switch {
	case r.Copy != nil:
		per, over := y.copyPrices(r.Copy, y.Per), y.copyPrices(r.Copy, y.OverPer)
		if !per && !over {
			return nil, nil
		}
		return []row{y}, nil
	case r.Times != nil:
		if y.Times == nil {
			y.Times = make(map[string]string)
		}
		maps.Copy(y.Times, r.Times)
		return []row{y}, nil
	case r.MaxOutput != 0:
		y.MaxOutput = r.MaxOutput
		return []row{y}, nil
	case r.To != "":
		if x.To != "" || x.From >= r.To {
			return nil, nil
		}
		y.To = r.To
		return []row{y}, nil
	case r.Variant != "":
		if x.Variant != "" || slices.ContainsFunc(all, func(o row) bool {
			return o.Provider == x.Provider && o.Model == x.Model && o.Tier == x.Tier && o.Region == x.Region && o.From == x.From && o.Variant == r.Variant
		}) {
			return nil, nil
		}
		for per, prices := range r.Per {
			for unit, price := range prices {
				if y.Per[per][unit] == "" {
					return nil, nil
				}
				y.Per[per][unit] = price
			}
		}
		y.Variant = r.Variant
		return []row{x, y}, nil
	case r.Regions != nil:
		if slices.ContainsFunc(all, func(o row) bool { return o.Provider == x.Provider && o.Model == x.Model && o.Region != "" }) {
			return nil, nil
		}
		for _, region := range slices.Sorted(maps.Keys(r.Regions)) {
			z, err := y.times(r.Regions[region], nil)
			if err != nil {
				return nil, err
			}
			z.Region = region
			made = append(made, z)
		}
		return made, nil
	}
	made = []row{x}
	for _, tier := range r.Tiers {
		if slices.ContainsFunc(all, func(o row) bool { return o.Provider == x.Provider && o.Model == x.Model && o.Tier == tier }) {
			continue
		}
		z, err := y.times(r.By, r.Units)
		if err != nil {
			return nil, err
		}
		if len(z.Per["1M"]) == 0 {
			continue
		}
		z.Tier = tier
		made = append(made, z)
	}
	if len(made) == 1 {
		return nil, nil
	}
	return made, nil
}

// applyLike adds rows of another provider. What that one charges for a search or a file is its own.
func (r rule) applyLike(rows []row) ([]row, int, error) {
	taken := make(map[string]bool)
	for _, x := range rows {
		if x.Provider == r.Provider {
			for _, name := range append([]string{x.Model}, x.Aliases...) {
				taken[name] = true
			}
		}
	}
	out, added := slices.Clone(rows), 0
	for _, x := range rows {
		if x.Provider != r.Like || !r.names(x.Model) || taken[x.Model] || x.Tier != "" || x.Region != "" || len(x.Per["1M"]) == 0 {
			continue
		}
		y := x.clone()
		y.cite(r)
		y.Provider = r.Provider
		y.Per, y.OverPer = onlyTokens(y.Per), onlyTokens(y.OverPer)
		y.Aliases = slices.DeleteFunc(y.Aliases, func(a string) bool { return taken[a] })
		out = append(out, y)
		added++
	}
	return out, added, nil
}

func onlyTokens(per map[string]map[string]string) map[string]map[string]string {
	if per == nil {
		return nil
	}
	return map[string]map[string]string{"1M": per["1M"]}
}

func (x row) clone() row {
	x.Aliases, x.Times = slices.Clone(x.Aliases), maps.Clone(x.Times)
	x.Per, x.OverPer = clonePrices(x.Per), clonePrices(x.OverPer)
	return x
}

func clonePrices(per map[string]map[string]string) map[string]map[string]string {
	out := maps.Clone(per)
	for k := range out {
		out[k] = maps.Clone(out[k])
	}
	return out
}

// cite adds the rule's source. Of two days on which a row was seen, the older one holds.
func (x *row) cite(r rule) {
	if !strings.Contains(x.Source, r.Source) {
		x.Source += "; " + r.Source
	}
	x.Seen = min(x.Seen, r.Seen)
}

// copyPrices gives units the price of another one, and reports whether there was one to give.
func (x *row) copyPrices(from map[string][]string, per map[string]map[string]string) (changed bool) {
	for unit, to := range from {
		price, ok := per["1M"][unit]
		if !ok {
			continue
		}
		for _, name := range to {
			if _, has := per["1M"][name]; !has {
				per["1M"][name] = price
				changed = true
			}
		}
	}
	return changed
}

// times returns the row with all prices of tokens times a factor. With units, it has only those
// tokens.
func (x row) times(factor string, units []string) (row, error) {
	x = x.clone()
	by, ok := new(big.Rat).SetString(factor)
	if !ok || by.Sign() <= 0 {
		return x, fmt.Errorf("%q is no factor", factor)
	}
	for _, per := range []map[string]map[string]string{x.Per, x.OverPer} {
		for unit, text := range per["1M"] {
			if units != nil && !slices.Contains(units, unit) {
				delete(per["1M"], unit)
				continue
			}
			price, ok := new(big.Rat).SetString(text)
			if !ok {
				return x, fmt.Errorf("%s costs %q", unit, text)
			}
			price.Mul(price, by)
			text = price.FloatString(9)
			if exact, _ := new(big.Rat).SetString(text); exact.Cmp(price) != 0 {
				return x, fmt.Errorf("%s would cost %s: too many decimals", unit, price.FloatString(12))
			}
			per["1M"][unit] = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
		}
	}
	return x, nil
}
