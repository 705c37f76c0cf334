package dashboards

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/stagemeter/stagemeter/internal/registry"
)

// tag is on every dashboard; the links between them go by it.
const tag = "stagemeter"

// pages are the dashboards, by the names of their files.
var pages = map[string]func() dashboard{
	"overview.json":  overview,
	"stages.json":    stages,
	"cost.json":      cost,
	"paid.json":      paid,
	"telemetry.json": telemetry,
}

// Generate returns the files of docs/dashboards by their names, always the same bytes. A metric of the registry that no
// panel shows gets default panels, in a row of their own. Generate fails if a query names what the registry does not
// have, or if a row does not fill its width.
func Generate() (map[string][]byte, error) {
	return generate(registry.Metrics(), pages)
}

func generate(metrics []registry.Metric, pages map[string]func() dashboard) (map[string][]byte, error) {
	names := newCatalog(metrics)
	shown := make(map[string]bool)
	drawn := make(map[string]*dashboard)
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		d := pages[name]()
		used, err := names.expandAll(&d)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
		for _, metric := range used {
			shown[metric] = true
		}
		drawn[name] = &d
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if other := otherMetrics(metrics, shown); len(other.panels) > 0 {
		if _, err := names.expandRow(other); err != nil {
			return nil, fmt.Errorf("%s: row %q: %w", otherPage, other.title, err)
		}
		drawn[otherPage].rows = append(drawn[otherPage].rows, other)
	}
	files := make(map[string][]byte)
	for _, name := range slices.Sorted(maps.Keys(drawn)) {
		d := drawn[name]
		err := d.layOut()
		if err == nil {
			files[name], err = encode(*d)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	return files, errors.Join(errs...)
}

// expandRow puts names and matchers into every query of a row, and returns the metrics of its panels.
func (c catalog) expandRow(r row) ([]string, error) {
	var used []string
	var errs []error
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
	return used, errors.Join(errs...)
}

// expandAll puts names and matchers into every query, and returns the metrics of the panels.
func (c catalog) expandAll(d *dashboard) ([]string, error) {
	var used []string
	var errs []error
	for _, r := range d.rows {
		names, err := c.expandRow(r)
		errs = append(errs, err)
		used = append(used, names...)
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
