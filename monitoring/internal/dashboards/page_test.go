package dashboards

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// page is a file of docs/dashboards as the rules read it.
type page struct {
	UID           string
	Title         string
	Description   string
	Tags          []string
	Editable      *bool
	GraphTooltip  int
	SchemaVersion int
	Links         []link
	Annotations   struct{ List []annotation }
	Templating    struct{ List []pageVariable }
	Panels        []pagePanel
}

type pageVariable struct {
	Name, Label, Type, AllValue string
	Datasource                  *source
	Query                       any // a string, or an object with a query
	Refresh                     int
	Multi, IncludeAll           bool
}

type pagePanel struct {
	ID                       int
	Type, Title, Description string
	Repeat                   string
	GridPos                  gridPos
	Datasource               source
	FieldConfig              struct{ Defaults field }
	Targets                  []target
}

// readPages reads the files anew, for a test that breaks them.
func readPages(t *testing.T) map[string]*page {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatal("no dashboards: ", err)
	}
	pages := make(map[string]*page)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		p := new(page)
		if err := json.Unmarshal(text, p); err != nil {
			t.Fatal(err)
		}
		pages[filepath.Base(path)] = p
	}
	return pages
}

// shown are the panels that show something: all but the headings of rows.
func (p *page) shown() []*pagePanel {
	var panels []*pagePanel
	for i := range p.Panels {
		if p.Panels[i].Type != "row" {
			panels = append(panels, &p.Panels[i])
		}
	}
	return panels
}

// eachTarget calls check with every query of every panel, and gathers what it finds.
func (p *page) eachTarget(check func(*pagePanel, target) string) []string {
	var found []string
	for _, panel := range p.shown() {
		for _, t := range panel.Targets {
			if problem := check(panel, t); problem != "" {
				found = append(found, panel.Title+": "+problem+": "+t.Expr)
			}
		}
	}
	return found
}

// variable returns the variable with a name, or an empty one.
func (p *page) variable(name string) *pageVariable {
	for i := range p.Templating.List {
		if p.Templating.List[i].Name == name {
			return &p.Templating.List[i]
		}
	}
	return new(pageVariable)
}

// selectors splits off the selectors of an expression: what they are, what stands before each, and its range.
var selectors = regexp.MustCompile(`([a-z_]*\()?([A-Za-z0-9_]*)(\{[^}]*\})(\[[^\]]*\])?`)

// inOrder are the pages by name.
func inOrder(pages map[string]*page) []string { return slices.Sorted(maps.Keys(pages)) }
