package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whoever edits a rule or a number and forgets to generate is told here, not by an alert that stays silent.
func TestGeneratedFilesAreClean(t *testing.T) {
	if err := run([]string{"-root", "..", "-check"}, io.Discard); err != nil {
		t.Error(err)
	}
}

func TestRunWritesRulesWithOwnNumbers(t *testing.T) {
	dir := t.TempDir()
	settings := filepath.Join(dir, "my.yml")
	if err := os.WriteFile(settings, []byte("alerts: {HighAPICost: {threshold: 7}}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	rules := filepath.Join(dir, "rules")
	if err := run([]string{"-settings", settings, "-out", rules}, &out); err != nil {
		t.Fatal(err)
	}
	if want := "wrote alerts.yml\nwrote prometheusrule.yaml\nwrote recording-rules.yml\n"; out.String() != want {
		t.Errorf("it says %q, want %q", out.String(), want)
	}
	for _, name := range []string{"alerts.yml", "prometheusrule.yaml"} {
		data, err := os.ReadFile(filepath.Join(rules, name))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(data), "increase(video_processing_cost_usd_total[1h])) > 7\n") {
			t.Errorf("%s does not have the number", name)
		}
	}
	if err := run([]string{"-settings", settings, "-out", rules, "-check"}, io.Discard); err != nil {
		t.Errorf("check after a run: %v", err)
	}
	if err := os.Remove(filepath.Join(rules, "alerts.yml")); err != nil {
		t.Fatal(err)
	}
	err := run([]string{"-settings", settings, "-out", rules, "-check"}, io.Discard)
	if err == nil || err.Error() != "stale, run go run ./monitoring: alerts.yml" {
		t.Errorf("check says %v", err)
	}
}

func TestRunRefuses(t *testing.T) {
	dir := t.TempDir()
	wrong := filepath.Join(dir, "wrong.yml")
	if err := os.WriteFile(wrong, []byte("alerts: {HighAPICost: {threshold: -7}}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		reason string
		args   []string
		want   string
	}{
		{"an argument would be ignored", []string{"my.yml"}, `unexpected argument "my.yml"`},
		{"numbers for the repository's own files", []string{"-settings", wrong}, "-settings needs -out"},
		{"a wrong number",
			[]string{"-settings", wrong, "-out", dir}, `wrong.yml:` + "\n" + `line 1: alerts.HighAPICost.threshold: "-7"`},
		{"no such file", []string{"-settings", filepath.Join(dir, "none.yml"), "-out", dir}, "none.yml"},
		{"not in the repository", []string{"-root", dir}, "is not the root of the repository; elsewhere use -out"},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			if err := run(tt.args, io.Discard); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("run says %v, want %q", err, tt.want)
			}
		})
	}
}
