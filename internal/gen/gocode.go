package main

import (
	"bytes"
	"embed"
	"fmt"
	"go/format"
	"strconv"
	"strings"
	"text/template"
)

//go:embed templates/*.tmpl
var templateFS embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"anchor":  anchor,
	"cell":    cell,
	"codes":   codes,
	"comment": comment,
	"floats":  floats,
	"join":    func(values []string) string { return strings.Join(values, ", ") },
	"param":   goParam,
	"quote":   strconv.Quote,
	"quotes":  quotes,
}).ParseFS(templateFS, "templates/*.tmpl"))

// goFiles returns the generated files of package semconv: the attributes, the
// list of all metrics, and for each file of the registry its instruments.
func goFiles(reg *registry) ([]file, error) {
	var files []file
	add := func(name, template string, data any) error {
		var b bytes.Buffer
		if err := templates.ExecuteTemplate(&b, template, data); err != nil {
			return err
		}
		code, err := format.Source(b.Bytes())
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		files = append(files, file{name: semconvDir + "/" + name, data: code})
		return nil
	}
	if err := add("attributes_gen.go", "attributes_gen.go.tmpl", reg); err != nil {
		return nil, err
	}
	for _, c := range reg.Chapters() {
		name := strings.TrimSuffix(c.File, ".yaml") + generatedSuffix
		if err := add(name, "instruments_gen.go.tmpl", c); err != nil {
			return nil, err
		}
	}
	if err := add("metrics_gen.go", "metrics_gen.go.tmpl", reg); err != nil {
		return nil, err
	}
	return files, nil
}

// Iface is the OTel API's instrument that m is made of.
func (m *metric) Iface() string {
	number := "Int64"
	if m.Double {
		number = "Float64"
	}
	if m.Async {
		number += "Observable"
	}
	return number + m.kind()
}

// Kind is the semconv.Kind of m.
func (m *metric) Kind() string { return "Kind" + m.kind() }

func (m *metric) kind() string {
	if m.Instrument == "updowncounter" {
		return "UpDownCounter"
	}
	return goName(m.Instrument)
}

// Title names the kind of m in prose.
func (m *metric) Title() string {
	title := strings.ReplaceAll(m.Instrument, "updown", "up-down ")
	if m.Async {
		title = "observable " + title
	}
	return title
}

// Required are the attributes that every measurement carries.
func (m *metric) Required() []metricAttr {
	var required []metricAttr
	for _, a := range m.Attrs {
		if !a.OptIn {
			required = append(required, a)
		}
	}
	return required
}

// HasWith tells whether the type of m gets a With method. That of an
// observable can't: it is an alias.
func (m *metric) HasWith() bool { return !m.Async && len(m.Required()) > 0 }

// HasWith tells whether the type of some metric gets a With method.
func (c chapter) HasWith() bool {
	for _, m := range c.Metrics {
		if m.HasWith() {
			return true
		}
	}
	return false
}

// Params are the parameters of a function that takes all required attributes.
func (m *metric) Params() string {
	var params []string
	for _, a := range m.Required() {
		goType := a.GoType
		if goType == "" {
			goType = "string"
		}
		params = append(params, goParam(a.Key)+" "+goType)
	}
	return strings.Join(params, ", ")
}

// KeyValue is the Go expression that makes an attribute of a parameter.
func (a metricAttr) KeyValue() string {
	if a.GoType != "" {
		return goParam(a.Key) + ".Attr()"
	}
	return fmt.Sprintf("Attr%s.String(%s)", a.GoName, goParam(a.Key))
}

// comment wraps text into // lines.
func comment(text string) string {
	const width = 77
	var b strings.Builder
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			b.WriteString("// " + line + "\n")
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	b.WriteString("// " + line)
	return b.String()
}

func floats(values []float64) string {
	var s []string
	for _, v := range values {
		s = append(s, strconv.FormatFloat(v, 'g', -1, 64))
	}
	return strings.Join(s, ", ")
}

func quotes(values []string) string {
	var s []string
	for _, v := range values {
		s = append(s, strconv.Quote(v))
	}
	return strings.Join(s, ", ")
}
