package main

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"go/format"
	"slices"
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

// goFiles returns the generated Go files: names and values in package semconv,
// descriptions in package registry, and in package instruments the constructors
// for each file of the registry and the set of all that a pipeline records.
func goFiles(reg *registry) ([]file, error) {
	var files []file
	var errs []error
	add := func(name, template string, data any) {
		if _, taken := contents(files, name); taken {
			errs = append(errs, fmt.Errorf("%s would be generated twice: rename the registry's file", name))
			return
		}
		var b bytes.Buffer
		if err := templates.ExecuteTemplate(&b, template, data); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
			return
		}
		code, err := format.Source(b.Bytes())
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
		files = append(files, file{name: name, data: code})
	}
	add(semconvDir+"/attributes_gen.go", "attributes.go.tmpl", reg)
	add(semconvDir+"/names_gen.go", "names.go.tmpl", reg)
	add(registryGoDir+"/metrics_gen.go", "registry.go.tmpl", reg)
	add(instrumentsDir+"/buckets_gen.go", "buckets.go.tmpl", reg)
	add(instrumentsDir+"/constructors_gen_test.go", "constructors.go.tmpl", reg)
	add(instrumentsDir+"/set_gen.go", "set.go.tmpl", reg)
	for _, c := range reg.Chapters() {
		add(instrumentsDir+"/"+strings.TrimSuffix(c.File, ".yaml")+generatedSuffix, "instruments.go.tmpl", c)
	}
	return files, errors.Join(errs...)
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

// Kind is the registry.Kind of m.
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

// HasWith reports whether the type of m gets a With method. That of an
// observable cannot: it is an alias.
func (m *metric) HasWith() bool { return !m.Async && len(m.Required()) > 0 }

// HasWith reports whether the type of some metric gets a With method.
func (c chapter) HasWith() bool {
	for _, m := range c.Metrics {
		if m.HasWith() {
			return true
		}
	}
	return false
}

// Zeroes reports whether the series of m are known before anything happens: m is
// a counter, and each of its required attributes has a closed set of values.
func (m *metric) Zeroes() bool {
	open := func(a metricAttr) bool { return len(a.Values) == 0 }
	return m.Instrument == "counter" && !m.Async && !slices.ContainsFunc(m.Required(), open)
}

// ZeroesClosed reports whether a metric of the pipeline has both: series that are
// known before anything happens, and attributes.
func (r *registry) ZeroesClosed() bool {
	return slices.ContainsFunc(r.OfPipeline(), func(m *metric) bool { return m.Zeroes() && m.HasWith() })
}

// Params are the parameters of a function that takes all required attributes.
func (m *metric) Params() string {
	var params []string
	for _, a := range m.Required() {
		goType := "string"
		if a.GoType != "" {
			goType = "semconv." + a.GoType
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
	return fmt.Sprintf("semconv.Attr%s.String(%s)", a.GoName, goParam(a.Key))
}

// comment wraps text into // lines.
func comment(text string) string {
	const width = 97
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
