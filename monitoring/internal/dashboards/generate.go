package dashboards

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stagemeter/stagemeter/internal/registry"
)

// tag is on every dashboard; the links between them go by it.
const tag = "stagemeter"

// pages are the dashboards, by the names of their files.
var pages = map[string]func() dashboard{
	"overview.json":  overview,
	"stages.json":    stages,
	"cost.json":      cost,
	"telemetry.json": telemetry,
}

// Generate returns the files of docs/dashboards by their names, always the same bytes. It fails if a query names what
// the registry does not have, if a metric of the registry is in no panel, or if a row does not fill its width.
func Generate() (map[string][]byte, error) {
	return generate(registry.Metrics(), pages)
}

func generate(registry []registry.Metric, pages map[string]func() dashboard) (map[string][]byte, error) {
	names := newCatalog(registry)
	shown := make(map[string]bool)
	files := make(map[string][]byte)
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		d := pages[name]()
		used, err := names.expandAll(&d)
		if err == nil {
			err = d.layOut()
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
			continue
		}
		for _, metric := range used {
			shown[metric] = true
		}
		if files[name], err = encode(d); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for _, m := range registry {
		if !shown[strings.TrimPrefix(m.Name, namespace)] {
			errs = append(errs, fmt.Errorf("%s is in no panel", m.Name))
		}
	}
	return files, errors.Join(errs...)
}

// expandAll puts names and matchers into every query, and returns the metrics of the panels.
func (c catalog) expandAll(d *dashboard) ([]string, error) {
	var used []string
	var errs []error
	for _, r := range d.rows {
		for _, p := range r.panels {
			for i := range p.Targets {
				t := &p.Targets[i]
				expr, names, err := c.expand(t.Expr, t.LegendFormat)
				if err != nil {
					errs = append(errs, fmt.Errorf("panel %q: %w", p.Title, err))
				}
				t.Expr = expr
				used = append(used, names...)
			}
		}
	}
	for i := range d.Annotations.List {
		a := &d.Annotations.List[i]
		expr, _, err := c.expand(a.Target.Expr, a.TitleFormat+a.TextFormat)
		if err != nil {
			errs = append(errs, fmt.Errorf("annotation %q: %w", a.Name, err))
		}
		a.Target.Expr = expr
	}
	for i := range d.Templating.List {
		v := &d.Templating.List[i]
		if v.expr == "" {
			continue
		}
		expr, _, err := c.expand(v.expr, "{{"+v.Name+"}}")
		if err != nil {
			errs = append(errs, fmt.Errorf("variable %q: %w", v.Name, err))
		}
		v.Query = variableQuery{expr, "StandardVariableQuery"}
	}
	return used, errors.Join(errs...)
}

// encode writes a dashboard as people would read it.
func encode(d dashboard) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // > is a comparison here
	e.SetIndent("", "  ")
	err := e.Encode(d)
	return b.Bytes(), err
}
