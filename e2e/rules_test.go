package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// TestRules runs promtool's unit tests of the rules, those of the rules that users had before among them.
func TestRules(t *testing.T) {
	for _, pattern := range []string{"alerts/tests/*.yml", "alerts/tests/old-rules/*test*.yml"} {
		files, err := filepath.Glob(docsPath(t, pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no files, %v", pattern, err)
		}
		if out, err := exec.Command(built(t, "promtool"), append([]string{"test", "rules"}, files...)...).CombinedOutput(); err != nil {
			t.Errorf("promtool test rules %s: %v\n%s", pattern, err, out)
		}
	}
	for _, name := range []string{"alerts.yml", "recording-rules.yml"} {
		out, err := exec.Command(built(t, "promtool"), "check", "rules", "--lint=all", "--lint-fatal", docsPath(t, filepath.Join("alerts", name))).CombinedOutput()
		if err != nil {
			t.Errorf("promtool check rules %s: %v\n%s", name, err, out)
		}
	}
}

// mutant is a rule that was broken in one place.
type mutant struct {
	Name string `json:"name"`
	What string `json:"what"`
	Expr string `json:"expr"`
}

// TestBrokenRulesAreNoticed breaks every rule in every place that matters: a threshold, an aggregation, a rate, a
// guard, a label. Each time a unit test of the rule has to fail.
func TestBrokenRulesAreNoticed(t *testing.T) {
	rules := docsRules(t)
	files := docsRuleTests(t)
	byKey := make(map[string]rule)
	exprs := make(map[string]string)
	tests := make(map[string][]map[string]any)
	windows := make(map[string]bool)
	for _, r := range rules {
		byKey[r.key()] = r
		// Of recording rules that differ in their window alone one is enough.
		if same := window.ReplaceAllString(r.expr(), "[]"); r.body["alert"] != nil || !windows[same] {
			windows[same] = true
			exprs[r.key()] = r.expr()
		}
		if tests[r.key()] = r.about(files); len(tests[r.key()]) == 0 {
			t.Errorf("%s has no test", r.key())
		}
	}
	var broken []mutant
	askMutants(t, exprs, &broken)
	if len(broken) < 8*len(exprs) {
		t.Fatalf("%d mutants of %d rules: they are hardly broken at all", len(broken), len(exprs))
	}

	equivalent := equivalentRules(t)
	for expr := range equivalent {
		if !slices.ContainsFunc(broken, func(m mutant) bool { return m.Expr == expr }) {
			t.Errorf("no rule is broken into this any more, which is said to mean the same:\n\t%s", expr)
		}
	}

	type attempt struct {
		mutant
		rules []rule
	}
	var attempts []attempt
	for _, r := range rules { // as they are, they pass: else a failure would say nothing
		attempts = append(attempts, attempt{mutant{Name: r.key()}, related(rules, r)})
	}
	for _, m := range broken {
		changed := slices.Clone(related(rules, byKey[m.Name]))
		for i, r := range changed {
			if r.key() == m.Name {
				changed[i] = r.with(m.Expr)
			}
		}
		attempts = append(attempts, attempt{m, changed})
	}

	work := make(chan attempt)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for a := range work {
				failure := runRuleTests(t, tests[a.Name], a.rules)
				switch {
				case a.What == "" && failure != "":
					t.Errorf("%s does not pass its tests alone: %s", a.Name, failure)
				case a.What != "" && failure == "" && !equivalent[a.Expr]:
					t.Errorf("%s, broken, passes its tests: %s\n\t%s", a.Name, a.What, a.Expr)
				}
			}
		})
	}
	for _, a := range attempts {
		work <- a
	}
	close(work)
	wg.Wait()
}

var window = regexp.MustCompile(`\[\d+[smhdw]\]`)

// equivalentRules are the broken expressions that mean the same as their rule. One that no mutant has any more fails
// the test.
func equivalentRules(t *testing.T) map[string]bool {
	t.Helper()
	var all []struct{ Expr string }
	readYAML(t, "testdata/equivalent_rules.yml", &all)
	same := make(map[string]bool)
	for _, e := range all {
		same[e.Expr] = true
	}
	return same
}

func askMutants(t *testing.T, exprs map[string]string, broken *[]mutant) {
	t.Helper()
	in, err := json.Marshal(exprs)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(built(t, "mutants"))
	cmd.Stdin = bytes.NewReader(in)
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, broken)
	}
	if err != nil {
		t.Fatalf("mutants: %v", err)
	}
}

// related are a rule and what it asks for.
func related(rules []rule, one rule) (some []rule) {
	for _, r := range rules {
		if r.key() == one.key() || strings.Contains(one.expr(), r.name()) {
			some = append(some, r)
		}
	}
	return some
}

// runRuleTests runs tests with these rules until one fails.
func runRuleTests(t *testing.T, tests []map[string]any, rules []rule) (failure string) {
	dir := t.TempDir()
	writeRules(t, filepath.Join(dir, "rules.yml"), rules)
	for i, test := range tests {
		path := filepath.Join(dir, fmt.Sprintf("test-%d.yml", i))
		writeYAML(t, path, test)
		if out, err := exec.Command(built(t, "promtool"), "test", "rules", path).CombinedOutput(); err != nil {
			return fmt.Sprintf("%v\n%s", err, out)
		}
	}
	return ""
}
