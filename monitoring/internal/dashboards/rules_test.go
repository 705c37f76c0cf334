package dashboards

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// rule is one that the field's dashboard-linter has, under its name, or one of our own. What it finds is a problem.
type rule struct {
	name  string
	check func(*page) []string
	spoil func(*page) // makes a page that keeps the rule break it
}

// when is a rule of one condition on the page.
func when(bad bool, problem string) []string {
	if bad {
		return []string{problem}
	}
	return nil
}

// spoilExpr puts a bad query into a graph over time.
func spoilExpr(expr string) func(*page) {
	return func(p *page) {
		t := &p.shown()[0].Targets[0]
		t.Expr, t.Instant, t.Range = expr, false, true
	}
}

var pageRules = []rule{
	{
		"template-datasource-rule",
		func(p *page) []string {
			v := p.variable("datasource")
			ok := v.Type == "datasource" && v.Query == "prometheus" && v.Label == "Data source"
			return when(!ok, "no variable datasource")
		},
		func(p *page) { p.variable("datasource").Query = "loki" },
	},
	{
		"template-job-rule",
		func(p *page) []string { return chooses(p.variable("job"), "Job") },
		func(p *page) { p.variable("job").Multi = false },
	},
	{
		"template-instance-rule",
		func(p *page) []string { return chooses(p.variable("instance"), "Instance") },
		func(p *page) { p.variable("instance").AllValue = "" },
	},
	{
		"template-label-promql-rule",
		func(p *page) (found []string) {
			query := regexp.MustCompile(`^label_values\((\S.*), [a-z_]+\)$`)
			for _, v := range p.Templating.List {
				q, _ := v.Query.(map[string]any)
				if text, _ := q["query"].(string); v.Type == "query" && !query.MatchString(text) {
					found = append(found, v.Name+": "+text)
				}
			}
			return found
		},
		func(p *page) { p.variable("job").Query = map[string]any{"query": "label_values(job)"} },
	},
	{
		"template-on-time-change-reload-rule",
		func(p *page) []string {
			still := func(v pageVariable) bool { return v.Type == "query" && v.Refresh != 2 }
			return when(slices.ContainsFunc(p.Templating.List, still), "a variable does not follow the time range")
		},
		func(p *page) { p.variable("instance").Refresh = 1 },
	},
	{
		"uneditable-dashboard",
		func(p *page) []string { return when(p.Editable == nil || *p.Editable, "editable") },
		func(p *page) { p.Editable = nil },
	},
	{
		"uid is stable and can be in an address",
		func(p *page) []string {
			return when(!regexp.MustCompile(`^stagemeter-(overview|stages|cost|paid|telemetry)$`).MatchString(p.UID), p.UID)
		},
		func(p *page) { p.UID = "stagemeter-Overview" },
	},
	{
		"tags, title, description, crosshair, schema",
		func(p *page) []string {
			named := slices.Contains(p.Tags, tag) && p.Title != "" && p.Description != ""
			return when(!named || p.GraphTooltip != 1 || p.SchemaVersion != 42, "something is missing")
		},
		func(p *page) { p.GraphTooltip = 0 },
	},
	{
		"links to the other dashboards",
		func(p *page) []string {
			return when(len(p.Links) != 1 || p.Links[0].Type != "dashboards" || !slices.Equal(p.Links[0].Tags, []string{tag}) ||
				!p.Links[0].IncludeVars || !p.Links[0].KeepTime, "no links")
		},
		func(p *page) { p.Links[0].KeepTime = false },
	},
	{
		"annotation of firing alerts",
		func(p *page) []string {
			return when(len(p.Annotations.List) != 1 || !p.Annotations.List[0].Enable ||
				!strings.HasPrefix(p.Annotations.List[0].Target.Expr, `ALERTS{alertstate="firing", job=~"$job"}`), "no ALERTS")
		},
		func(p *page) { p.Annotations.List[0].Target.Expr = "ALERTS" },
	},
	{
		"panels fill the grid and do not overlap",
		func(p *page) (found []string) {
			taken, bottom := make(map[[2]int]int), 0
			for _, panel := range p.Panels {
				g := panel.GridPos
				bottom = max(bottom, g.Y+g.H)
				for cell := range g.W * g.H {
					taken[[2]int{g.X + cell%g.W, g.Y + cell/g.W}]++
				}
			}
			for cell, n := range taken {
				if n > 1 || cell[0] >= columns {
					found = append(found, fmt.Sprint("overlap or edge at ", cell))
				}
			}
			return append(found, when(len(taken) != bottom*columns, "a hole")...)
		},
		func(p *page) { p.Panels[2].GridPos.X++ },
	},
	{
		"ids are unique",
		func(p *page) []string {
			seen := make(map[int]bool)
			for _, panel := range p.Panels {
				seen[panel.ID] = true
			}
			return when(len(seen) != len(p.Panels) || seen[0], "an id twice, or 0")
		},
		func(p *page) { p.Panels[1].ID = p.Panels[0].ID },
	},
	{
		"rows first",
		func(p *page) []string {
			return when(len(p.Panels) == 0 || p.Panels[0].Type != "row", "a panel outside of rows")
		},
		func(p *page) { p.Panels = p.Panels[1:] },
	},
}

// chooses checks a variable whose values are a label's.
func chooses(v *pageVariable, label string) []string {
	ok := v.Type == "query" && v.Label == label && v.Multi && v.IncludeAll && v.AllValue == ".+" &&
		v.Datasource != nil && *v.Datasource == prometheusSource
	return when(!ok, "no multi-select with allValue .+")
}
