package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
)

// A way is how a metric comes from the program into Prometheus.
type way string

const (
	scraped       way = "scrape"    // Prometheus scrapes the program
	fromCollector way = "collector" // OTLP to the collector, whose prometheus exporter Prometheus scrapes
	pushed        way = ""          // OTLP to Prometheus's own receiver
)

// wayLabel tells the ways apart: the scrape configurations set it, and what is pushed has none.
const wayLabel = "way"

func (w way) String() string {
	if w == pushed {
		return "otlp"
	}
	return string(w)
}

// series is one series as a user selects it: without what the way that it came adds of its own.
type series struct {
	name   string
	typ    string // counter, gauge or histogram
	labels model.LabelSet
}

// newSeries takes from a stored series the labels that its way adds: who it was scraped from, the
// instrumentation scope, and those that this package has Prometheus add.
func newSeries(m model.Metric) series {
	s := series{name: string(m[model.MetricNameLabel]), typ: string(m["__type__"]), labels: model.LabelSet{}}
	for name, value := range m {
		switch {
		case strings.HasPrefix(string(name), "__"), strings.HasPrefix(string(name), "otel_scope_"):
		case name == model.JobLabel, name == model.InstanceLabel, name == wayLabel:
		case name == model.BucketLabel:
			s.labels[name] = bound(value)
		default:
			s.labels[name] = value
		}
	}
	return s
}

// bound spells a bucket's bound in one way: a scrape has le="2.0", the OTLP receiver le="2".
func bound(le model.LabelValue) model.LabelValue {
	f, err := strconv.ParseFloat(string(le), 64)
	if err != nil {
		return le
	}
	return model.LabelValue(strconv.FormatFloat(f, 'g', -1, 64))
}

// family is the metric's name without the suffix of a histogram's series.
func (s series) family() string {
	if s.typ != "histogram" {
		return s.name
	}
	for _, suffix := range []string{"_bucket", "_count", "_sum"} {
		if base, ok := strings.CutSuffix(s.name, suffix); ok {
			return base
		}
	}
	return s.name
}

// labelNames are the names of its labels but for a bucket's bound, in order.
func (s series) labelNames() []string {
	names := []string{}
	for name := range s.labels {
		if name != model.BucketLabel {
			names = append(names, string(name))
		}
	}
	slices.Sort(names)
	return names
}

// String is also the series' identity: model.LabelSet prints its labels in order.
func (s series) String() string { return fmt.Sprintf("%s %s%s", s.typ, s.name, s.labels) }

// snapshot holds the last value of each series of one way.
type snapshot map[string]sample

type sample struct {
	series
	value float64
}

// add adds one series, which must be another than those before also without what its way adds.
func (all snapshot) add(t *testing.T, found *model.Sample) {
	t.Helper()
	s := newSeries(found.Metric)
	if earlier, ok := all[s.String()]; ok {
		t.Fatalf("%v and %v are two series of one name and labels: %v", earlier.value, found.Value, found.Metric)
	}
	all[s.String()] = sample{series: s, value: float64(found.Value)}
}

// snapshots asks for the last value of every series of ours in the last ten minutes, those that have ended
// included: a job's budget is shown while the job is alive.
func snapshots(t *testing.T, p prometheus) map[way]snapshot {
	t.Helper()
	all := map[way]snapshot{scraped: {}, fromCollector: {}, pushed: {}}
	for _, found := range p.query(t, `last_over_time({__name__=~"video_processing_.+"}[10m])`) {
		from := way(found.Metric[wayLabel])
		if _, ok := all[from]; !ok {
			t.Fatalf("%v has an unknown %s", found.Metric, wayLabel)
		}
		all[from].add(t, found)
	}
	return all
}

// difference lists the series of want that got has not, or has with another value. It leaves out the progress of
// stages: of a stage that has ended, each way remembers what it saw last.
func difference(want, got snapshot) []string {
	var diffs []string
	for _, key := range slices.Sorted(maps.Keys(want)) {
		switch found, ok := got[key]; {
		case want[key].family() == "video_processing_stage_progress_ratio":
		case !ok:
			diffs = append(diffs, fmt.Sprintf("%s: missing, want %v", key, want[key].value))
		case found.value != want[key].value:
			diffs = append(diffs, fmt.Sprintf("%s: %v, want %v", key, found.value, want[key].value))
		}
	}
	return diffs
}
