package main

import (
	"strings"
	"testing"
)

func TestOverridesNeedReasons(t *testing.T) {
	rule := func(fields string) string {
		return `{"rules": [{"about": "x", "provider": "p", "models": ["m"], "source": "s", "seen": "2026-01-01", ` + fields + `}]}`
	}
	for text, want := range map[string]string{
		`{"rows": [{"provider": "p", "model": "m", "per_1M": {"input": "1"}, "seen": "2026-01-01"}]}`: "needs a source",
		`{"rows": [{"provider": "p", "model": "m", "per_1M": {"input": "1"}, "source": "s"}]}`:        "needs a source",
		`{"drop": [{"provider": "p", "model": "m"}]}`:                                                 "why is m of p dropped?",
		`{"rules": [{"about": "x", "models": ["m"], "to": "2026-01-01"}]}`:                            "a source and the day",
		`{"rule": []}`: `"rule"`,
		rule(`"To": "2026-01-01", "times": {"a": "1"}`): "does not say one thing",
		rule(`"by": "0.5"`):                             "does not say one thing",
		rule(`"tiers": ["flex"]`):                       "does not say one thing",
		rule(`"to": "2026-01-01", "units": ["input"]`):  "does not say one thing",
		rule(`"variant": "v"`):                          "does not say one thing",
		rule(`"to": "2026-01-01", "per": {"1": {}}`):    "does not say one thing",
		rule(`"to": "2026-01-01", "but": ["["]`):        "syntax error",
		rule(`"too": "2026-01-01"`):                     `"too"`,
		`{`:                                             "unexpected end",
	} {
		if _, err := parseOverrides("file", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func TestRulesDoNotGuess(t *testing.T) {
	rows := []row{{Provider: "p", Model: "m", Per: map[string]map[string]string{"1M": {"input": "0.000000001"}}}}
	half := rule{About: "half", Provider: "p", Models: []string{"m"}, Tiers: []string{"flex"}, By: "0.5"}
	if _, _, err := half.apply(rows); err == nil || !strings.Contains(err.Error(), "too many decimals") {
		t.Errorf("half a nano-dollar: %v", err)
	}
	half.By = "half"
	if _, _, err := half.apply(rows); err == nil || !strings.Contains(err.Error(), `"half"`) {
		t.Errorf("%v", err)
	}
}

// A variant is a row beside the one that it is of, and only where that has the price.
func TestRuleForAVariant(t *testing.T) {
	of := func(model, search string) row {
		return row{Provider: "p", Model: model, Per: map[string]map[string]string{"1M": {"input": "1"}, "1000": {"web_search": search}}}
	}
	r := rule{About: "older", Provider: "p", Models: []string{"*"}, Variant: "old", Per: map[string]map[string]string{"1000": {"web_search": "25"}}}
	out, changed, err := r.apply([]row{of("a", "10"), of("b", "")})
	if err != nil || changed != 1 || len(out) != 3 {
		t.Fatalf("%+v, %d, %v", out, changed, err)
	}
	if a, old := out[0], out[1]; a.Variant != "" || a.Per["1000"]["web_search"] != "10" || old.Variant != "old" || old.Per["1000"]["web_search"] != "25" || old.Per["1M"]["input"] != "1" {
		t.Errorf("%+v, %+v", a, old)
	}
}
