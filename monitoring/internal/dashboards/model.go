package dashboards

// The parts of Grafana's dashboard JSON (schema version 42) that the dashboards use. The field names are Grafana's;
// e2e/grafana holds them against its published types.

// dashboard is a whole file.
type dashboard struct {
	UID           string      `json:"uid"` // stable: links and bookmarks hold it
	Title         string      `json:"title"`
	Description   string      `json:"description"`
	Tags          []string    `json:"tags"`
	Editable      bool        `json:"editable"`
	GraphTooltip  int         `json:"graphTooltip"` // 1: one crosshair through all panels
	SchemaVersion int         `json:"schemaVersion"`
	Refresh       string      `json:"refresh"`
	Time          timeRange   `json:"time"`
	Timezone      string      `json:"timezone"`
	Links         []link      `json:"links"`
	Annotations   annotations `json:"annotations"`
	Templating    templating  `json:"templating"`
	Panels        []element   `json:"panels"`

	rows []row // what layOut makes Panels of
}

type timeRange struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// link leads to all dashboards with one of the tags, with the same variables and time.
type link struct {
	Title       string   `json:"title"`
	Type        string   `json:"type"`
	Tags        []string `json:"tags"`
	AsDropdown  bool     `json:"asDropdown"`
	Icon        string   `json:"icon"`
	IncludeVars bool     `json:"includeVars"`
	KeepTime    bool     `json:"keepTime"`
	TargetBlank bool     `json:"targetBlank"`
	Tooltip     string   `json:"tooltip"`
}

// source is a reference to a data source.
type source struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

type annotations struct {
	List []annotation `json:"list"`
}

// annotation marks on every graph when the query gave a sample.
type annotation struct {
	Name        string           `json:"name"`
	Datasource  source           `json:"datasource"`
	Enable      bool             `json:"enable"`
	IconColor   string           `json:"iconColor"`
	Target      annotationTarget `json:"target"`
	TitleFormat string           `json:"titleFormat"`
	TextFormat  string           `json:"textFormat"`
	TagKeys     string           `json:"tagKeys"`
}

type annotationTarget struct {
	RefID string `json:"refId"`
	Expr  string `json:"expr"`
}

type templating struct {
	List []variable `json:"list"`
}

// element is what stands on a dashboard: a panel, or the heading of a row.
type element interface{ place() *gridPos }

// gridPos is a place on the grid, which is 24 columns wide.
type gridPos struct {
	H int `json:"h"`
	W int `json:"w"`
	X int `json:"x"`
	Y int `json:"y"`
}

// heading is the title of a row; the panels that follow are its own.
type heading struct {
	ID        int      `json:"id"`
	Type      string   `json:"type"`
	Title     string   `json:"title"`
	GridPos   gridPos  `json:"gridPos"`
	Collapsed bool     `json:"collapsed"`
	Panels    []*panel `json:"panels"` // empty, as the row is open
	Repeat    string   `json:"repeat,omitempty"`
}

func (h *heading) place() *gridPos { return &h.GridPos }
