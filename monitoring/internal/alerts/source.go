package alerts

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"text/template"

	"go.yaml.in/yaml/v3"
)

//go:embed rules/*.yml
var sources embed.FS

// source is a file of rules/: a group whose rules are templates.
type source struct {
	Name     string       `yaml:"name"`
	Interval string       `yaml:"interval"`
	Rules    []ruleSource `yaml:"rules"`
}

// ruleSource is a rule before its numbers are put in.
type ruleSource struct {
	Record      string            `yaml:"record"`
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	Labels      map[string]string `yaml:"labels"` // besides severity
	Summary     string            `yaml:"summary"`
	Description string            `yaml:"description"`

	// Each makes a rule for each of burn_rates, windows (of the burn rates) or long_windows.
	Each string `yaml:"each"`
	// AlertValues names the alert whose settings a recording rule uses.
	AlertValues string `yaml:"alert_values"`
}

// readSources returns the groups of fsys in the order of their files' names.
func readSources(fsys fs.FS) ([]source, error) {
	names, err := fs.Glob(fsys, "rules/*.yml")
	if err != nil {
		return nil, err
	}
	var all []source
	for _, name := range names {
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		var src source
		dec := yaml.NewDecoder(bytes.NewReader(data))
		dec.KnownFields(true)
		if err := dec.Decode(&src); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, src)
	}
	return all, nil
}

// name is the rule's name as in its source.
func (r ruleSource) name() string { return r.Record + r.Alert }

// rules returns the rules that r stands for, none if its alert is not wanted.
func (r ruleSource) rules(s Settings) ([]Rule, error) {
	if r.Alert != "" && !s.enabled(r.Alert) {
		return nil, nil
	}
	base := maps.Clone(s.all)
	for _, name := range []string{r.Alert, r.AlertValues} {
		if name == "" {
			continue
		}
		own, ok := s.alerts[name]
		if !ok {
			return nil, fmt.Errorf("%s: settings.yml has no alert %s", r.name(), name)
		}
		maps.Copy(base, own)
	}
	var each []values
	switch r.Each {
	case "":
		each = []values{{}}
	case "burn_rates":
		each = s.sortedRates()
	case "windows":
		each = windowValues(s.windows("long", "short"))
	case "long_windows":
		each = windowValues(s.windows("long"))
	default:
		return nil, fmt.Errorf("%s: each: %q", r.name(), r.Each)
	}
	var rules []Rule
	for _, more := range each {
		data := maps.Clone(base)
		maps.Copy(data, more)
		rule, err := r.render(s, data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.name(), err)
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

func windowValues(windows []Duration) []values {
	var all []values
	for _, w := range windows {
		all = append(all, values{"window": w})
	}
	return all
}

// render puts the numbers of data into one rule.
func (r ruleSource) render(s Settings, data values) (Rule, error) {
	sc := &scope{worker: s.all["jobs"].(values)["worker"].(string)}
	var errs []error
	text := func(field, source string) string {
		var b strings.Builder
		t, err := template.New(field).Delims("<<", ">>").Option("missingkey=error").Funcs(sc.functions()).Parse(source)
		if err == nil {
			err = t.Execute(&b, data)
		}
		errs = append(errs, err)
		return strings.TrimSpace(b.String())
	}
	rule := Rule{Record: text("record", r.Record), Alert: r.Alert, Expr: text("expr", r.Expr) + "\n"}
	if r.Alert != "" {
		rule.Labels = map[string]string{"severity": data["severity"].(string)}
		for label, source := range r.Labels {
			rule.Labels[label] = text(label, source)
		}
		rule.Annotations = map[string]string{
			"summary":     text("summary", r.Summary),
			"description": text("description", r.Description),
			"runbook_url": s.runbook(r.Alert),
		}
		if wait, ok := data["for"].(Duration); ok && wait > 0 {
			rule.For = wait.String()
		}
	}
	errs = append(errs, checkGrouping(rule.Expr, sc.used))
	return rule, errors.Join(errs...)
}
