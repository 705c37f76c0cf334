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
