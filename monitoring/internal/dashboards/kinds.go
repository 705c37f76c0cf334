package dashboards

// The kinds of panels, each with the options that the dashboards set. What is left out is Grafana's default.

type legend struct {
	Calcs       []string `json:"calcs"`
	DisplayMode string   `json:"displayMode"`
	Placement   string   `json:"placement"`
	ShowLegend  bool     `json:"showLegend"`
}

type tooltip struct {
	Mode string `json:"mode"`
	Sort string `json:"sort"`
}

type graphOptions struct {
	Legend  legend  `json:"legend"`
	Tooltip tooltip `json:"tooltip"`
}

// graphStyle is how the lines of a graph are drawn.
type graphStyle struct {
	DrawStyle         string    `json:"drawStyle"`
	LineInterpolation string    `json:"lineInterpolation"`
	LineWidth         int       `json:"lineWidth"`
	FillOpacity       int       `json:"fillOpacity"`
	ShowPoints        string    `json:"showPoints"`
	SpanNulls         bool      `json:"spanNulls"`
	Stacking          *stacking `json:"stacking,omitempty"`
	ThresholdsStyle   *mode     `json:"thresholdsStyle,omitempty"`
}

type stacking struct {
	Group string `json:"group"`
	Mode  string `json:"mode"`
}

type mode struct {
	Mode string `json:"mode"`
}

// graph shows values over time.
func graph(t text, unit string, queries ...query) *panel {
	p := newPanel("timeseries", t, unit, "time_series", false, queries)
	p.FieldConfig.Defaults.Custom = &graphStyle{
		DrawStyle: "line", LineInterpolation: "linear", LineWidth: 1, FillOpacity: 10, ShowPoints: "auto",
	}
	p.Options = graphOptions{
		Legend: legend{
			Calcs: []string{"lastNotNull", "max"}, DisplayMode: "table", Placement: "bottom", ShowLegend: true,
		},
		Tooltip: tooltip{Mode: "multi", Sort: "desc"},
	}
	return p.from(0)
}

// stacked makes areas of a graph's lines, each on top of the one before: for what adds up to a whole.
func (p *panel) stacked() *panel {
	style := p.FieldConfig.Defaults.Custom.(*graphStyle)
	style.FillOpacity, style.Stacking = 40, &stacking{Group: "A", Mode: "normal"}
	return p
}

type reduce struct {
	Calcs  []string `json:"calcs"`
	Fields string   `json:"fields"`
	Values bool     `json:"values"`
}

// latest reduces to the one sample that an instant query gives.
var latest = reduce{Calcs: []string{"lastNotNull"}}

type statOptions struct {
	ColorMode     string `json:"colorMode"`
	GraphMode     string `json:"graphMode"`
	JustifyMode   string `json:"justifyMode"`
	Orientation   string `json:"orientation"`
	ReduceOptions reduce `json:"reduceOptions"`
	TextMode      string `json:"textMode"`
}

// plain is the color of a number that has no limits. Without it Grafana's own default would be red from 80 on.
const plain = "blue"

// stat shows one number.
func stat(t text, unit string, q query) *panel {
	p := newPanel("stat", t, unit, "time_series", true, []query{q})
	p.Options = statOptions{
		ColorMode: "value", GraphMode: "none", JustifyMode: "auto", Orientation: "auto",
		ReduceOptions: latest, TextMode: "auto",
	}
	return p.limits(plain)
}

type gaugeOptions struct {
	Orientation          string `json:"orientation"`
	ReduceOptions        reduce `json:"reduceOptions"`
	ShowThresholdLabels  bool   `json:"showThresholdLabels"`
	ShowThresholdMarkers bool   `json:"showThresholdMarkers"`
}

// gauge shows a number now, on a dial from 0 to the highest of all that it is given.
func gauge(t text, unit string, q query) *panel {
	p := newPanel("gauge", t, unit, "time_series", true, []query{q})
	p.Options = gaugeOptions{Orientation: "auto", ReduceOptions: latest, ShowThresholdMarkers: true}
	return p.limits(plain).from(0)
}

// peak asks for the whole time range: the dial then ends at the highest of that time. The query has to have a sample
// at its end, as the dial would otherwise show the last that there was.
func (p *panel) peak() *panel {
	for i := range p.Targets {
		p.Targets[i].Instant, p.Targets[i].Range = false, true
	}
	return p
}

type barOptions struct {
	DisplayMode   string `json:"displayMode"`
	NamePlacement string `json:"namePlacement"`
	Orientation   string `json:"orientation"`
	ReduceOptions reduce `json:"reduceOptions"`
	ShowUnfilled  bool   `json:"showUnfilled"`
	ValueMode     string `json:"valueMode"`
}

