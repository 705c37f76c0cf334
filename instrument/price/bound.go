package price

import (
	"errors"
	"strings"

	"github.com/stagemeter/stagemeter/instrument/money"
)

// AtMost returns the price of the dearest of what a call may turn out to have used. A usage whose
// Model is "" costs what it does with the dearest model of the provider that has a price for it;
// one whose Variant is "", with the dearest variant. Usages that have no price are left out, unless
// none has one: then the error is that of the first, an [UnknownError].
func (t *Table) AtMost(may ...Usage) (most money.USD, err error) {
	found := false
	for _, u := range may {
		cost, costErr := t.dearest(u)
		switch {
		case costErr == nil:
			most, found = max(most, cost), true
		case err == nil:
			err = costErr
		}
	}
	if found {
		return most, nil
	}
	if err == nil {
		err = errors.New("price: no usage is given")
	}
	return 0, err
}

func (t *Table) dearest(u Usage) (most money.USD, err error) {
	cost, err := t.Cost(u)
	var unknown *UnknownError
	if err == nil || !errors.As(err, &unknown) || u.Model != "" && unknown.Reason != UnknownVariant {
		return cost, err
	}
	found := false
	try := func(model string, rows []*row) {
		for _, r := range rows {
			v := u
			v.Model, v.Variant = model, r.variant
			if cost, costErr := t.Cost(v); costErr == nil {
				most, found = max(most, cost), true
			}
		}
	}
	if u.Model != "" {
		try(u.Model, t.find(u.Provider, u.Model))
	} else {
		for k, rows := range t.all() {
			if strings.EqualFold(k.provider, u.Provider) {
				try(k.model, rows)
			}
		}
	}
	if !found {
		return 0, err
	}
	return most, nil
}

func (t *Table) all() map[key][]*row {
	if t == nil {
		return nil
	}
	return t.rows
}

// Limits returns how many tokens a model takes and gives at most; 0 is not known.
func (t *Table) Limits(provider, model string) (input, output int64) {
	for _, r := range t.find(provider, model) {
		input, output = max(input, r.maxInput), max(output, r.maxOutput)
	}
	return input, output
}

// Has reports whether the table has a row for a model, for any day, tier, region and variant. It does
// not allocate, but for names with capital letters.
func (t *Table) Has(provider, model string) bool { return len(t.find(provider, model)) > 0 }

// Prices reports whether the row that holds for a call has a price for a unit. It does not allocate,
// but for names with capital letters.
func (t *Table) Prices(u Usage, unit Unit) bool {
	r, _, _ := t.row(&u)
	return r != nil && int(unit) < units && r.rates[unit].per != 0
}
