package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
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
	for _, r := range rules {
		byKey[r.key()], exprs[r.key()] = r, r.expr()
	}
	var broken []mutant
	askMutants(t, exprs, &broken)
	if len(broken) < 5*len(rules) {
		t.Fatalf("%d mutants of %d rules: they are hardly broken at all", len(broken), len(rules))
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
				passed, out := runRuleTests(t, files, byKey[a.Name].name(), a.rules)
				switch {
				case a.What == "" && !passed:
					t.Errorf("%s does not pass its tests alone:\n%s", a.Name, out)
				case a.What != "" && passed && equivalent[a.Expr] == "":
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

// equivalent are the broken expressions that mean the same as the rule, with the reason.
var equivalent = map[string]string{}

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

// related are the rules that the tests of one need: those of its name, what they ask for, and what asks for it.
func related(rules []rule, one rule) (some []rule) {
	for _, r := range rules {
		asked := slices.ContainsFunc(rules, func(other rule) bool {
			return other.name() == one.name() && strings.Contains(other.expr(), r.name())
		})
		if r.name() == one.name() || asked {
			some = append(some, r)
		}
	}
	return some
}

// runRuleTests runs what the files test of a rule, with these rules.
func runRuleTests(t *testing.T, files []ruleTest, name string, rules []rule) (passed bool, out string) {
	dir := t.TempDir()
	writeRules(t, filepath.Join(dir, "rules.yml"), rules)
	args := []string{"test", "rules"}
	for i, f := range files {
		if about := f.about([]string{name}); about != nil {
			about["rule_files"] = []string{"rules.yml"}
			path := filepath.Join(dir, fmt.Sprintf("test-%d.yml", i))
			writeYAML(t, path, about)
			args = append(args, path)
		}
	}
	if len(args) == 2 {
		return true, "no test is about it"
	}
	text, err := exec.Command(built(t, "promtool"), args...).CombinedOutput()
	return err == nil, string(text)
}