// distribution shows how many observations of the time range fell into each bucket, by its upper bound. Grafana
// makes counts of single buckets of the cumulative ones, for the format heatmap. It is at least 0 and whole.
func distribution(t text, histogram, matchers string) *panel {
	p := newPanel("bargauge", t, "short", "heatmap", true, []query{{
		byBound(grown("@"+histogram+":bucket"+matchers), "le"), "{{le}}",
	}})
	p.Options = barOptions{
		DisplayMode: "gradient", NamePlacement: "auto", Orientation: "vertical", ReduceOptions: latest,
		ShowUnfilled: true, ValueMode: "color",
	}
	p.FieldConfig.Defaults.Color = &color{Mode: "continuous-blues"}
	return p.from(0).decimals(0).empty("nothing measured in this time")
}

type heatmapOptions struct {
	Calculate  bool         `json:"calculate"` // false: the buckets come from the histogram
	CellGap    int          `json:"cellGap"`
	CellValues cellValues   `json:"cellValues"`
	Color      heatmapColor `json:"color"`
	Exemplars  exemplars    `json:"exemplars"`
	Legend     show         `json:"legend"`
	RowsFrame  rowsFrame    `json:"rowsFrame"`
	ShowValue  string       `json:"showValue"`
	Tooltip    heatTooltip  `json:"tooltip"`
	YAxis      yAxis        `json:"yAxis"`
}

type cellValues struct {
	Unit     string `json:"unit"`
	Decimals int    `json:"decimals"`
}

type heatmapColor struct {
	Mode     string  `json:"mode"`
	Scheme   string  `json:"scheme"`
	Fill     string  `json:"fill"`
	Scale    string  `json:"scale"`
	Exponent float64 `json:"exponent"`
	Steps    int     `json:"steps"`
	Reverse  bool    `json:"reverse"`
}

type exemplars struct {
	Color string `json:"color"`
}

type show struct {
	Show bool `json:"show"`
}

type rowsFrame struct {
	Layout string `json:"layout"`
}

type heatTooltip struct {
	Mode           string `json:"mode"`
	YHistogram     bool   `json:"yHistogram"`
	ShowColorScale bool   `json:"showColorScale"`
}

type yAxis struct {
	AxisPlacement string `json:"axisPlacement"`
	Unit          string `json:"unit"`
}

// heatmap shows over time how many observations fell into each bucket. The unit is that of what was observed.
func heatmap(t text, unit, histogram, matchers string) *panel {
	p := newPanel("heatmap", t, "short", "heatmap", false, []query{{
		byBound("increase(@"+histogram+":bucket"+matchers+"[$__rate_interval])", "le"), "{{le}}",
	}})
	p.Options = heatmapOptions{
		CellGap:    1,
		CellValues: cellValues{Unit: "short"},
		Color: heatmapColor{
			Mode: "scheme", Scheme: "Oranges", Fill: "dark-orange", Scale: "exponential", Exponent: 0.5, Steps: 64,
		},
		Exemplars: exemplars{Color: "rgba(255,0,255,0.7)"},
		Legend:    show{true},
		RowsFrame: rowsFrame{Layout: "auto"},
		ShowValue: "never",
		Tooltip:   heatTooltip{Mode: "single", YHistogram: true},
		YAxis:     yAxis{AxisPlacement: "left", Unit: unit},
	}
	return p
}

type tableOptions struct {
	CellHeight       string   `json:"cellHeight"`
	EnablePagination bool     `json:"enablePagination"`
	ShowHeader       bool     `json:"showHeader"`
	SortBy           []sortBy `json:"sortBy"`
}

type sortBy struct {
	DisplayName string `json:"displayName"`
	Desc        bool   `json:"desc"`
}

// table shows the labels and values of now, a row for each set of labels. The columns are given in their order, as
// pairs of Grafana's name and the reader's: "Value", or "Value #A" where there are several queries. The last column
// sorts, the largest first.
func table(t text, unit string, columns [][2]string, queries ...query) *panel {
	p := newPanel("table", t, unit, "table", true, queries)
	order, names := map[string]int{}, map[string]string{}
	for i, c := range columns {
		order[c[0]], names[c[0]] = i, c[1]
	}
	p.Options = tableOptions{
		CellHeight: "sm", EnablePagination: true, ShowHeader: true, SortBy: []sortBy{{columns[len(columns)-1][1], true}},
	}
	p.Transformations = []transformation{
		{"merge", map[string]any{}},
		{"organize", map[string]any{
			"excludeByName": map[string]bool{"Time": true}, "indexByName": order, "renameByName": names,
		}},
	}
	return p
}
