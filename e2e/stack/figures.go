package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/prometheus/client_golang/api"
	promapi "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

// figure is a line or some lines of the table: a query, and how its values are shown.
type figure struct {
	title, query string
	format       string
}

// keyFigures are counted from the start of the editor, so that they say what has been, without rates.
var keyFigures = []figure{
	{title: "jobs", query: `sum by (status) (video_processing_jobs_total)`, format: "%.0f"},
	{title: "success ratio", format: "%.2f", query: `sum(video_processing_jobs_total{status="completed"}) / ` +
		`sum(video_processing_jobs_total{status=~"completed|failed"})`},
	{title: "stage time P95 (s)", format: "%.2f",
		query: `histogram_quantile(0.95, sum by (stage, le) (video_processing_duration_seconds_bucket)) > 0`},
	{title: "processing ratio P95", format: "%.2f",
		query: `histogram_quantile(0.95, sum by (le) (video_processing_job_ratio_bucket))`},
	{title: "cost (USD)", query: `sum by (api) (video_processing_cost_usd_total)`, format: "%.6f"},
	{title: "tokens", query: `sum by (gen_ai_token_type) (gen_ai_client_token_usage_sum)`, format: "%.0f"},
	{title: "budget exceeded", query: `sum(video_processing_budget_exceeded_total)`, format: "%.0f"},
	{title: "errors", query: `sum by (stage, error_type) (video_processing_errors_total) > 0`, format: "%.0f"},
	{title: "ffmpeg processes", query: `sum(video_processing_ffmpeg_processes)`, format: "%.0f"},
	{title: "spans at the collector", query: `sum(otelcol_receiver_accepted_spans) > 0`, format: "%.0f"},
	{title: "metric points at the collector", query: `sum(otelcol_receiver_accepted_metric_points) > 0`, format: "%.0f"},
	{title: "targets up", query: `sum by (job) (up)`, format: "%.0f"},
}

// figures asks a Prometheus.
type figures struct{ promapi.API }

func newFigures(addr string) (figures, error) {
	client, err := api.NewClient(api.Config{Address: "http://" + addr})
	return figures{promapi.NewAPI(client)}, err
}

func (f figures) ask(ctx context.Context, query string) (model.Vector, error) {
	value, _, _, err := f.Query(ctx, query, time.Now())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", query, err)
	}
	vector, ok := value.(model.Vector)
	if !ok {
		return nil, fmt.Errorf("%s gives a %v", query, value.Type())
	}
	return vector, nil
}

// print writes the table, and where to look.
func (f figures) print(ctx context.Context, w io.Writer, at addresses) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table)
	for _, figure := range keyFigures {
		found, err := f.ask(ctx, figure.query)
		if err != nil {
			return err
		}
		lines := make([]string, 0, len(found))
		for _, s := range found {
			lines = append(lines, labels(s.Metric)+"\t"+fmt.Sprintf(figure.format, float64(s.Value)))
		}
		slices.Sort(lines)
		if len(lines) == 0 {
			lines = []string{"\tnothing"}
		}
		for i, line := range lines {
			title := figure.title
			if i > 0 {
				title = ""
			}
			fmt.Fprintf(table, "%s\t%s\n", title, line)
		}
	}
	ids, err := f.exemplars(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(table, "exemplars of stage times\t\t%d\n", ids)
	firing, err := f.firing(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(table, "alerts firing\t%s\n", strings.Join(firing, "\n\t"))
	if err := table.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, `
Prometheus   http://%[1]s/query?g0.expr=sum+by+(status)+(video_processing_jobs_total)
alerts       http://%[1]s/alerts
targets      http://%[1]s/targets
the editor   http://%[2]s/metrics
collector    http://%[3]s/metrics shows what was pushed, http://%[4]s/metrics its own
OTLP         http://%[5]s takes more: OTEL_EXPORTER_OTLP_ENDPOINT=http://%[5]s go run ./examples/quickstart
`, at.prometheus, at.metrics, at.collectorOut, at.collectorOwn, at.otlp)
	return err
}

// exemplars is how many Prometheus has of the stages' durations, each of which leads to a trace.
func (f figures) exemplars(ctx context.Context) (int, error) {
	now := time.Now()
	results, err := f.QueryExemplars(ctx, `video_processing_duration_seconds_bucket`, now.Add(-time.Hour), now.Add(time.Minute))
	count := 0
	for _, result := range results {
		count += len(result.Exemplars)
	}
	return count, err
}

// firing are the alerts that fire, with their severity. The server itself is asked: its series ALERTS begins with the
// third evaluation.
func (f figures) firing(ctx context.Context) ([]string, error) {
	found, err := f.Alerts(ctx)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, alert := range found.Alerts {
		if alert.State == promapi.AlertStateFiring {
			all = append(all, fmt.Sprintf("%s (%s)", alert.Labels["alertname"], alert.Labels["severity"]))
		}
	}
	if len(all) == 0 {
		return []string{"none"}, nil
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// labels are a series' label values, as a reader tells series apart.
func labels(m model.Metric) string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, string(name))
	}
	slices.Sort(names)
	for i, name := range names {
		names[i] = string(m[model.LabelName(name)])
	}
	return strings.Join(names, " ")
}
