package figures

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func twoSections() []Section {
	a, b := Section{Name: "a"}, Section{Name: "b"}
	a.Ratio("time, to <x>", "case 1", 0.5, 0.7)
	a.Ratio("time, to <x>", "case 2", 0.9, 0.7)
	a.Ratio("time, to <x>", "not measured", 0, 0.7)
	b.Ratio("bytes, to y", "case 3", 0.001, 0.05)
	b.Absolute("allocations", "case 4", 3, 2, "")
	return []Section{a, b}
}

func TestGoalsAreShownByTheirWorstCase(t *testing.T) {
	kinds := Kinds(twoSections()...)
	if len(kinds) != 3 {
		t.Fatalf("there are %d kinds, want 3", len(kinds))
	}
	if k := kinds[0]; k.Worst.Case != "case 2" || k.Middle != 0.7 || k.Verdict() != "met in 1 of 2" {
		t.Errorf("the first kind is %+v, %s", k, k.Verdict())
	}
	if kinds[1].Verdict() != "met" || kinds[2].Verdict() != "missed" {
		t.Errorf("the others are %q and %q", kinds[1].Verdict(), kinds[2].Verdict())
	}
}

func TestChartIsXMLWithABarForEachRatio(t *testing.T) {
	var b bytes.Buffer
	if err := WriteChart(&b, twoSections()); err != nil {
		t.Fatal(err)
	}
	chart, bars := b.String(), 0
	for d := xml.NewDecoder(&b); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "rect" {
			bars++
		}
	}
	if bars != 2 {
		t.Errorf("there are %d bars, want 2: what is no ratio has none", bars)
	}
	for _, want := range []string{"time, to &lt;x&gt;", "0.7×, met in 1 of 2", "0.001×, met"} {
		if !strings.Contains(chart, want) {
			t.Errorf("%q is not in the chart", want)
		}
	}
}

func TestSpliceLeavesTheRestOfADocument(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.md")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("before\n" + begin + "old\n" + end + "after\n")
	for range 2 {
		if err := Splice(path, []byte("new\n")); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "before\n"+begin+"new\n"+end+"after\n" {
		t.Errorf("the document is %q, error %v", got, err)
	}
	write("no marks\n")
	if err := Splice(path, nil); err == nil {
		t.Error("a document without marks is taken")
	}
}

func TestFiguresHaveThreeDigits(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.123: "0.12", 0.7: "0.7", 3: "3", 1.234: "1.23", 45.67: "45.7", 1234.5: "1235"} {
		if got := Figure(v); got != want {
			t.Errorf("Figure(%v) is %q, want %q", v, got, want)
		}
	}
	for v, want := range map[float64]string{950: "950 ns", 12_340: "12.3 µs", 45_600_000: "45.6 ms", 12e9: "12 s"} {
		if got := Duration(v); got != want {
			t.Errorf("Duration(%v) is %q, want %q", v, got, want)
		}
	}
}
