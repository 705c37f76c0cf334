package dashboards

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/internal/registry"
)

// unshown returns metrics that no panel shows: of each kind without labels, with a label and with that of a job, and
// what has a unit or a name of its own.
func unshown() []registry.Metric {
	stage := registry.Attribute{Key: "stage", Label: "stage"}
	codec := registry.Attribute{Key: "codec.h264", Label: "codec_h264", Values: []string{"yes", "no"}}
	job := registry.Attribute{Key: "job.id", Label: "job_id"}
	path := registry.Attribute{Key: "path", Label: "path", OptIn: true}
	var all []registry.Metric
	for kind, suffix := range map[registry.Kind]string{
		registry.KindCounter: "_total", registry.KindUpDownCounter: "", registry.KindGauge: "", registry.KindHistogram: "",
	} {
		for name, attrs := range map[string][]registry.Attribute{
			"plain": nil, "by.stage": {stage, path}, "by_both": {stage, codec}, "job": {job}, "job_stage": {job, stage},
		} {
			name = "mp4." + kind.String() + "." + name
			m := registry.Metric{
				Name: namespace + name, Prometheus: "video_processing_" + strings.ReplaceAll(name, ".", "_") + suffix,
				Unit: "{frame}", Brief: "Number of " + name + ".", Kind: kind, Attributes: attrs,
			}
			if kind == registry.KindHistogram {
				m.Buckets = []float64{0, 1, 2}
			}
			all = append(all, m)
		}
	}
	all = append(all,
		registry.Metric{Name: "video.processing.gain", Prometheus: "video_processing_gain_db", Unit: "db", Brief: "A gain.",
			Kind: registry.KindHistogram, Buckets: []float64{-3, 0, 3}},
		registry.Metric{Name: "video.processing.oldest_timestamp", Prometheus: "video_processing_oldest_timestamp_seconds",
			Unit: "s", Brief: "The oldest.", Kind: registry.KindGauge, Attributes: []registry.Attribute{stage}},
		registry.Metric{Name: "video.processing.job_timestamp", Prometheus: "video_processing_job_timestamp_seconds",
			Unit: "s", Brief: "The oldest of a job.", Kind: registry.KindGauge, Attributes: []registry.Attribute{job}},
		registry.Metric{Name: "video.processing.up", Prometheus: "video_processing_up", Unit: "1", Brief: "As Prometheus's own.",
			Kind: registry.KindUpDownCounter})
	slices.SortFunc(all, func(a, b registry.Metric) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// A metric that was added to the registry is shown without a panel that somebody drew, by panels that keep every rule,
// whatever fills the last line. The other dashboards stay as they are.
func TestMetricsThatNoPanelShows(t *testing.T) {
	before, err := Generate()
	if err != nil {
		t.Fatal(err)
	}
	added := unshown()
	for n := 1; n <= len(added); n++ {
		files, err := generate(append(registry.Metrics(), added[:n]...), pages)
		if err != nil {
			t.Fatal(err)
		}
		for name, have := range files {
			if name != otherPage && !bytes.Equal(have, before[name]) {
				t.Errorf("%d metrics change %s", n, name)
			}
		}
		p := new(page)
		if err := json.Unmarshal(files[otherPage], p); err != nil {
			t.Fatal(err)
		}
		for _, r := range slices.Concat(pageRules, targetRules) {
			for _, problem := range r.check(p) {
				t.Errorf("%d metrics: %s: %s", n, r.name, problem)
			}
		}
		for _, m := range added[:n] {
			if !bytes.Contains(files[otherPage], []byte(m.Prometheus)) {
				t.Errorf("%s is in no panel", m.Prometheus)
			}
		}
	}
}

// What is drawn follows from the kind, and not from the order of the registry.
func TestDefaultPanels(t *testing.T) {
	queries := make(map[string][]string) // by name of the metric
	for _, m := range unshown() {
		name := strings.TrimPrefix(m.Name, namespace)
		for _, p := range defaultPanels(m) {
			queries[name] = append(queries[name], p.Type+": "+p.Targets[0].Expr)
		}
	}
	const born = `"spelling", "$1", "le", "(.+)"), "le", "$1", "le", "(.+)\\.0"))`
	const alive = " and on (job, instance) (@jobs_in_progress > 0))"
	for name, want := range map[string][]string{
		"mp4.counter.plain":   {"timeseries: sum by (job) (rate(@mp4.counter.plain[$__rate_interval])) * 3600"},
		"mp4.counter.by_both": {"timeseries: sum by (codec_h264, stage) (rate(@mp4.counter.by_both[$__rate_interval])) * 3600"},
		"mp4.counter.job":     {"timeseries: sum by (job) (rate(@mp4.counter.job[$__rate_interval])) * 3600"},
		"mp4.gauge.by.stage":  {"timeseries: max by (stage) (@mp4.gauge.by.stage)"},
		"mp4.gauge.job_stage": {"table: sort_desc(max by (job_id, stage) (@mp4.gauge.job_stage" + alive + ")"},
		"oldest_timestamp":    {"timeseries: max by (stage) (time() - (@oldest_timestamp > 0))"},
		"job_timestamp":       {"table: sort_desc(time() - (max by (job_id) (@job_timestamp" + alive + " > 0))"},
		"mp4.histogram.job_stage": {
			"heatmap: sum by (le) (label_replace(label_replace(increase(@mp4.histogram.job_stage:bucket[$__rate_interval]), " + born,
			"timeseries: histogram_quantile(0.95, sum by (stage, le) (rate(@mp4.histogram.job_stage:bucket[$__rate_interval]))) >= 0",
		},
		"gain":                      {"heatmap: sum by (le) (label_replace(label_replace(increase(@gain:bucket[$__rate_interval]), " + born},
		"mp4.updowncounter.by_both": {"timeseries: sum by (codec_h264, stage) (@mp4.updowncounter.by_both)"},
		"up":                        {"timeseries: sum by (job) (@video.processing.up)"},
	} {
		if !slices.Equal(queries[name], want) {
			t.Errorf("%s:\n%s\nwant:\n%s", name, strings.Join(queries[name], "\n"), strings.Join(want, "\n"))
		}
	}
}
