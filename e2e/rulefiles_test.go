package e2e

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
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

// about are the tests of one rule, each as a file of its own, those that take the fewest evaluations first.
func (r rule) about(files []ruleTest) (tests []map[string]any) {
	cost := make(map[string]time.Duration) // by the test's text
	for _, f := range files {
		for _, test := range f.tests {
			kept := maps.Clone(test)
			kept["alert_rule_test"] = only(test["alert_rule_test"], func(check map[string]any) bool {
				check["exp_alerts"] = only(check["exp_alerts"], r.expected)
				return check["alertname"] == r.name()
			})
			kept["promql_expr_test"] = only(test["promql_expr_test"], func(check map[string]any) bool {
				check["exp_samples"] = only(check["exp_samples"], r.recorded)
				return strings.Contains(fmt.Sprint(check["expr"]), r.name())
			})
			checks := slices.Concat(kept["alert_rule_test"].([]any), kept["promql_expr_test"].([]any))
			if len(checks) == 0 {
				continue
			}
			file := maps.Clone(f.head)
			file["tests"] = []any{kept}
			file["rule_files"] = []string{"rules.yml"}
			tests = append(tests, file)
			for _, check := range checks {
				at := duration(check.(map[string]any)["eval_time"])
				cost[fmt.Sprint(file)] = max(cost[fmt.Sprint(file)], at/max(1, duration(f.head["evaluation_interval"])/time.Second))
			}
		}
	}
	slices.SortStableFunc(tests, func(a, b map[string]any) int {
		return cmp.Compare(cost[fmt.Sprint(a)], cost[fmt.Sprint(b)])
	})
	return tests
}

// expected tells whether an alert that a test expects is one of this rule, not of another with its name.
func (r rule) expected(alert map[string]any) bool {
	have, _ := alert["exp_labels"].(map[string]any)
	want, _ := r.body["labels"].(map[string]any)
	for label, value := range want {
		if fmt.Sprint(have[label]) != fmt.Sprint(value) {
			return false
		}
	}
	return true
}

// recorded tells the same of a sample, such as one of ALERTS. Rules of one name differ in their windows.
func (r rule) recorded(sample map[string]any) bool {
	labels, _ := r.body["labels"].(map[string]any)
	window, several := labels["long_window"]
	return !several || strings.Contains(fmt.Sprint(sample["labels"]), fmt.Sprintf("long_window=%q", window))
}

// duration is one in Prometheus's notation, or 0.
func duration(text any) time.Duration {
	d, err := model.ParseDuration(fmt.Sprint(text))
	if err != nil {
		return 0
	}
	return time.Duration(d)
}

// only are copies of the items of a list that pass a filter, which may change them.
func only(list any, keep func(map[string]any) bool) []any {
	kept := []any{}
	all, _ := list.([]any)
	for _, item := range all {
		item, _ := item.(map[string]any)
		if item = maps.Clone(item); keep(item) {
			kept = append(kept, item)
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
