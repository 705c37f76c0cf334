package dashboards

import "strings"

// panel is one picture. Its methods change it and return it, for panels that are written in one expression.
type panel struct {
	ID              int              `json:"id"`
	Type            string           `json:"type"`
	Title           string           `json:"title"`
	Description     string           `json:"description"`
	GridPos         gridPos          `json:"gridPos"`
	Datasource      source           `json:"datasource"`
	Repeat          string           `json:"repeat,omitempty"`
	RepeatDirection string           `json:"repeatDirection,omitempty"`
	MaxPerRow       int              `json:"maxPerRow,omitempty"`
	TimeFrom        string           `json:"timeFrom,omitempty"`
	FieldConfig     fieldConfig      `json:"fieldConfig"`
	Options         any              `json:"options"`
	Targets         []target         `json:"targets"`
	Transformations []transformation `json:"transformations,omitempty"`
}

func (p *panel) place() *gridPos { return &p.GridPos }

// text is what a reader is told of a panel.
type text struct{ title, description string }

// query is an expression, in which metrics are named as reference describes, and what its series are called.
type query struct{ expr, legend string }

// target is a query as Grafana has it.
type target struct {
	RefID        string `json:"refId"`
	Datasource   source `json:"datasource"`
	Expr         string `json:"expr"`
	LegendFormat string `json:"legendFormat"`
	Format       string `json:"format"` // time_series, heatmap or table
	Instant      bool   `json:"instant"`
	Range        bool   `json:"range"`
	Exemplar     bool   `json:"exemplar"`
	EditorMode   string `json:"editorMode"`
}

type transformation struct {
	ID      string         `json:"id"`
	Options map[string]any `json:"options"`
}

type fieldConfig struct {
	Defaults  field      `json:"defaults"`
	Overrides []override `json:"overrides"`
}

type field struct {
	Unit       string      `json:"unit"`
	Decimals   *int        `json:"decimals,omitempty"`
	Min        *float64    `json:"min,omitempty"`
	Max        *float64    `json:"max,omitempty"`
	NoValue    string      `json:"noValue,omitempty"` // shown where there is no sample
	Color      *color      `json:"color,omitempty"`
	Thresholds *thresholds `json:"thresholds,omitempty"`
	Custom     any         `json:"custom,omitempty"`
}

type color struct {
	Mode string `json:"mode"`
}

type thresholds struct {
	Mode  string `json:"mode"`
	Steps []step `json:"steps"`
}

// step is the color from Value on; the first has no value.
type step struct {
	Color string   `json:"color"`
	Value *float64 `json:"value"`
}

// override holds for the fields that match.
type override struct {
	Matcher    matcher    `json:"matcher"`
	Properties []property `json:"properties"`
}

type matcher struct {
	ID      string `json:"id"`
	Options string `json:"options"`
}

type property struct {
	ID    string `json:"id"`
	Value any    `json:"value"`
}

// newPanel makes a panel with the size of a third of a row.
func newPanel(kind string, t text, unit, format string, instant bool, queries []query) *panel {
	p := &panel{
		Type:        kind,
		Title:       t.title,
		Description: t.description,
		GridPos:     gridPos{W: 8, H: 8},
		Datasource:  prometheusSource,
		FieldConfig: fieldConfig{Defaults: field{Unit: unit}, Overrides: []override{}},
	}
	for i, q := range queries {
		p.Targets = append(p.Targets, target{
			RefID:        string(rune('A' + i)),
			Datasource:   prometheusSource,
			Expr:         q.expr,
			LegendFormat: q.legend,
			Format:       format,
			Instant:      instant,
			Range:        !instant,
			Exemplar:     !instant && hasExemplars(q.expr),
			EditorMode:   "code",
		})
	}
	return p
}

// hasExemplars: counters and histograms of the registry carry the ids of traces; those of servers do not.
func hasExemplars(expr string) bool {
	counts := strings.Contains(expr, "rate(@") || strings.Contains(expr, "increase(@")
	return counts && !strings.Contains(expr, "@otelcol_") && !strings.Contains(expr, "@prometheus_")
}

// size sets the width in columns of 24, and the height.
func (p *panel) size(w, h int) *panel {
	p.GridPos.W, p.GridPos.H = w, h
	return p
}

// empty says what an empty panel means.
func (p *panel) empty(means string) *panel {
	p.FieldConfig.Defaults.NoValue = means
	return p
}

// bounds sets the ends of the scale; without them it follows the data.
func (p *panel) bounds(lo, hi float64) *panel {
	p.FieldConfig.Defaults.Min, p.FieldConfig.Defaults.Max = &lo, &hi
	return p
}

// from sets the lower end of the scale.
func (p *panel) from(lo float64) *panel {
	p.FieldConfig.Defaults.Min = &lo
	return p
}

func (p *panel) decimals(n int) *panel {
	p.FieldConfig.Defaults.Decimals = &n
	return p
}

// repeat shows the panel once for each value of a variable, three beside each other.
func (p *panel) repeat(variable string) *panel {
	p.Repeat, p.RepeatDirection, p.MaxPerRow = variable, "h", 3
	return p
}

// since overrides the dashboard's time range: "now/d" is the day so far.
func (p *panel) since(from string) *panel {
	p.TimeFrom = from
	return p
}

// limits colors values: base below the first limit, and the limit's color from it on.
func (p *panel) limits(base string, steps ...limit) *panel {
	t := &thresholds{Mode: "absolute", Steps: []step{{Color: base}}}
	for _, s := range steps {
		t.Steps = append(t.Steps, step{Color: s.color, Value: &s.from})
	}
	p.FieldConfig.Defaults.Thresholds = t
	if style, ok := p.FieldConfig.Defaults.Custom.(*graphStyle); ok {
		style.ThresholdsStyle = &mode{Mode: "dashed"} // a graph keeps its colors and draws a line
	} else {
		p.FieldConfig.Defaults.Color = &color{Mode: "thresholds"}
	}
	return p
}

type limit struct {
	from  float64
	color string
}

// override sets properties of the series, or the column, with a name.
func (p *panel) override(name string, properties ...property) *panel {
	return p.overrideWhere(matcher{"byName", name}, properties)
}

func (p *panel) overrideWhere(m matcher, properties []property) *panel {
	p.FieldConfig.Overrides = append(p.FieldConfig.Overrides, override{m, properties})
	return p
}
