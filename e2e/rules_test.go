package e2e

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"os"
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
	t.Parallel()
	for _, pattern := range []string{"alerts/tests/*.yml", "alerts/tests/old-rules/*test*.yml"} {
		files, err := filepath.Glob(docsPath(t, pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no files, %v", pattern, err)
		}
		for _, file := range files {
			t.Run(filepath.Base(file), func(t *testing.T) {
				t.Parallel()
				if out, err := exec.Command(built(t, "promtool"), "test", "rules", file).CombinedOutput(); err != nil {
					t.Errorf("promtool test rules %s: %v\n%s", file, err, out)
				}
			})
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
	t.Parallel()
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

	dir := t.TempDir()
	tested := make(map[string][]string) // the files of tests, by rule
	for key, some := range tests {
		for i, test := range some {
			path := filepath.Join(dir, fmt.Sprintf("test-%d-%d.yml", len(tested), i))
			writeYAML(t, path, test)
			tested[key] = append(tested[key], path)
		}
	}
	var attempts []*attempt
	try := func(m mutant, some []rule) {
		a := &attempt{mutant: m, dir: filepath.Join(dir, fmt.Sprint(len(attempts)))}
		if err := os.Mkdir(a.dir, 0o700); err != nil {
			t.Fatal(err)
		}
		writeRules(t, filepath.Join(a.dir, "rules.yml"), some)
		for _, path := range tested[m.Name] { // a test file names its rules as a file beside it
			link := filepath.Join(a.dir, filepath.Base(path))
			if err := os.Symlink(path, link); err != nil {
				t.Fatal(err)
			}
			a.tests = append(a.tests, link)
		}
		attempts = append(attempts, a)
	}
	for _, r := range rules { // unbroken, they pass: otherwise a failure would mean nothing
		try(mutant{Name: r.key()}, related(rules, r))
	}
	for _, m := range broken {
		changed := slices.Clone(related(rules, byKey[m.Name]))
		for i, r := range changed {
			if r.key() == m.Name {
				changed[i] = r.with(m.Expr)
			}
		}
		try(m, changed)
	}
	runAttempts(t, attempts)
	for _, a := range attempts {
		switch {
		case a.What == "" && a.failure != "":
			t.Errorf("%s does not pass its tests alone: %s", a.Name, a.failure)
		case a.What != "" && a.failure == "" && !equivalent[a.Expr]:
			t.Errorf("%s, broken, passes its tests: %s\n\t%s", a.Name, a.What, a.Expr)
		}
	}
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

// An attempt runs the tests of one rule, broken or not, until one fails.
type attempt struct {
	mutant
	dir     string   // of the rules
	tests   []string // files that are still to pass
	failure string   // of the first test that failed, or ""
}

// runAttempts runs the attempts on every processor, many in one process.
func runAttempts(t *testing.T, attempts []*attempt) {
	t.Helper()
	promtool := built(t, "promtool")
	const most = 20 // attempts of one process
	for round := attempts; len(round) > 0; {
		size := min(most, 1+len(round)/(4*runtime.GOMAXPROCS(0)))
		work := make(chan []*attempt)
		var wg sync.WaitGroup
		for range runtime.GOMAXPROCS(0) {
			wg.Go(func() {
				for some := range work {
					if err := runNextTests(t, promtool, some); err != nil {
						t.Error(err)
					}
				}
			})
		}
		for some := range slices.Chunk(round, size) {
			work <- some
		}
		close(work)
		wg.Wait()
		if t.Failed() {
			return
		}
		var left []*attempt
		for _, a := range round {
			if a.failure == "" && len(a.tests) > 0 {
				left = append(left, a)
			}
		}
		round = left
	}
}

// runNextTests runs the next test of each attempt, all in one process.
func runNextTests(t *testing.T, promtool string, attempts []*attempt) error {
	results := filepath.Join(attempts[0].dir, "results.xml")
	args := []string{"test", "--junit", results, "rules"}
	for _, a := range attempts {
		args = append(args, a.tests[0])
	}
	cmd := exec.CommandContext(t.Context(), promtool, args...)
	cmd.Env = append(os.Environ(), "GOGC=400") // there is memory enough, and the collector takes an eighth of the time
	out, runErr := cmd.CombinedOutput()
	var exit *exec.ExitError
	if runErr != nil && !errors.As(runErr, &exit) {
		return runErr
	}
	text, err := os.ReadFile(results)
	if err != nil {
		return fmt.Errorf("promtool: %w (%v)\n%s", err, runErr, out)
	}
	var suites struct {
		Suite []struct {
			Name string `xml:"name,attr"`
			Case []struct {
				Failure []string `xml:"failure"`
				Error   string   `xml:"error"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(text, &suites); err != nil {
		return fmt.Errorf("promtool: %w (%v)\n%s", err, runErr, out)
	}
	if len(suites.Suite) != len(attempts) {
		return fmt.Errorf("promtool: results of %d tests, want %d (%v)\n%s", len(suites.Suite), len(attempts), runErr, out)
	}
	failures := 0
	for i, a := range attempts {
		suite := suites.Suite[i]
		if suite.Name != a.tests[0] || len(suite.Case) == 0 {
			return fmt.Errorf("promtool: %d results of %s, want those of %s", len(suite.Case), suite.Name, a.tests[0])
		}
		for _, c := range suite.Case {
			a.failure += strings.Join(append(c.Failure, c.Error), "\n")
			if len(c.Failure) > 0 || c.Error != "" {
				failures++
			}
		}
		a.tests = a.tests[1:]
	}
	if (failures > 0) != (runErr != nil) {
		return fmt.Errorf("promtool: %d failures, and exit status %v\n%s", failures, runErr, out)
	}
	return nil
}
