package dashboards

import (
	"slices"
	"strings"

	"github.com/stagemeter/stagemeter/internal/registry"
)

// otherPage is the dashboard that gets the row of default panels.
const otherPage = "overview.json"

// jobLabel is the label of a single job.
const jobLabel = "job_id"

// otherMetrics returns the row with a default panel for each metric that no panel shows, so that a metric which was
// added to the registry is seen before anybody has drawn it. The row is empty if every metric is shown.
func otherMetrics(metrics []registry.Metric, shown map[string]bool) row {
	r := row{title: "Other metrics"}
	for _, m := range metrics {
		if !shown[shortName(m)] {
			r.panels = append(r.panels, defaultPanels(m)...)
		}
	}
	fill(r.panels)
	return r
}

// shortName returns the name by which queries refer to m. It is the whole name if the short one means a foreign metric.
func shortName(m registry.Metric) string {
	name := strings.TrimPrefix(m.Name, namespace)
	if _, taken := foreign[name]; taken {
		return m.Name
	}
	return name
}

// fill gives panels a width, three to a line; those of a last line that is not full are wider.
func fill(panels []*panel) {
	const inLine = 3
	full := len(panels) / inLine * inLine
	for i, p := range panels {
		n := inLine
		if i >= full {
			n = len(panels) - full
		}
		p.size(columns/n, 8)
	}
}

// defaultPanels returns what can be drawn of any metric of the kind of m, by its labels:
//
//	counter          its rate, per hour
//	up-down counter  its sum
//	gauge            its maximum; of a timestamp the time since then
//	histogram        a heatmap and, unless values can be negative, quantiles
//
// What is observed for each single job is a table of the jobs in progress.
func defaultPanels(m registry.Metric) []*panel {
	name, unit := shortName(m), displayUnit(m)
	title := sentence(strings.TrimPrefix(m.Name, namespace))
	about := strings.TrimSpace(m.Brief + " " + m.Note)
	by := slices.DeleteFunc(m.Labels(), func(label string) bool { return label == jobLabel })
	ofJob := len(by) < len(m.Labels())
	if len(by) == 0 {
		by = []string{"job"}
	}
	groups, legend := strings.Join(by, ", "), "{{"+strings.Join(by, "}} {{")+"}}"

	var panels []*panel
	switch {
	case m.Kind == registry.KindCounter:
		panels = append(panels, graph(text{title + ", per hour", about}, unit, query{perHour(name, groups), legend}))
	case m.Kind == registry.KindHistogram:
		panels = append(panels, heatmap(text{title, about}, unit, name, ""))
		if len(m.Buckets) > 0 && m.Buckets[0] >= 0 {
			panels = append(panels, graph(text{title + ", P95", about}, unit, query{quantile(0.95, name, "", by...), legend}))
		}
	case ofJob:
		panels = append(panels, jobTable(m, text{title + " by job", about}, unit))
	case m.Kind == registry.KindUpDownCounter:
		panels = append(panels, graph(text{title, about}, unit, query{"sum by (" + groups + ") (@" + name + ")", legend}))
	case isTimestamp(m):
		panels = append(panels, graph(text{title + ", time since", about}, unit,
			query{"max by (" + groups + ") (time() - (@" + name + " > 0))", legend}))
	default:
		p := graph(text{title, about}, unit, query{"max by (" + groups + ") (@" + name + ")", legend})
		p.FieldConfig.Defaults.Min = nil // a gauge may be negative
		panels = append(panels, p)
	}
	for _, p := range panels {
		p.empty("nothing recorded in this time")
	}
	return panels
}

// jobTable lists the jobs in progress with their values, the largest first.
func jobTable(m registry.Metric, t text, unit string) *panel {
	var shown [][2]string
	for _, label := range m.Labels() {
		shown = append(shown, [2]string{label, sentence(label)})
	}
	adds := "max"
	if m.Kind == registry.KindUpDownCounter {
		adds = "sum"
	}
	value := adds + " by (" + strings.Join(m.Labels(), ", ") + ") " + live(shortName(m))
	if isTimestamp(m) {
		value = "time() - (" + value + " > 0)"
	}
	return table(t, unit, append(shown, [2]string{"Value", "Value"}), query{"sort_desc(" + value + ")", ""})
}

// isTimestamp reports whether the values of m are seconds since the Unix epoch.
func isTimestamp(m registry.Metric) bool {
	return m.Kind == registry.KindGauge && strings.HasSuffix(m.Prometheus, "_timestamp_seconds")
}

// displayUnit returns Grafana's name of the unit of m.
func displayUnit(m registry.Metric) string {
	switch m.Unit {
	case "s", "ms":
		return m.Unit
	case "usd":
		return "currencyUSD"
	case "By":
		return "bytes"
	case "db":
		return "dB"
	case "1":
		if m.Kind == registry.KindGauge {
			return "percentunit"
		}
	}
	return "short"
}

// sentence returns a name as the beginning of a sentence: "Frames held" for frames_held.
func sentence(name string) string {
	words := strings.NewReplacer(".", " ", "_", " ").Replace(name)
	return strings.ToUpper(words[:1]) + words[1:]
}
