package alerts

import (
	"cmp"
	_ "embed"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed settings.yml
var defaults []byte

// Settings are the numbers that the rules are made with: settings.yml, and what a user has overridden.
type Settings struct {
	all       values            // the top level, with runbooks, period and the like
	burnRates map[string]values // page_fast, …
	alerts    map[string]values // by the alert's name
}

// values are settings by key. Numbers are float64, time spans Duration, the rest string, bool or values.
type values map[string]any

// Default returns the settings as delivered.
func Default() Settings {
	s, err := Load(strings.NewReader(""))
	if err != nil {
		panic("settings.yml, which is part of the program: " + err.Error())
	}
	return s
}

// Load returns the default settings with what a user's YAML file overrides. Its error tells all that is wrong with
// the file, each with the key, the value and what is allowed.
func Load(r io.Reader) (Settings, error) {
	base, err := parse(strings.NewReader(string(defaults)))
	if err != nil {
		return Settings{}, fmt.Errorf("settings.yml: %w", err)
	}
	user, err := parse(r)
	if err != nil {
		return Settings{}, err
	}
	m := merger{}
	s := Settings{all: m.merge("", base, user)}
	if err := m.err(); err != nil {
		return Settings{}, err
	}
	s.burnRates = sections(s.all, "burn_rates")
	s.alerts = sections(s.all, "alerts")
	return s, s.validate()
}

// parse returns the top node of a YAML document, nil if it is empty.
func parse(r io.Reader) (*yaml.Node, error) {
	var document yaml.Node
	dec := yaml.NewDecoder(r)
	switch err := dec.Decode(&document); {
	case err == io.EOF:
		return nil, nil
	case err != nil:
		return nil, err
	}
	if err := dec.Decode(&yaml.Node{}); err != io.EOF {
		return nil, fmt.Errorf("a second document: one is allowed")
	}
	return document.Content[0], nil
}

// sections returns the maps below a key of the top level.
func sections(top values, key string) map[string]values {
	found := map[string]values{}
	for name, v := range top[key].(values) {
		found[name] = v.(values)
	}
	return found
}

// enabled tells whether an alert is wanted.
func (s Settings) enabled(alert string) bool { return s.alerts[alert]["enabled"] != false }

// runbook is the address of what to do about an alert.
func (s Settings) runbook(alert string) string {
	return fmt.Sprintf("%s#%s", s.all["runbooks"], strings.ToLower(alert))
}

// sortedRates are the burn rates, the fastest first.
func (s Settings) sortedRates() []values {
	return slices.SortedFunc(maps.Values(s.burnRates), func(a, b values) int {
		return cmp.Compare(a["long"].(Duration), b["long"].(Duration))
	})
}

// windows are the windows of the burn rates under keys, long or short, ascending and each once.
func (s Settings) windows(keys ...string) []Duration {
	var all []Duration
	for _, rate := range s.burnRates {
		for _, key := range keys {
			all = append(all, rate[key].(Duration))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
