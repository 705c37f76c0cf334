package dashboards

// prometheusSource is the data source that the variable datasource chooses.
var prometheusSource = source{Type: "prometheus", UID: "${datasource}"}

// variable is what the reader chooses at the top of a dashboard.
type variable struct {
	Name       string  `json:"name"`
	Label      string  `json:"label"`
	Type       string  `json:"type"`
	Datasource *source `json:"datasource,omitempty"`
	Query      any     `json:"query"`
	Refresh    int     `json:"refresh"` // 1: when the dashboard is loaded; 2: also when the time range changes
	Sort       int     `json:"sort"`
	Multi      bool    `json:"multi"`
	IncludeAll bool    `json:"includeAll"`
	AllValue   string  `json:"allValue,omitempty"`
	Current    *choice `json:"current,omitempty"`
	Hide       int     `json:"hide"`

	expr string // the query as it is written here
}

type variableQuery struct {
	Query string `json:"query"`
	RefID string `json:"refId"`
}

// choice is what is chosen at first.
type choice struct {
	Selected bool     `json:"selected"`
	Text     []string `json:"text"`
	Value    []string `json:"value"`
}

var all = &choice{Selected: true, Text: []string{"All"}, Value: []string{"$__all"}}

// dataSource lets the reader choose among the Prometheus data sources.
func dataSource() variable {
	return variable{Name: "datasource", Label: "Data source", Type: "datasource", Query: "prometheus", Refresh: 1}
}

// values lets the reader choose any of a label's values, of the series that expr selects; all at first.
func values(name, title, expr string) variable {
	return variable{
		Name: name, Label: title, Type: "query", Datasource: &prometheusSource, Refresh: 2, Sort: 1,
		Multi: true, IncludeAll: true, AllValue: ".+", Current: all,
		expr: "label_values(" + expr + ", " + name + ")",
	}
}

// Prometheus's job is a program's name, not a video job.
const jobTitle = "Job"

// pipelineVariables choose among the programs that process videos.
func pipelineVariables() []variable {
	return []variable{
		dataSource(),
		values("job", jobTitle, "@@jobs_in_progress"),
		values("instance", "Instance", `@@jobs_in_progress{job=~"$job"}`),
	}
}

// targetVariables choose among all that Prometheus scrapes, and the programs that push.
func targetVariables() []variable {
	const targets = `@@any{__name__=~"up|jobs_in_progress"`
	return []variable{
		dataSource(),
		values("job", jobTitle, targets+"}"),
		values("instance", "Instance", targets+`, job=~"$job"}`),
	}
}

// stageVariable chooses among the stages of the chosen programs.
func stageVariable() variable { return values("stage", "Stage", "@duration:count") }
