package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	promapi "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/stagemeter/stagemeter/internal/testserver"
)

// emptyWithReason are the queries that have nothing to show after a run in which the telemetry itself was well, by
// dashboard and panel.
var emptyWithReason = map[string]string{
	"paid/Failed attempts by type, per hour":   "no paid call of the editor fails",
	"paid/Left of the providers' rate limits":  "the editor's own service has no rate limits",
	"telemetry/Invalid values, per hour":       "the editor records no invalid value",
	"telemetry/Invalid values":                 "the editor records no invalid value",
	"telemetry/Metrics in overflow by program": "no metric is in overflow; the stat beside it says 0",
	"telemetry/Failed":                         "the collector makes these counters at the first failure",
}

// TestDashboards runs every query of every dashboard, with its variables put in, as Grafana does, against a real
// Prometheus that several real editors fed: one with a good video and a broken one, one that exceeds its budget, one
// whose every job fails. Once they are scraped, and once they push to a collector, which is scraped.
func TestDashboards(t *testing.T) {
	t.Parallel()
	began := time.Now()
	workers := []string{testserver.FreeAddr(t), testserver.FreeAddr(t), testserver.FreeAddr(t)}
	backendAddr, scrapeAddr := testserver.FreeAddr(t), testserver.FreeAddr(t)
	startCollector(t, readmeCollector(t, backendAddr, testserver.FreeAddr(t)), backendAddr, "http://"+scrapeAddr)
	c := startDocsCollector(t, []string{"TRACES_EXPORTERS=[otlp_grpc]", "TRACES_ENDPOINT=" + backendAddr}, nil)
	scraping := docsPrometheus(t, scrapeAddr, "scrape.yml", map[string]string{
		`"` + readmeMetrics + `"`: `"` + strings.Join(workers, `", "`) + `"`,
		"localhost:8888":          c.metrics,
	})
	fromPage := docsPrometheus(t, testserver.FreeAddr(t), "collector.yml",
		map[string]string{readmeCollectorOut: c.out, "localhost:8888": c.metrics})

	env := []string{
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://" + c.otlp,
		"OTEL_METRIC_EXPORT_INTERVAL=500",
		"OTEL_BSP_SCHEDULE_DELAY=500",
	}
	redis, broken := testserver.Redis(t), notAVideo(t)
	var running sync.WaitGroup
	for i, args := range [][]string{
		{"-redis", redis, "-jobs", "2", "-concurrency", "1", speechClip(t, "short talk.mp4", 12), broken}, // a rate takes two
		{"-redis", redis, "-budget", "0.003", "-jobs", "2", speechClip(t, "long talk.mp4", 60)},
		{"-redis", redis, "-jobs", "30", broken},
	} {
		running.Go(func() { runEditor(t, workers[i], env, args...) })
	}
	running.Wait()
	for _, p := range []prometheus{scraping, fromPage} { // all that the editors have ended, once the last is scraped or pushed
		eventually(t, func() error {
			return positive(t, p, `sum(video_processing_jobs_total{status=~"completed|failed"}) >= 36`)
		})
		for range 3 { // so that also the rates over recorded series have their samples
			waitForRules(t, p)
		}
	}

	t.Run("alerts", func(t *testing.T) {
		eventually(t, func() error { return checkAlerts(t, scraping) })
		// The editor's service.name is not video-worker.
		eventually(t, func() error { return checkAlerts(t, fromPage, "VideoProcessingTargetAbsent") })
	})

	paths, err := filepath.Glob(docsPath(t, "dashboards/*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no dashboards: %v", err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		queries := queriesOf(t, text)
		if len(queries) < 10 {
			t.Errorf("%s has %d queries: they are not found", name, len(queries))
		}
		for way, p := range map[string]prometheus{"scraped": scraping, "from the collector": fromPage} {
			t.Run(name+"/"+way, func(t *testing.T) {
				for _, q := range queries {
					q.check(t, p, name, began)
				}
			})
		}
	}
}

// waitForRules waits until every rule that is evaluated twice a second has been evaluated anew.
func waitForRules(t *testing.T, p prometheus) {
	t.Helper()
	since := time.Now()
	eventually(t, func() error {
		rules, err := p.Rules(t.Context(), nil)
		if err != nil {
			return err
		}
		evaluated := 0
		for _, group := range rules.Groups {
			if group.Interval >= 1 {
				continue
			}
			for _, r := range group.Rules {
				var at time.Time
				switch r := r.(type) {
				case promapi.AlertingRule:
					at = r.LastEvaluation
				case promapi.RecordingRule:
					at = r.LastEvaluation
				}
				if !at.After(since) {
					return fmt.Errorf("a rule of %s was not evaluated since %v", group.Name, since)
				}
				evaluated++
			}
		}
		if evaluated == 0 {
			return errors.New("no rule is evaluated twice a second")
		}
		return nil
	})
}

// checkAlerts: where most jobs fail and two exceed their budget, the alerts say just that. Those that wait for their
// time count too. What it returns may be over soon, or come yet.
func checkAlerts(t *testing.T, p prometheus, besides ...string) (wrong error) {
	t.Helper()
	may := append(besides, "HighErrorRate", "HighProcessingRatio", "VideoProcessingJobErrorRatioHigh",
		"VideoProcessingStageErrorRatioHigh", "VideoProcessingJobSuccessBurn", "VideoProcessingJobRatioBurn",
		"VideoProcessingWatchdog")
	found, err := p.Alerts(t.Context())
	if err != nil {
		return err
	}
	firing := make(map[string]bool)
	for _, alert := range found.Alerts {
		name := string(alert.Labels["alertname"])
		firing[name] = firing[name] || alert.State == promapi.AlertStateFiring
		switch {
		case slices.Contains(may, name):
		case name == "VideoProcessingTargetDown" && alert.State == promapi.AlertStatePending: // after one scrape that took too long
			wrong = errors.Join(wrong, fmt.Errorf("%s is pending: %v", name, alert.Annotations["description"]))
		default:
			t.Errorf("%s is %s without a reason: %v", name, alert.State, alert.Annotations["description"])
		}
	}
	for _, name := range []string{"VideoProcessingJobErrorRatioHigh", "VideoProcessingWatchdog"} {
		if !firing[name] {
			wrong = errors.Join(wrong, fmt.Errorf("%s does not fire", name))
		}
	}
	return wrong
}

// dashboardQuery is one query of a dashboard: of a panel, an annotation or a variable.
type dashboardQuery struct {
	where string
	expr  string
	label string // of a variable: whose values are taken
	other bool   // of a default panel: the editor need not record what nobody has drawn
}

var labelValues = regexp.MustCompile(`^label_values\((.*), (\w+)\)$`)

// queriesOf are all queries of a dashboard.
func queriesOf(t *testing.T, text []byte) (queries []dashboardQuery) {
	t.Helper()
	var d struct {
		Panels []struct {
			Type, Title string
			Targets     []struct{ Expr string }
		}
		Templating struct {
			List []struct {
				Name, Type string
				Query      any
			}
		}
		Annotations struct {
			List []struct {
				Name   string
				Target struct{ Expr string }
			}
		}
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	row := ""
	for _, panel := range d.Panels {
		if panel.Type == "row" {
			row = panel.Title
		}
		for _, target := range panel.Targets {
			queries = append(queries, dashboardQuery{where: panel.Title, expr: target.Expr, other: row == "Other metrics"})
		}
	}
	for _, a := range d.Annotations.List {
		queries = append(queries, dashboardQuery{where: "annotation " + a.Name, expr: a.Target.Expr})
	}
	for _, v := range d.Templating.List {
		if v.Type != "query" {
			continue
		}
		q, _ := v.Query.(map[string]any)
		found := labelValues.FindStringSubmatch(fmt.Sprint(q["query"]))
		if found == nil {
			t.Errorf("the variable %s is no label_values: %v", v.Name, v.Query)
			continue
		}
		queries = append(queries, dashboardQuery{where: "variable " + v.Name, expr: found[1], label: found[2]})
	}
	return queries
}

// withVariables is the expression as Grafana sends it, with all of everything chosen.
var withVariables = strings.NewReplacer(
	"$__rate_interval", "1m", "$__range", "10m", "$job", ".+", "$instance", ".+", "$stage", ".+")

// check runs the query over the whole run, since some of what is shown ends with a job.
func (q dashboardQuery) check(t *testing.T, p prometheus, dashboard string, began time.Time) {
	t.Helper()
	expr := withVariables.Replace(q.expr)
	if q.label != "" {
		values, _, _, err := p.LabelValues(t.Context(), q.label, []string{expr}, began, time.Now())
		if err != nil || len(values) == 0 {
			t.Errorf("%s: %s of %s: %v, %v", q.where, q.label, expr, values, err)
		}
		return
	}
	value, _, _, err := p.QueryRange(t.Context(), expr, promapi.Range{Start: began, End: time.Now(), Step: time.Second})
	if err != nil {
		t.Errorf("%s: %s: %v", q.where, expr, err)
		return
	}
	matrix, _ := value.(model.Matrix)
	samples := 0
	for _, series := range matrix {
		for _, s := range series.Values {
			samples++
			if math.IsNaN(float64(s.Value)) || math.IsInf(float64(s.Value), 0) {
				t.Errorf("%s: %s: %v is %v", q.where, expr, series.Metric, s.Value)
				break
			}
		}
	}
	if _, may := emptyWithReason[dashboard+"/"+q.where]; samples == 0 && !may && !q.other {
		t.Errorf("%s shows nothing: %s", q.where, expr)
	}
}
