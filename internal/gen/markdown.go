package main

import (
	"bytes"
	"strings"
)

// markdown returns the reference page of all metrics.
func markdown(reg *registry) (file, error) {
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, "metrics.md.tmpl", reg); err != nil {
		return file{}, err
	}
	return file{name: "docs/metrics.md", data: b.Bytes()}, nil
}

// Title is the heading of a chapter.
func (c chapter) Title() string { return goName(strings.TrimSuffix(c.File, ".yaml")) }

// KindCell names the kind of m.
func (m *metric) KindCell() string {
	kind := strings.ReplaceAll(m.Instrument, "updown", "up-down ")
	if m.Async {
		kind += ", observed"
	}
	return kind
}

// AttrsCell lists the attributes of m with the values that m takes.
func (m *metric) AttrsCell() string {
	var lines []string
	for _, a := range m.Attrs {
		line := "`" + a.Key + "`"
		if len(a.Values) > 0 {
			line += ": " + strings.Join(a.Values, ", ")
		}
		if len(a.Known) > 0 {
			line += ": " + strings.Join(a.Known, ", ") + " and others"
		}
		if a.OptIn {
			line += " (opt-in)"
		}
		if a.RefNote != "" {
			line += ": " + cell(a.RefNote)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "<br>")
}

// ValuesCell lists the values of a with their meaning or, if they are open,
// examples.
func (a *attr) ValuesCell() string {
	if len(a.Members) == 0 {
		return "open, as in " + codes(a.Examples)
	}
	var lines []string
	for _, m := range a.Members {
		lines = append(lines, "`"+m.Value+"`: "+cell(m.Brief))
	}
	return strings.Join(lines, "<br>")
}

// cell makes text safe inside a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// codes sets each value as code.
func codes(values []string) string {
	var s []string
	for _, v := range values {
		s = append(s, "`"+v+"`")
	}
	return strings.Join(s, ", ")
}

// anchor is the fragment that Markdown renderers give to a heading.
func anchor(heading string) string {
	return strings.ToLower(strings.ReplaceAll(heading, " ", "-"))
}
