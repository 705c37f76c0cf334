package livepage

import (
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/net/html"
)

// A report needs no other file, and its policy allows just the style and the script that are in it.
func TestReportIsOneFile(t *testing.T) {
	d := mustReport(t, snapshotOf(everything()))
	scripts, styles := d.all("script"), d.all("style")
	if len(scripts) != 2 || len(styles) != 1 || attr(scripts[0], "type") != "application/json" || attr(scripts[1], "type") != "module" {
		t.Fatalf("%d scripts and %d styles, want the data, one module and one style", len(scripts), len(styles))
	}
	script, style := inside(t, scripts[1:]), inside(t, styles)
	want := "default-src 'none'; script-src " + hashOf(script) + "; style-src " + hashOf(style) + "; img-src data:; base-uri 'none'; " +
		"form-action 'none'; require-trusted-types-for 'script'; trusted-types lit-html"
	head := d.all("head")[0]
	var first []*html.Node
	for n := range head.ChildNodes() {
		if n.Type == html.ElementNode {
			first = append(first, n)
		}
	}
	if attr(first[0], "charset") != "utf-8" || attr(first[1], "http-equiv") != "Content-Security-Policy" || attr(first[1], "content") != want {
		t.Errorf("the head begins with %v and %v, want the charset and the policy %s", first[0].Attr, first[1].Attr, want)
	}
	for _, n := range d.elements {
		for _, a := range n.Attr {
			switch {
			case a.Key == "src" || a.Key == "style" || a.Key == "srcset" || strings.HasPrefix(a.Key, "on"):
				t.Errorf("<%s> has %s=%q", n.Data, a.Key, a.Val)
			case a.Key == "href" && !strings.HasPrefix(a.Val, "#") && !strings.HasPrefix(a.Val, "data:"):
				t.Errorf("<%s> leads to %s", n.Data, a.Val)
			}
		}
	}
	if found := regexp.MustCompile(`(?m)^\s*(import|export)\b|\bimport\s*\(|sourceMappingURL|@import|url\(|\bfetch\(|EventSource|XMLHttpRequest|sendBeacon|\beval\(`).FindString(script + style); found != "" {
		t.Errorf("the script or the style has %q", found)
	}
	for _, words := range []string{"Redistribution and use in source and binary forms", "Copyright (c) 2017 Google LLC"} {
		if !strings.Contains(script, words) {
			t.Errorf("the license of lit-html is without %q", words)
		}
	}
}

// pageCopy returns the files of a report, some of them changed.
func pageCopy(t *testing.T, change map[string]string) fs.FS {
	t.Helper()
	files := fstest.MapFS{}
	page, err := fs.Sub(pageFiles, "page")
	if err != nil {
		t.Fatal(err)
	}
	err = fs.WalkDir(page, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(page, name)
		files[name] = &fstest.MapFile{Data: text}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range change {
		files[name] = &fstest.MapFile{Data: []byte(text)}
		if text == "" {
			delete(files, name)
		}
	}
	return files
}

// A bundle that would be broken is an error.
func TestBundleErrors(t *testing.T) {
	for name, text := range map[string]string{
		"report.js":            "const x = '</ScRipt>';",
		"report-run.js":        "export const runOf = '<!-- ';\nexport const unfolded = 1;",
		"style.css":            "a::after { content: '</style>' }",
		"report.css":           "",
		"report.html":          "{{",
		"lib/lit-html/LICENSE": "",
		"report-board.js":      "",
	} {
		if b, err := bundleOf(pageCopy(t, map[string]string{name: text})); err == nil {
			t.Errorf("%s: a bundle of %d bytes, want an error", name, len(b.script))
		}
	}
}

// Sources with line ends of Windows make the script and the style that the policy allows: a browser reads those line ends
// as others.
func TestBundleOfWindowsSources(t *testing.T) {
	change := make(map[string]string)
	for _, name := range slices.Sorted(maps.Keys(pageCopy(t, nil).(fstest.MapFS))) {
		text, err := os.ReadFile("page/" + name)
		if err != nil {
			t.Fatal(err)
		}
		change[name] = strings.ReplaceAll(string(text), "\n", "\r\n")
	}
	got, err := bundleOf(pageCopy(t, change))
	if err != nil {
		t.Fatal(err)
	}
	want, err := reportParts()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(got.script+got.style, "\r") || got.policy != want.policy {
		t.Error("another script or style")
	}
}
