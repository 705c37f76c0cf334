package dashboards

import "fmt"

// columns is the width of Grafana's grid.
const columns = 24

// row is a heading and its panels, one for each concern. With repeat it is shown once for each value of a variable.
type row struct {
	title  string
	repeat string
	panels []*panel
}

// newDashboard fills in what all dashboards share.
func newDashboard(page string, t text, variables []variable, alerts string, rows ...row) dashboard {
	return dashboard{
		UID:           tag + "-" + page,
		Title:         t.title,
		Description:   t.description,
		Tags:          []string{tag, "opentelemetry", "video"},
		GraphTooltip:  1,
		SchemaVersion: 42,
		Refresh:       "1m",
		Time:          timeRange{From: "now-6h", To: "now"},
		Timezone:      "browser",
		Links: []link{{
			Title: "stagemeter", Type: "dashboards", Tags: []string{tag}, Icon: "external link",
			IncludeVars: true, KeepTime: true, Tooltip: "The other dashboards, for the same programs and time",
		}},
		Annotations: annotations{[]annotation{{
			Name: "Alerts", Datasource: prometheusSource, Enable: true, IconColor: "red",
			Target:      annotationTarget{RefID: "Anno", Expr: alerts},
			TitleFormat: "{{alertname}}", TextFormat: "{{job}} {{instance}}", TagKeys: "alertname",
		}}},
		Templating: templating{variables},
		rows:       rows,
	}
}

// layOut gives every panel its number and its place: from left to right, in lines that fill the width and whose
// panels are equally high. A panel that repeats beside itself needs the whole width.
func (d *dashboard) layOut() error {
	id, y := 0, 0
	for _, r := range d.rows {
		id++
		d.Panels = append(d.Panels, &heading{
			ID: id, Type: "row", Title: r.title, Repeat: r.repeat,
			GridPos: gridPos{H: 1, W: columns, Y: y}, Panels: []*panel{},
		})
		y++
		x, height := 0, 0
		for _, p := range r.panels {
			id++
			p.ID = id
			if x > 0 && p.GridPos.H != height {
				return fmt.Errorf("panel %q is not as high as the one beside it", p.Title)
			}
			p.GridPos.X, p.GridPos.Y, height = x, y, p.GridPos.H
			x += p.GridPos.W
			switch {
			case x > columns:
				return fmt.Errorf("panel %q does not fit into its line", p.Title)
			case x == columns:
				x, y = 0, y+height
			}
			d.Panels = append(d.Panels, p)
		}
		if x > 0 {
			return fmt.Errorf("the last line of row %q is not full", r.title)
		}
	}
	return nil
}
