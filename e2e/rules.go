package e2e

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// A rule is a recording rule or an alert of docs/alerts, as its file has it.
type rule struct {
	group string
	place int // in the group
	body  map[string]any
}

// name is that of the alert, or of what is recorded.
func (r rule) name() string {
	if alert, ok := r.body["alert"].(string); ok {
		return alert
	}
	record, _ := r.body["record"].(string)
	return record
}

func (r rule) expr() string { return strings.TrimSpace(fmt.Sprint(r.body["expr"])) }

// key tells rules apart: the alerts of an objective share their name.
func (r rule) key() string { return fmt.Sprintf("%s/%d/%s", r.group, r.place, r.name()) }

// with is the rule with another expression.
func (r rule) with(expr string) rule {
	r.body = maps.Clone(r.body)
	r.body["expr"] = expr
	return r
}

// docsRules are the rules of docs/alerts, in their order.
func docsRules(t *testing.T) (rules []rule) {
	t.Helper()
	for _, name := range []string{"recording-rules.yml", "alerts.yml"} {
		var file struct {
			Groups []struct {
				Name  string           `yaml:"name"`
				Rules []map[string]any `yaml:"rules"`
			} `yaml:"groups"`
		}
		readYAML(t, docsPath(t, filepath.Join("alerts", name)), &file)
		for _, g := range file.Groups {
			for i, body := range g.Rules {
				rules = append(rules, rule{g.Name, i, body})
			}
		}
	}
	return rules
}

// A ruleTest is a file of promtool's unit tests.
type ruleTest struct {
	head  map[string]any // but for rule_files and tests
	tests []map[string]any
}

// docsRuleTests are the unit tests of docs/alerts/tests.
func docsRuleTests(t *testing.T) (files []ruleTest) {
	t.Helper()
	paths, err := filepath.Glob(docsPath(t, "alerts/tests/*.yml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no unit tests of the rules: %v", err)
	}
	for _, path := range paths {
		var head map[string]any
		readYAML(t, path, &head)
		var file ruleTest
		for _, test := range head["tests"].([]any) {
			file.tests = append(file.tests, test.(map[string]any))
		}
		delete(head, "tests")
		delete(head, "rule_files")
		file.head = head
		files = append(files, file)
	}
	return files
}

// about is what the file tests of rules, by their names; nil if that is nothing. It takes a fraction of the time.
func (f ruleTest) about(names []string) map[string]any {
	var tests []map[string]any
	for _, test := range f.tests {
		kept := maps.Clone(test)
		kept["alert_rule_test"] = only(test["alert_rule_test"], func(check map[string]any) bool {
			return slices.Contains(names, fmt.Sprint(check["alertname"]))
		})
		kept["promql_expr_test"] = only(test["promql_expr_test"], func(check map[string]any) bool {
			return slices.ContainsFunc(names, func(name string) bool { return strings.Contains(fmt.Sprint(check["expr"]), name) })
		})
		if len(kept["alert_rule_test"].([]any))+len(kept["promql_expr_test"].([]any)) > 0 {
			tests = append(tests, kept)
		}
	}
	if tests == nil {
		return nil
	}
	file := maps.Clone(f.head)
	file["tests"] = tests
	return file
}

// only are the checks of a list that pass a filter.
func only(checks any, keep func(map[string]any) bool) []any {
	kept := []any{}
	all, _ := checks.([]any)
	for _, check := range all {
		if check, ok := check.(map[string]any); ok && keep(check) {
			kept = append(kept, check)
		}
	}
	return kept
}

// writeRules writes rules into a file that Prometheus loads, in groups of their own.
func writeRules(t *testing.T, path string, rules []rule) {
	t.Helper()
	groups := []map[string]any{}
	for _, r := range rules {
		if n := len(groups); n == 0 || groups[n-1]["name"] != r.group {
			groups = append(groups, map[string]any{"name": r.group, "rules": []any{}})
		}
		last := groups[len(groups)-1]
		last["rules"] = append(last["rules"].([]any), r.body)
	}
	writeYAML(t, path, map[string]any{"groups": groups})
}

func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err == nil {
		err = yaml.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func writeYAML(t *testing.T, path string, value any) {
	t.Helper()
	text, err := yaml.Marshal(value)
	if err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
