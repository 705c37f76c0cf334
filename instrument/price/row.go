package price

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/instrument/money"
)

// rate is the price of a number of a unit; 0 units if there is none.
type rate struct {
	price money.USD
	per   int64
}

type rates [units]rate

// row is what a table has about a model for a time, a tier, a region and a variant.
type row struct {
	provider, model       string
	aliases               []string
	from, to              time.Time // zero: open
	tier, region, variant string
	rates                 rates
	over                  int64  // tokens of input above which overRates hold; 0 for never
	overRates             *rates // of which those that are missing are as in rates
	times                 map[string]factor
	free                  bool
	maxInput, maxOutput   int64 // tokens; 0 if not known
	source                string
	seen                  time.Time
}

// factor is a multiplier, num/den.
type factor struct{ num, den int64 }

// rowJSON has the fields of a row as they are written, but for the prices.
type rowJSON struct {
	Provider, Model       string
	Aliases               []string
	From, To              string
	Tier, Region, Variant string
	Over                  int64
	Times                 map[string]string
	Free                  bool
	MaxInput, MaxOutput   int64
	Source, Seen          string
}

// UnmarshalJSON reads a row field by field, so that a table of a thousand rows costs little.
func (r *row) UnmarshalJSON(text []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return err
	}
	var j rowJSON
	at := map[string]any{
		"provider": &j.Provider, "model": &j.Model, "aliases": &j.Aliases, "from": &j.From, "to": &j.To, "tier": &j.Tier,
		"region": &j.Region, "variant": &j.Variant, "over_input_tokens": &j.Over, "times": &j.Times, "free": &j.Free,
		"max_input_tokens": &j.MaxInput, "max_output_tokens": &j.MaxOutput, "source": &j.Source, "seen": &j.Seen,
	}
	for name, value := range fields {
		if to := at[name]; to != nil {
			if err := json.Unmarshal(value, to); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			continue
		}
		if err := r.readPrices(name, value); err != nil {
			return err
		}
	}
	return r.set(j)
}

// readPrices reads a field that begins with per_ or over_per_.
func (r *row) readPrices(name string, value json.RawMessage) error {
	per, over := strings.CutPrefix(name, "over_")
	per, ok := strings.CutPrefix(per, "per_")
	switch {
	case !ok:
		return fmt.Errorf("%.40q is no field of a row", name)
	case !over:
		return r.rates.read(name, per, value)
	case r.overRates == nil:
		r.overRates = new(rates)
	}
	return r.overRates.read(name, per, value)
}

func (r *row) set(j rowJSON) error {
	r.provider, r.model, r.aliases = strings.ToLower(j.Provider), strings.ToLower(j.Model), j.Aliases
	for i, alias := range r.aliases {
		r.aliases[i] = strings.ToLower(alias)
	}
	r.tier, r.region, r.variant = ordinary(j.Tier), strings.ToLower(j.Region), strings.ToLower(j.Variant)
	r.over, r.free, r.maxInput, r.maxOutput, r.source = j.Over, j.Free, j.MaxInput, j.MaxOutput, j.Source
	if r.provider == "" || r.model == "" {
		return errors.New("provider or model is missing")
	}
	if r.over < 0 || r.maxInput < 0 || r.maxOutput < 0 {
		return errors.New("a number of tokens is negative")
	}
	if r.maxInput > 0 && r.maxInput <= r.over {
		return errors.New("over_input_tokens is not below max_input_tokens")
	}
	if (r.over > 0) != (r.overRates != nil) {
		return errors.New("over_input_tokens and over_per_… need each other")
	}
	for name, at := range map[string]struct {
		text string
		to   *time.Time
	}{"from": {j.From, &r.from}, "to": {j.To, &r.to}, "seen": {j.Seen, &r.seen}} {
		if at.text == "" {
			continue
		}
		day, err := time.Parse(time.DateOnly, at.text)
		if err != nil {
			return fmt.Errorf("%s is %.40q, want a day such as 2026-11-27", name, at.text)
		}
		*at.to = day
	}
	if !r.from.IsZero() && !r.to.IsZero() && !r.from.Before(r.to) {
		return fmt.Errorf("from %s is not before to %s", j.From, j.To)
	}
	for name, text := range j.Times {
		f, err := parseFactor(text)
		if err != nil {
			return fmt.Errorf("times: %.40q: %w", name, err)
		}
		if r.times == nil {
			r.times = make(map[string]factor)
		}
		r.times[strings.ToLower(name)] = f
	}
	return r.check()
}

// check refuses rows of which it is not clear what they say.
func (r *row) check() error {
	priced := false
	for u, x := range r.rates {
		if x.per == 0 {
			continue
		}
		priced = true
		if x.price == 0 && !r.free {
			return fmt.Errorf("%s costs 0: a row without a price must say free", Unit(u))
		}
		if x.price != 0 && r.free {
			return fmt.Errorf("%s costs %s in a row that says free", Unit(u), x.price)
		}
	}
	if !priced && !r.free {
		return errors.New("a row without prices")
	}
	return nil
}

// read reads the prices of a field such as per_1M, {"input": "2.50"}.
func (t *rates) read(field, per string, value json.RawMessage) error {
	number, seconds := strings.CutSuffix(per, "_seconds")
	n, err := parseCount(number)
	if err != nil {
		return fmt.Errorf("%.40q: want a number such as 1M, 1000 or 60_seconds: %w", field, err)
	}
	var prices map[string]string
	if err := json.Unmarshal(value, &prices); err != nil {
		return fmt.Errorf("%s: want decimal texts by unit: %w", field, err)
	}
	for name, text := range prices {
		u, ok := byName[name]
		switch {
		case !ok:
			return fmt.Errorf("%s: %.40q is no unit", field, name)
		case u.timed() != seconds:
			return fmt.Errorf("%s: %s is not priced by %s", field, name, per)
		case t[u].per != 0:
			return fmt.Errorf("%s: %s has a price already", field, name)
		}
		usd, err := money.ParseUSD(text)
		if err == nil {
			err = usd.Validate()
		}
		if err != nil {
			return fmt.Errorf("%s: %s is %.40q: %w", field, name, text, err)
		}
		t[u] = rate{usd, n * u.scale()}
	}
	return nil
}

// parseCount reads 1, 1000, 1K, 1M or 1B. It is at most a billion, so that a count of seconds fits
// in nanoseconds.
func parseCount(s string) (int64, error) {
	unit := int64(1)
	for suffix, n := range map[string]int64{"K": 1_000, "M": 1_000_000, "B": 1_000_000_000} {
		if number, ok := strings.CutSuffix(s, suffix); ok {
			s, unit = number, n
			break
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 1 || n > 1_000_000_000/unit {
		return 0, fmt.Errorf("%.40q is not between 1 and 1B", s)
	}
	return n * unit, nil
}

// parseFactor reads a decimal such as 1.1.
func parseFactor(s string) (factor, error) {
	usd, err := money.ParseUSD(s)
	if err != nil || usd <= 0 || usd > 1000*money.Dollar || usd%(money.Dollar/10_000) != 0 {
		return factor{}, fmt.Errorf("%.40q is not a number above 0 and up to 1000 with at most four decimals", s)
	}
	num, den := int64(usd), int64(money.Dollar)
	for a, b := num, den; ; a, b = b, a%b {
		if b == 0 {
			return factor{num / a, den / a}, nil
		}
	}
}

// ordinary returns a tier as rows have it: "" for the ordinary one.
func ordinary(tier string) string {
	switch tier = strings.ToLower(tier); tier {
	case "default", "standard", "auto", "on_demand", "standard_only":
		return ""
	}
	return tier
}
